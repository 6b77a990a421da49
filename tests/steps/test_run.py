"""A whole study: what it records, that nothing is repeated, and that it may grow."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal
from transformers import AutoModelForSequenceClassification, AutoTokenizer

import lmc_track
from lmc_track.errors import InputError, WorkError
from lmc_track.progress import Silent
from lmc_track.steps import computing
from lmc_track.steps.ingest import ingest
from lmc_track.steps.materialize import materialize_run
from lmc_track.steps.run import evaluate_step, finetune_step, interpolate_step
from lmc_track.steps.status import study_status
from lmc_track.tracking.artifacts import local_folder
from lmc_track.tracking.location import Location
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.store import Store
from support.studies import measured, run_tiny, runs_of, tables_of, tiny_study


def files_of(run: RunEntry) -> set[str]:
    folder = local_folder(run.artifact_uri)
    assert folder is not None
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def test_every_kind_of_run_is_recorded(finished: Location) -> None:
    index = runs_of(finished)
    counts = {
        kind: len(index.all(kind))
        for kind in ("study", "dataset", "model", "path", "point", "clusters", "report")
    }
    assert counts == {
        "study": 1, "dataset": 2, "model": 4, "path": 6, "point": 12, "clusters": 3, "report": 1,
    }  # fmt: skip
    assert not any(index.unfinished(kind) for kind in counts)


def test_every_run_says_what_it_is(finished: Location) -> None:
    index = runs_of(finished)
    for kind in ("study", "dataset", "model", "path", "point", "clusters", "report"):
        for run in index.all(kind):
            assert run.tags["lmc.study"] == "tiny"
            assert run.tags["lmc.revision"] == "1"
            assert run.tags["mlflow.note.content"]
            assert "torch" in json.loads(run.tags["lmc.versions"])


def test_points_are_children_of_their_path(finished: Location) -> None:
    index = runs_of(finished)
    paths = {run.run_id for run in index.all("path")}
    assert {run.tags["mlflow.parentRunId"] for run in index.all("point")} == paths


def test_a_models_artifacts_hold_no_pickle(finished: Location) -> None:
    for run in runs_of(finished).all("model"):
        files = files_of(run)
        assert "model/model.safetensors" in files
        assert not [name for name in files if name.endswith((".bin", ".pt", ".pkl"))]


def test_a_path_carries_its_curve_as_metric_steps(finished: Location) -> None:
    index = runs_of(finished)
    run = index.all("path")[0]
    history = Store(finished).client.get_metric_history(run.run_id, "loss/validation")
    assert sorted(m.step for m in history) == [0, 3333, 6667, 10000]
    folder = local_folder(run.artifact_uri)
    assert folder is not None
    curve = json.loads((folder / "curve.json").read_text())["curves"]["validation"]
    assert curve["alpha"] == [0.0, 1 / 3, 2 / 3, 1.0]
    assert curve["loss"] == [m.value for m in sorted(history, key=lambda m: m.step)]
    model_a = next(m for m in index.all("model") if m.name == run.params["model_a"])
    assert curve["loss"][0] == model_a.metrics["loss/validation"]


def test_endpoints_are_evaluated_once_per_model(finished: Location) -> None:
    for run in runs_of(finished).all("model"):
        assert len([name for name in files_of(run) if name.startswith("predictions/")]) == 1


def test_each_model_is_a_logged_model_that_refers_to_the_run(finished: Location) -> None:
    index = runs_of(finished)
    client = Store(finished).client
    experiment = client.get_experiment_by_name("tiny")
    logged = client.search_logged_models([experiment.experiment_id])
    assert {m.tags["lmc.weights"] for m in logged} == {
        f"runs:/{run.run_id}/model" for run in index.all("model")
    }
    assert {str(m.status) for m in logged} <= {"READY", "LoggedModelStatus.READY"}


def test_running_again_repeats_nothing(home_with_base: Location) -> None:
    run_tiny(home_with_base)
    before = tables_of(home_with_base.results_path)
    runs = {run.run_id for kind in ("model", "path", "point", "clusters", "report")
            for run in runs_of(home_with_base).all(kind)}  # fmt: skip
    outcome = run_tiny(home_with_base)
    assert (outcome.models, outcome.paths) == (0, 0)
    assert not any(one.made for one in outcome.clusterings)
    after = {run.run_id for kind in ("model", "path", "point", "clusters", "report")
             for run in runs_of(home_with_base).all(kind)}  # fmt: skip
    assert after == runs
    for name, frame in tables_of(home_with_base.results_path).items():
        assert_frame_equal(frame, before[name])


@pytest.mark.full
def test_two_workers_in_a_second_home_measure_the_same(
    finished: Location, home: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(computing, "worth_sharing", lambda *_: 2)
    run_tiny(home)
    mine = measured(home)
    for name, frame in measured(finished).items():
        assert_frame_equal(frame, mine[name], abs_tol=1e-5)


def test_deleted_results_are_rebuilt_equal(finished: Location, tmp_path: Path) -> None:
    before = tables_of(finished.results_path)
    finished.results_path.unlink()
    ingest(finished, Silent())
    for name, frame in tables_of(finished.results_path).items():
        assert_frame_equal(frame, before[name])


def test_ingesting_twice_changes_nothing(finished: Location) -> None:
    before = tables_of(finished.results_path)
    ingest(finished, Silent())
    for name, frame in tables_of(finished.results_path).items():
        assert_frame_equal(frame, before[name])


@pytest.mark.full
def test_what_grows_is_added_and_nothing_else_repeated(home_with_base: Location) -> None:
    location = home_with_base
    run_tiny(location, finetune={"seeds": "0-2"})
    old = {run.run_id for run in runs_of(location).all("point")}
    results = lmc_track.open(location.home)
    assert len(results.query("models")) == 3

    more = {"evaluate": {"datasets": ["validation", "main_only", "embedded_only"]}}
    assert evaluate_step(tiny_study(finetune={"seeds": "0-2"}, **more), location, Silent()) == (
        3,
        3,
    )
    index = runs_of(location)
    assert {run.run_id for run in index.all("point")} == old
    assert all(run.revision == 2 for kind in ("model", "path", "point") for run in index.all(kind))
    assert all(
        len([name for name in files_of(run) if name.startswith("predictions/")]) == 2
        for run in index.all("point")
    )
    assert evaluate_step(tiny_study(finetune={"seeds": "0-2"}, **more), location, Silent()) == (
        0,
        0,
    )

    outcome = run_tiny(location, interpolate={"points": 7}, **more)
    assert (outcome.models, outcome.paths) == (1, 6)
    index = runs_of(location)
    assert old < {run.run_id for run in index.all("point")}
    assert len(index.all("point")) == 6 * 5
    # Opened before the growth, and still shows it.
    assert len(results.query("models")) == 4
    assert results.query("holes").is_empty()


def test_a_points_loss_is_that_of_plain_transformers_calls(
    finished: Location, tmp_path: Path
) -> None:
    """Independent of the engine: weights from ``materialize``, one sentence at a time."""
    results = lmc_track.open(finished.home)
    path = results.sql("SELECT path_id FROM paths ORDER BY model_a, model_b LIMIT 1").item()
    points = results.sql(f"SELECT point_id, alpha FROM points WHERE path_id = '{path}'")
    texts = results.sql(
        "SELECT example_id, text, e.label FROM examples e JOIN datasets d USING (data_digest) "
        "WHERE dataset = 'validation' ORDER BY example_id"
    )
    assert len(points) == 2
    for point_id, alpha in points.iter_rows():
        folder = materialize_run(point_id, tmp_path / f"{alpha}", finished)
        model = AutoModelForSequenceClassification.from_pretrained(str(folder)).eval()
        tokenizer = AutoTokenizer.from_pretrained(str(folder))
        losses = []
        for text, label in texts.select("text", "label").iter_rows():
            with torch.no_grad():
                out = model(**tokenizer(text, return_tensors="pt"), labels=torch.tensor([label]))
            losses.append(out.loss.item())
        stored = results.sql(
            f"SELECT loss FROM predictions WHERE run_id = '{point_id}' "
            "AND dataset = 'validation' ORDER BY example_id"
        )["loss"].to_numpy()
        assert np.allclose(stored, losses, atol=1e-5)
        mean = results.sql(
            f"SELECT value FROM evaluations WHERE run_id = '{point_id}' AND subset = 'all' "
            "AND dataset = 'validation' AND half = 'all' AND metric = 'loss'"
        ).item()
        assert abs(mean - float(np.mean(losses))) < 1e-5


def test_the_same_name_with_another_recipe_is_refused(finished: Location) -> None:
    with pytest.raises(InputError, match="learning_rate"):
        finetune_step(tiny_study(finetune={"learning_rate": 5e-4}), finished, Silent())


def test_a_grid_that_loses_points_is_refused(finished: Location) -> None:
    with pytest.raises(InputError, match="the grid lacks"):
        interpolate_step(tiny_study(interpolate={"points": 3}), finished, Silent())


def test_another_sample_under_the_same_name_is_refused(finished: Location) -> None:
    with pytest.raises(InputError, match="other examples"):
        evaluate_step(tiny_study(evaluate={"max_examples": 10}), finished, Silent())


def test_interpolating_before_finetuning_says_what_to_run(home_with_base: Location) -> None:
    with pytest.raises(WorkError, match="lmc-track finetune"):
        interpolate_step(tiny_study(), home_with_base, Silent())


def test_a_weights_file_changed_behind_its_path_is_noticed(
    home_with_base: Location, tmp_path: Path
) -> None:
    run_tiny(home_with_base, finetune={"seeds": "0-1"})
    index = runs_of(home_with_base)
    first, second = (local_folder(run.artifact_uri) for run in index.all("model"))
    assert first is not None
    assert second is not None
    weights = "model/model.safetensors"
    (first / weights).write_bytes((second / weights).read_bytes())
    with pytest.raises(WorkError, match="not those the point was measured with"):
        materialize_run(index.all("point")[0].run_id, tmp_path / "out", home_with_base)


@pytest.mark.full
def test_a_model_whose_run_was_deleted_takes_its_paths_again(home_with_base: Location) -> None:
    run_tiny(home_with_base, finetune={"seeds": "0-2"})
    before = measured(home_with_base)
    points = {run.run_id for run in runs_of(home_with_base).all("point")}
    Store(home_with_base).client.delete_run(runs_of(home_with_base).all("model")[1].run_id)
    outcome = run_tiny(home_with_base, finetune={"seeds": "0-2"})
    assert (outcome.models, outcome.paths) == (1, 0)
    assert {run.run_id for run in runs_of(home_with_base).all("point")} == points
    for name, frame in measured(home_with_base).items():
        assert_frame_equal(frame, before[name], abs_tol=1e-5)


@pytest.mark.full
def test_a_path_whose_run_was_deleted_is_measured_again(home_with_base: Location) -> None:
    run_tiny(home_with_base, finetune={"seeds": "0-2"})
    before = measured(home_with_base)
    Store(home_with_base).client.delete_run(runs_of(home_with_base).all("path")[1].run_id)
    outcome = run_tiny(home_with_base, finetune={"seeds": "0-2"})
    assert (outcome.models, outcome.paths) == (0, 1)
    index = runs_of(home_with_base)
    assert index.duplicates == []
    assert {run.tags["mlflow.parentRunId"] for run in index.all("point")} == {
        run.run_id for run in index.all("path")
    }
    for name, frame in measured(home_with_base).items():
        assert_frame_equal(frame, before[name], abs_tol=1e-5)


def test_status_tells_planned_and_finished(finished: Location) -> None:
    rows = {row["what"]: row for row in study_status(finished, disk=False).rows}
    assert (rows["path"]["planned"], rows["path"]["done"]) == (6, 6)
    assert (rows["point"]["planned"], rows["point"]["missing"]) == (12, 0)


def test_the_python_door_gives_polars_frames(finished: Location) -> None:
    matrix = lmc_track.open(finished.home).query("barrier_matrix", study="tiny")
    assert isinstance(matrix, pl.DataFrame)
    assert matrix["model"].to_list() == [c for c in matrix.columns if c not in ("model", "cluster")]
