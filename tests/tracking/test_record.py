"""Runs in a real store: found by key, finished or deleted, never half."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from filelock import FileLock

from lmc_track.errors import InputError, WorkError
from lmc_track.tracking.artifacts import Artifacts, local_folder
from lmc_track.tracking.links import EvaluatedOn
from lmc_track.tracking.lock import study_lock
from lmc_track.tracking.recorder import MetricValue, Recorder
from lmc_track.tracking.runs import RunIndex, read_run, read_runs
from lmc_track.tracking.stamps import stamped
from lmc_track.tracking.store import Store
from lmc_track.tracking.studies import (
    RecordedDataset,
    RecordedModel,
    StudyFacts,
    StudyRecord,
    find_study,
    study_names,
    write_study,
)
from support.stores import empty_home

FACTS = StudyFacts(
    name="s",
    file={"study": {"name": "s", "description": ""}},
    identity={"task": {"name": "agreement", "violation_rate": 0.15}, "base_digest": "b" * 64},
    metric="accuracy",
    label_names=("no", "yes"),
    text_columns=("sentence",),
    base="base",
    base_folder="/base",
    precision="fp32",
    primary_diagnostic="d:all:accuracy",
    primary_method="spectral",
    alphas=(0.0, 0.5, 1.0),
    models=(RecordedModel("seed-0", 0, 0, 0, "k0"),),
    datasets=(RecordedDataset("validation", "validation", "d" * 64, "e" * 64),),
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(empty_home(tmp_path / "home"))


@pytest.fixture
def record(store: Store) -> StudyRecord:
    return write_study(store, FACTS)


def reread(store: Store, record: StudyRecord) -> RunIndex:
    return RunIndex(read_runs(store, record.experiment_id))


def test_a_study_is_read_as_it_was_written(store: Store, record: StudyRecord) -> None:
    found = find_study(store, "s")
    assert found is not None
    assert found.facts == FACTS
    assert study_names(store) == ["s"]
    assert find_study(store, "t") is None


def test_writing_the_same_study_again_changes_nothing(store: Store, record: StudyRecord) -> None:
    again = write_study(store, FACTS)
    assert again.run.run_id == record.run.run_id
    assert again.run.revision == record.run.revision


def test_another_recipe_under_the_name_is_refused_and_shown(
    store: Store, record: StudyRecord
) -> None:
    other = {"task": {"name": "agreement", "violation_rate": 0.2}, "base_digest": "b" * 64}
    with pytest.raises(InputError, match=r"task\.violation_rate: recorded 0\.15, now 0\.2"):
        write_study(store, dataclasses.replace(FACTS, identity=other))
    found = find_study(store, "s")
    assert found is not None
    assert found.facts == FACTS


def test_seeds_grow_and_keep_their_positions(store: Store, record: StudyRecord) -> None:
    models = (RecordedModel("seed-9", 0, 9, 9, "k9"), RecordedModel("seed-0", 1, 0, 0, "k0"))
    grown = write_study(store, dataclasses.replace(FACTS, models=models))
    assert [(m.name, m.position) for m in grown.facts.models] == [("seed-0", 0), ("seed-9", 1)]
    assert grown.run.revision == record.run.revision + 1


def test_the_grid_grows_to_supersets_only(store: Store, record: StudyRecord) -> None:
    finer = (0.0, 0.25, 0.5, 0.75, 1.0)
    assert write_study(store, dataclasses.replace(FACTS, alphas=finer)).facts.alphas == finer
    with pytest.raises(InputError, match="the grid lacks"):
        write_study(store, dataclasses.replace(FACTS, alphas=(0.0, 0.3, 1.0)))


def test_a_data_set_name_is_pinned_to_its_data(store: Store, record: StudyRecord) -> None:
    changed = (RecordedDataset("validation", "validation", "f" * 64, "e" * 64),)
    with pytest.raises(InputError, match=r"'validation'.*other examples"):
        write_study(store, dataclasses.replace(FACTS, datasets=changed))


def test_a_deleted_study_says_how_to_restore_it(store: Store, record: StudyRecord) -> None:
    store.client.delete_experiment(record.experiment_id)
    with pytest.raises(InputError, match="deleted in MLflow"):
        write_study(store, FACTS)


def test_somebody_elses_experiment_is_left_alone(store: Store) -> None:
    store.client.create_experiment("s")
    with pytest.raises(InputError, match="not a study"):
        write_study(store, FACTS)


def test_a_study_whose_creation_was_interrupted_is_created(store: Store) -> None:
    experiment_id = store.client.create_experiment("s", tags={"lmc.study": "s"})
    Recorder(store, "s", experiment_id).start("study", "half", "study s", "")
    assert write_study(store, FACTS).facts == FACTS


def test_a_running_run_is_not_found_by_key(store: Store, record: StudyRecord) -> None:
    run = record.recorder.start("model", "k0", "seed-0", "note")
    index = reread(store, record)
    assert index.find("model", "k0") is None
    assert [one.run_id for one in index.unfinished("model")] == [run.run_id]
    record.recorder.finish(run)
    assert reread(store, record).find("model", "k0") is not None


def test_a_damaged_study_file_is_named_and_its_copy_read(store: Store, record: StudyRecord) -> None:
    folder = local_folder(record.run.artifact_uri)
    assert folder is not None
    (folder / "study.json").write_text('{"format"')
    found = find_study(store, "s")
    assert found is not None
    assert found.facts == record.facts
    assert found.damage is not None
    assert found.damage.name == "study.json"
    (folder / "study.copy.json").write_text("[]")
    with pytest.raises(WorkError, match=rf"study\.json of run {record.run.run_id} is damaged"):
        find_study(store, "s")


def test_a_study_file_that_was_written_without_its_tags_does_not_count(
    store: Store, record: StudyRecord
) -> None:
    folder = local_folder(record.run.artifact_uri)
    assert folder is not None
    content = json.loads((folder / "study.json").read_text())
    (folder / "study.json").write_text(json.dumps({**content, "metric": "other"}))
    found = find_study(store, "s")
    assert found is not None
    assert found.facts == record.facts


def test_every_artifact_has_its_digest_among_the_tags(store: Store, record: StudyRecord) -> None:
    folder = local_folder(record.run.artifact_uri)
    assert folder is not None
    found = find_study(store, "s")
    assert found is not None
    stamps = stamped(found.run)
    assert stamps.keys() == {"study.json", "study.copy.json"}
    assert all(stamp.difference(folder / name) is None for name, stamp in stamps.items())


def test_a_study_may_have_the_name_of_the_results(tmp_path: Path) -> None:
    """Its lock is not the one that ingest takes while the study is worked on."""
    location = empty_home(tmp_path / "home")
    with study_lock(location, "results"), FileLock(location.locks / "results.lock", timeout=0):
        pass


def test_of_two_finished_runs_with_one_key_the_oldest_counts(
    store: Store, record: StudyRecord
) -> None:
    runs = [record.recorder.start("model", "k0", "seed-0", "note") for _ in range(2)]
    for run in reversed(runs):
        record.recorder.finish(run)
    index = reread(store, record)
    found = index.find("model", "k0")
    assert found is not None
    oldest = min(runs, key=lambda run: (run.start_time, run.run_id))
    assert found.run_id == oldest.run_id
    assert len(index.duplicates) == 1


def test_deleting_an_unfinished_model_deletes_its_logged_model(
    store: Store, record: StudyRecord
) -> None:
    run = record.recorder.start("model", "k0", "seed-0", "note")
    record.recorder.log_model(run, "s-seed-0", {"seed": 0})
    record.recorder.delete([run])
    assert reread(store, record).unfinished("model") == []
    assert list(store.client.search_logged_models([record.experiment_id])) == []


def test_a_models_name_may_have_a_full_stop(store: Store, record: StudyRecord) -> None:
    run = record.recorder.start("model", "k0", "seed-0", "note")
    record.recorder.log_model(run, "lr-0.15-seed-0", {"seed": 0})
    (model,) = store.client.search_logged_models([record.experiment_id])
    assert model.source_run_id == run.run_id


def test_what_is_logged_is_read_back(store: Store, record: StudyRecord) -> None:
    run = record.recorder.start("path", "p", "a to b", "note", tags={"x": "y"})
    curve = [MetricValue("loss/validation", k / 7, step=k) for k in range(2_000)]
    params = {f"p{k}": k for k in range(150)} | {"none": None}
    record.recorder.log(run, params=params, metrics=curve, tags={"last": "1"})
    record.recorder.finish(run)
    found = read_run(store, run.run_id)
    assert found is not None
    assert found.finished
    assert found.params == {f"p{k}": str(k) for k in range(150)}
    assert found.tags["last"] == "1"
    history = store.client.get_metric_history(run.run_id, "loss/validation")
    assert {m.step: m.value for m in history} == {k: k / 7 for k in range(2_000)}


def test_logging_a_curve_again_at_the_same_time_adds_nothing(
    store: Store, record: StudyRecord
) -> None:
    run = record.recorder.start("path", "p", "a to b", "note")
    curve = [MetricValue("loss/v", 0.5, step=k, timestamp=run.start_time) for k in range(5)]
    record.recorder.log(run, metrics=curve)
    record.recorder.log(run, metrics=curve)
    assert len(store.client.get_metric_history(run.run_id, "loss/v")) == 5


def test_datasets_are_listed_as_inputs(store: Store, record: StudyRecord) -> None:
    run = record.recorder.start("model", "k", "seed-0", "note")
    record.recorder.log_inputs(run, [EvaluatedOn("validation", "d" * 64, "made", "evaluation")])
    inputs = store.client.get_run(run.run_id).inputs.dataset_inputs
    assert [i.dataset.name for i in inputs] == ["validation"]


def test_a_model_leads_to_its_logged_model_and_lists_its_values_there(
    store: Store, record: StudyRecord
) -> None:
    run = record.recorder.start("model", "k", "seed-0", "note")
    record.recorder.log_model(run, "s-seed-0", {"seed": 0})
    value = MetricValue("loss/validation", 0.5, dataset=("validation", "d" * 64))
    record.recorder.log(run, metrics=[value, MetricValue("train/loss", 0.25)])
    record.recorder.finish(run)
    found = read_run(store, run.run_id)
    assert found is not None
    assert found.logged_model == run.logged_model
    logged = store.client.get_logged_model(run.logged_model)
    (metric,) = logged.metrics
    assert (metric.key, metric.value, metric.dataset_name) == ("loss/validation", 0.5, "validation")
    assert reread(store, record).all("model")[0].logged_model == run.logged_model


def test_a_path_leads_to_the_logged_models_of_its_ends(store: Store, record: StudyRecord) -> None:
    ends = [record.recorder.start("model", f"k{n}", f"seed-{n}", "note") for n in range(3)]
    for end in ends[:2]:
        record.recorder.log_model(end, f"s-{end.name}", {})
    path = record.recorder.start("path", "p", "seed-0 to seed-1", "note")
    record.recorder.log_inputs(path, [], ends)
    inputs = store.client.get_run(path.run_id).inputs.model_inputs
    assert {i.model_id for i in inputs} == {end.logged_model for end in ends[:2]}


def test_an_artifact_that_cannot_be_written_leaves_nothing(
    store: Store, record: StudyRecord, tmp_path: Path
) -> None:
    run = record.recorder.start("model", "k", "seed-0", "note")
    artifacts = Artifacts(store)
    with pytest.raises(WorkError, match="cannot be written"):
        artifacts.put(run.run_id, run.artifact_uri, tmp_path / "absent", "predictions/x.parquet")
    folder = tmp_path / "home" / "artifacts" / "s" / run.run_id / "artifacts" / "predictions"
    assert list(folder.iterdir()) == []


def test_a_lost_artifact_is_named(store: Store, record: StudyRecord) -> None:
    with pytest.raises(WorkError, match=r"gone\.json"):
        record.artifacts.get(record.run.run_id, record.run.artifact_uri, "gone.json")


def test_a_second_driver_is_kept_out(store: Store) -> None:
    with (
        study_lock(store.location, "s"),
        pytest.raises(WorkError, match="another lmc-track"),
        study_lock(store.location, "s"),
    ):
        pass


def test_a_store_that_cannot_be_reached_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    location = dataclasses.replace(
        empty_home(tmp_path / "home"), tracking_uri=f"sqlite:///{tmp_path}/file/mlflow.db"
    )
    with pytest.raises(InputError, match="cannot be used"):
        _ = Store(location).client
