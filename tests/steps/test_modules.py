"""Module-wise paths through a whole study: recorded, resumed, evaluated further, rebuilt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification

import lmc_track
from lmc_track.errors import InputError
from lmc_track.progress import Silent
from lmc_track.steps.materialize import materialize_run
from lmc_track.steps.run import evaluate_step, ingest_step, interpolate_step
from lmc_track.steps.status import study_status
from lmc_track.tracking.artifacts import local_folder
from lmc_track.tracking.location import Location
from support.studies import run_tiny, runs_of, tiny_study

SECTIONS = {"finetune": {"seeds": "0-2"}, "interpolate": {"points": 3}}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, base_cache: Path) -> Location:
    import shutil

    from support.stores import empty_home

    location = empty_home(tmp_path_factory.mktemp("modules"))
    shutil.copytree(base_cache, location.cache / "base")
    run_tiny(location, **SECTIONS)
    interpolate_step(
        tiny_study(**SECTIONS), location, Silent(), ["classifier", "bert.encoder.layer.0"]
    )
    ingest_step(location, Silent())
    return location


def test_every_pair_has_a_path_in_either_direction(home: Location) -> None:
    paths = [run for run in runs_of(home).all("path") if run.params["modules"] == "classifier"]
    ends = {(run.params["model_a"], run.params["model_b"]) for run in paths}
    assert len(ends) == 6
    assert all((b, a) in ends for a, b in ends)
    rows = lmc_track.open(home.home).query("module_paths", study="tiny")
    assert rows.height == 12
    assert set(rows["modules"]) == {"classifier", "encoder.layer.0"}
    assert rows["barrier_to_models"].null_count() == 0


def test_the_far_end_is_a_point(home: Location) -> None:
    index = runs_of(home)
    path = next(run for run in index.all("path") if run.params["modules"] == "classifier")
    points = [p for p in index.all("point") if p.tags["mlflow.parentRunId"] == path.run_id]
    assert sorted(float(p.params["alpha"]) for p in points) == [0.5, 1.0]


def test_a_point_can_be_rebuilt_from_its_run(home: Location, tmp_path: Path) -> None:
    index = runs_of(home)
    point = next(
        run
        for run in index.all("point")
        if run.params["modules"] == "classifier" and run.params["alpha"] == "1.0"
    )
    materialize_run(point.run_id, tmp_path / "out", home)
    made = AutoModelForSequenceClassification.from_pretrained(tmp_path / "out").state_dict()
    ends = {}
    for side in "ab":
        model = next(m for m in index.all("model") if m.name == point.params[f"model_{side}"])
        folder = local_folder(model.artifact_uri)
        assert folder is not None
        ends[side] = AutoModelForSequenceClassification.from_pretrained(
            folder / "model"
        ).state_dict()
    for name, tensor in made.items():
        assert torch.equal(tensor, ends["b" if name.startswith("classifier") else "a"][name])


def test_nothing_is_measured_twice(home: Location) -> None:
    again = interpolate_step(tiny_study(**SECTIONS), home, Silent(), ["encoder.layer.0"])
    assert again == 0


@pytest.mark.full
def test_a_further_data_set_reaches_the_points_of_every_kind(home: Location) -> None:
    wider = tiny_study(
        **SECTIONS, evaluate={"datasets": ["validation", "main_only", "embedded_only"]}
    )
    _, paths = evaluate_step(wider, home, Silent())
    assert paths == 3 + 12
    ingest_step(home, Silent())
    rows = lmc_track.open(home.home).query(
        "module_paths", study="tiny", dataset="embedded_only", metric="error"
    )
    assert rows.height == 12
    assert np.isfinite(rows["rise"].to_numpy()).all()


def test_the_plan_counts_whole_paths(home: Location) -> None:
    rows = {row["what"]: row for row in study_status(home, "tiny", disk=False).rows}
    assert rows["path"]["done"] == rows["path"]["planned"] == 3
    assert rows["point"]["done"] == rows["point"]["planned"] == 3


def test_an_unknown_module_is_refused_with_what_there_is(home: Location) -> None:
    with pytest.raises(InputError, match=r"no module 'layer\.7'\nThere are .*encoder\.layer\.0"):
        interpolate_step(tiny_study(**SECTIONS), home, Silent(), ["layer.7"])
