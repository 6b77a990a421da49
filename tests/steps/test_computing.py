"""How and where a study is computed: settings that are kept, plans that are told, failures."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from polars.testing import assert_frame_equal
from safetensors.torch import load_file, save_file
from transformers import Trainer

import lmc_track
from lmc_track.errors import InputError, WorkError
from lmc_track.execution import Placement
from lmc_track.geometry.batching import Batching
from lmc_track.progress import Silent
from lmc_track.steps import computing
from lmc_track.steps.dry_run import planned_work
from lmc_track.steps.precision_check import precision_check_step
from lmc_track.steps.report import Wanted
from lmc_track.steps.run import finetune_step, ingest_step, interpolate_step, report_step
from lmc_track.tracking.location import Location
from lmc_track.tracking.store import Store
from lmc_track.tracking.studies import study_names
from support.stores import empty_home
from support.studies import measured, runs_of, tiny_study


@pytest.fixture
def copied(finished: Location, tmp_path: Path) -> Location:
    """Three finetuned models, without paths."""
    location = empty_home(tmp_path / "copied")
    shutil.copytree(finished.cache / "base", location.cache / "base")
    finetune_step(tiny_study(finetune={"seeds": "0-2"}), location, Silent())
    return location


def weights_of(location: Location, name: str) -> Path:
    run = next(run for run in runs_of(location).all("model") if run.name == name)
    return Path(run.artifact_uri.removeprefix("file://"), "model", "model.safetensors")


def test_a_dry_run_counts_and_records_nothing(home_with_base: Location) -> None:
    plan = planned_work(tiny_study(), home_with_base, Silent(), Placement("cpu"))
    to_do = dict(plan.select("what", "to_do").rows())
    assert to_do == {"models": 4, "model evaluations": 4, "paths": 6, "points": 12}
    assert (plan["seconds"] > 0).sum() == 3
    assert study_names(Store(home_with_base)) == []


def test_a_dry_run_of_a_finished_study_finds_nothing_to_do(finished: Location) -> None:
    plan = planned_work(tiny_study(), finished, Silent(), Placement("cpu"))
    assert plan["planned"].to_list() == [4, 4, 6, 12]
    assert plan["to_do"].sum() == plan["tokens"].sum() == 0


def test_a_large_model_is_finetuned_with_the_threads_that_were_asked_for(
    home_with_base: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lmc_track.models.threads.is_small", lambda model: False)
    train, used = Trainer.train, []

    def counted(trainer: Trainer) -> object:
        used.append(torch.get_num_threads())
        return train(trainer)

    monkeypatch.setattr(Trainer, "train", counted)
    usual = torch.get_num_threads()
    study = tiny_study(finetune={"seeds": "0"})
    finetune_step(study, home_with_base, Silent(), Placement("cpu", threads=usual + 2))
    assert used == [usual + 2]
    assert torch.get_num_threads() == usual


def test_a_large_model_is_calibrated_once(
    copied: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    found = Batching(128, 7, "eager")

    def calibrate(*arguments: object) -> Batching:
        asked.append(arguments)
        return found

    monkeypatch.setattr(computing, "SMALL", 1)
    monkeypatch.setattr(computing, "calibrate", calibrate)
    study = tiny_study(finetune={"seeds": "0-2"})
    for _ in range(2):
        interpolate_step(study, copied, Silent(), placement=Placement("cpu"))
    assert len(asked) == 1
    (run,) = runs_of(copied).all("study")
    assert json.loads(run.tags["lmc.batching.fp32.cpu"]) == asdict(found)


def test_a_given_budget_is_the_one_that_is_tried(
    copied: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(computing, "SMALL", 1)
    study = tiny_study(finetune={"seeds": "0-2"}, evaluate={"token_budget": 96})
    interpolate_step(study, copied, Silent(), placement=Placement("cpu"))
    (run,) = runs_of(copied).all("study")
    assert json.loads(run.tags["lmc.batching.fp32.cpu"])["token_budget"] == 96


def test_a_device_that_is_not_there_is_said_before_any_work(copied: Location) -> None:
    with pytest.raises(InputError, match="torch sees no CUDA device for"):
        interpolate_step(tiny_study(), copied, Silent(), placement=Placement("cuda:7"))
    with pytest.raises(InputError, match="'tpu' is no device"):
        interpolate_step(tiny_study(), copied, Silent(), placement=Placement("tpu"))


def test_other_weights_than_were_recorded_measure_nothing(copied: Location) -> None:
    file = weights_of(copied, "seed-1")
    tensors = load_file(file)
    tensors["classifier.bias"] = tensors["classifier.bias"] + 1
    save_file(tensors, file, metadata={"format": "pt"})
    with pytest.raises(WorkError, match="2 of 3 paths could not be measured") as caught:
        interpolate_step(tiny_study(finetune={"seeds": "0-2"}), copied, Silent())
    assert "holds other weights than were recorded" in str(caught.value)
    (path,) = runs_of(copied).all("path")
    assert path.name == "seed-0 to seed-2"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("shape", r"tensor 'classifier\.weight' is \(2, \d+\) in seed-0 and \(3, \d+\) in seed-1"),
        ("missing", r"seed-0 has a tensor 'classifier\.bias' that seed-1 lacks"),
        ("extra", r"seed-1 has a tensor 'more' that seed-0 lacks"),
        ("heads", "num_attention_heads is 4 in seed-0 and 1 in seed-1"),
        ("cut", "the checkpoint in .* is damaged: it is cut short"),
    ],
)
def test_models_that_do_not_fit_are_told_before_any_path(
    copied: Location, change: str, message: str
) -> None:
    file = weights_of(copied, "seed-1")
    tensors = load_file(file)
    if change == "shape":
        tensors["classifier.weight"] = tensors["classifier.weight"][[0, 1, 1]]
    elif change == "missing":
        del tensors["classifier.bias"]
    elif change == "extra":
        tensors["more"] = tensors["classifier.bias"].clone()
    elif change == "heads":
        config = json.loads(file.with_name("config.json").read_text())
        config["num_attention_heads"] = 1
        file.with_name("config.json").write_text(json.dumps(config))
    if change == "cut":
        file.write_bytes(file.read_bytes()[:-10])
    else:
        save_file(tensors, file, metadata={"format": "pt"})
    with pytest.raises(WorkError, match=message):
        interpolate_step(tiny_study(finetune={"seeds": "0-2"}), copied, Silent())
    assert runs_of(copied).all("path") == []


def test_a_precision_check_is_recorded_and_told(copied: Location, tmp_path: Path) -> None:
    study = tiny_study(finetune={"seeds": "0-2"})
    found = precision_check_step(study, copied, Silent(), Placement("cpu"))
    assert found["dataset"].to_list() == ["validation", "main_only"]
    assert set(found["n_points"]) == {3 * 4}
    assert (found["example_loss"] >= found["loss"]).all()
    assert (found["loss"] > 0).all()
    interpolate_step(study, copied, Silent())
    ingest_step(copied, Silent())
    told = lmc_track.open(copied.home).query("precision_check")
    assert told["gap"].to_list() == found["gap"].to_list()
    page = report_step("tiny", copied, Silent(), Wanted(tmp_path / "report.html")).path
    assert "on 3 paths evaluated in both" in page.read_text(encoding="utf-8")


def test_precisions_are_not_compared_without_models(home_with_base: Location) -> None:
    with pytest.raises(WorkError, match="no two models are finetuned yet"):
        precision_check_step(tiny_study(), home_with_base, Silent(), Placement("cpu"))


@pytest.mark.full
def test_a_cluster_measures_what_this_process_does(finished: Location, home: Location) -> None:
    shutil.copytree(finished.cache / "base", home.cache / "base")
    finetune_step(tiny_study(), home, Silent())
    interpolate_step(tiny_study(), home, Silent(), placement=Placement("cpu", workers=2))
    ingest_step(home, Silent())
    mine = measured(home)
    for name in ("barriers", "curves"):
        assert_frame_equal(measured(finished)[name], mine[name], abs_tol=1e-5)
