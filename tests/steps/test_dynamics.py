"""Checkpoints on the way of a training become models too, and change nothing about its end."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import lmc_track
from lmc_track.errors import InputError
from lmc_track.models.checkpoints import weights_digest
from lmc_track.models.finetuning import checkpoint, finetune
from lmc_track.progress import Silent
from lmc_track.steps.pairs import planned_pairs
from lmc_track.steps.planning import plan_study
from lmc_track.steps.run import finetune_step, interpolate_step
from lmc_track.steps.status import study_status
from lmc_track.study import ModelSeeds
from lmc_track.tracking.artifacts import local_folder
from lmc_track.tracking.location import Location
from lmc_track.tracking.store import Store
from support.stores import empty_home
from support.studies import run_tiny, runs_of, tiny_study

TRACKED = {"finetune": {"track_steps": [3, 1]}}
PASSING = ("model_id", "path_id", "clustering_id", "seconds", "created")


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory, base_cache: Path) -> Location:
    import shutil

    location = empty_home(tmp_path_factory.mktemp("tracked"))
    shutil.copytree(base_cache, location.cache / "base")
    run_tiny(location, **TRACKED)
    return location


def digests(location: Location) -> dict[str, str]:
    return {run.name: run.params["weights_digest"] for run in runs_of(location).all("model")}


def test_every_tracked_step_is_a_model_of_its_own(tracked: Location) -> None:
    frame = lmc_track.open(tracked.home).sql(
        "SELECT name, step, checkpoint_of FROM models ORDER BY position"
    )
    assert frame.rows() == [
        *((f"seed-{seed}", 4, None) for seed in range(4)),
        *(
            (f"seed-{seed}-step-{step}", step, f"seed-{seed}")
            for step in (1, 3)
            for seed in range(4)
        ),
    ]
    assert len(set(digests(tracked).values())) == 12
    store = Store(tracked)
    experiment = store.client.get_experiment_by_name("tiny").experiment_id
    logged = {model.name for model in store.client.search_logged_models([experiment])}
    assert {"tiny-seed-0", "tiny-seed-0-step-1", "tiny-seed-3-step-3"} <= logged


def test_a_checkpoints_curve_ends_at_its_step(tracked: Location) -> None:
    runs = {run.name: run for run in runs_of(tracked).all("model")}
    store = Store(tracked)
    history = store.client.get_metric_history(runs["seed-0-step-3"].run_id, "train/loss")
    assert [metric.step for metric in history] == [1, 2, 3]
    assert "train/seconds" not in runs["seed-0-step-3"].metrics


def test_tracking_changes_neither_the_ends_nor_what_is_said_of_them(
    tracked: Location, finished: Location
) -> None:
    assert digests(finished).items() <= digests(tracked).items()
    ours, theirs = lmc_track.open(tracked.home), lmc_track.open(finished.home)
    for name in ("study_summary", "models", "barrier_pairs", "cluster_table", "holes",
                 "cluster_effects", "stability", "gap_decisions"):  # fmt: skip
        frames = [one.query(name, study="tiny") for one in (ours, theirs)]
        kept = [column for column in frames[0].columns if column not in PASSING]
        assert_frame_equal(*(frame.select(kept) for frame in frames))


def test_paths_join_models_of_one_step(tracked: Location) -> None:
    paths = lmc_track.open(tracked.home).sql(
        "SELECT a.step AS step, b.step AS other FROM paths p "
        "JOIN models a ON a.model_id = model_a_id JOIN models b ON b.model_id = model_b_id"
    )
    assert paths.height == 3 * 6
    assert (paths["step"] == paths["other"]).all()
    assert {row["missing"] for row in study_status(tracked, "tiny", disk=False).rows} == {0}


def test_paths_across_steps_are_measured_when_asked_for(home_with_base: Location) -> None:
    study = tiny_study(
        finetune={"seeds": "0-1", "track_steps": [2]},
        interpolate={"points": 3, "across_steps": True},
    )
    finetune_step(study, home_with_base, Silent())
    assert interpolate_step(study, home_with_base, Silent()) == 6


def test_a_named_pair_may_join_a_checkpoint(home_with_base: Location) -> None:
    study = tiny_study(
        finetune={"seeds": "0-1", "track_steps": [2]},
        interpolate={"points": 3, "pairs": [["seed-0-step-2", "seed-1"]]},
    )
    finetune_step(study, home_with_base, Silent())
    assert interpolate_step(study, home_with_base, Silent()) == 1


def test_a_number_of_pairs_is_that_of_the_ends_at_every_step(home_with_base: Location) -> None:
    study = tiny_study(finetune={"seeds": "0-2", "track_steps": [2]}, interpolate={"pairs": 2})
    plan = plan_study(study, home_with_base, Silent())
    names = [model.name for model in plan.facts.models]
    pairs = [(names[a], names[b]) for a, b in planned_pairs(study, plan.facts.models)]
    ends = [pair for pair in pairs if "step" not in pair[0]]
    assert len(ends) == 2
    assert [(f"{a}-step-2", f"{b}-step-2") for a, b in ends] == pairs[2:]


def test_a_step_tracked_later_trains_for_it_alone(
    home_with_base: Location, tracked: Location
) -> None:
    sections = {"finetune": {"seeds": "0-1"}}
    finetune_step(tiny_study(**sections), home_with_base, Silent())
    before = {run.run_id: run.tags for run in runs_of(home_with_base).all("model")}
    later = tiny_study(finetune={"seeds": "0-1", "track_steps": [1, 3]})
    assert finetune_step(later, home_with_base, Silent()) == 4
    runs = runs_of(home_with_base)
    assert {run.run_id: run.tags for run in runs.all("model") if run.run_id in before} == before
    assert digests(home_with_base).items() <= digests(tracked).items()


def test_a_step_after_the_end_is_refused(home_with_base: Location) -> None:
    with pytest.raises(InputError, match=r"track_steps: 4 does not come before .* step 4"):
        finetune_step(tiny_study(finetune={"track_steps": [2, 4]}), home_with_base, Silent())


def test_an_interrupted_training_leaves_nothing(finished: Location, tmp_path: Path) -> None:
    study = tiny_study()
    plan = plan_study(study, finished, Silent())
    train = plan.task.train_for(ModelSeeds(0, 0))
    steps = iter(range(4))

    def stop() -> None:
        if next(steps) == 2:
            raise KeyboardInterrupt

    out = tmp_path / "models" / "out"
    names = plan.task.label_names
    with pytest.raises(KeyboardInterrupt):
        finetune(plan.base, names, train, ModelSeeds(0, 0), study.finetune, out, stop, (1, None))
    assert list(out.parent.iterdir()) == []


def test_training_stops_after_the_last_step_that_is_wanted(
    finished: Location, tracked: Location, tmp_path: Path
) -> None:
    study = tiny_study()
    plan = plan_study(study, finished, Silent())
    train = plan.task.train_for(ModelSeeds(2, 2))
    ticks: list[None] = []
    finetune(
        plan.base, plan.task.label_names, train, ModelSeeds(2, 2), study.finetune,
        tmp_path / "out", lambda: ticks.append(None), (3,),
    )  # fmt: skip
    assert len(ticks) == 3
    found = weights_digest(checkpoint(tmp_path / "out", 3))
    assert found == digests(tracked)["seed-2-step-3"]


def test_a_checkpoint_is_a_whole_model_folder(tracked: Location) -> None:
    run = next(run for run in runs_of(tracked).all("model") if run.name == "seed-1-step-1")
    folder = local_folder(run.artifact_uri)
    assert folder is not None
    held = {file.name for file in (folder / "model").iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= held
    assert not any(name.endswith((".bin", ".pt")) for name in held)


def test_dynamics_are_told_for_every_step(tracked: Location) -> None:
    results = lmc_track.open(tracked.home)
    rows = results.query("cluster_dynamics", study="tiny")
    assert rows.select("training", "step").rows() == [
        (f"seed-{seed}", step) for seed in range(4) for step in (1, 3, 4)
    ]
    assert rows.select(pl.col("validation_loss", "diagnostic").null_count()).row(0) == (0, 0)
    assert results.query("step_summary", study="tiny")["n_missing"].to_list() == [0, 0, 0]


def test_the_report_has_a_section_on_training_where_steps_were_tracked(
    tracked: Location, finished: Location
) -> None:
    ours, theirs = (
        (home.home / "reports" / "tiny.html").read_text(encoding="utf-8")
        for home in (tracked, finished)
    )
    assert 'id="dynamics"' in ours
    assert "after step 1 to" in ours
    assert 'id="dynamics"' not in theirs
