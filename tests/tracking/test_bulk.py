"""Runs written together are the runs that MLflow's client would have made, or none."""

from __future__ import annotations

import itertools
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from mlflow.store.tracking.dbmodels import models

from lmc_track.errors import WorkError
from lmc_track.tracking import bulk, recorder
from lmc_track.tracking.links import EvaluatedOn
from lmc_track.tracking.recorder import MetricValue, Recorder
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.store import Store
from support.stores import empty_home

TABLES = ("runs", "tags", "params", "metrics", "latest_metrics")
READ = EvaluatedOn("validation", "d" * 64, "made", "evaluation")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(empty_home(tmp_path / "home"))


@pytest.fixture
def fixed_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "now", itertools.count(1_700_000_000_000).__next__)


def new_recorder(store: Store, name: str) -> Recorder:
    root = f"file://{store.location.home}/artifacts/{name}"
    return Recorder(store, "s", store.client.create_experiment(name, artifact_location=root))


def write(recorder: Recorder) -> None:
    """A path and two points with every kind of value."""
    path = recorder.start("path", "p", "seed-0 to seed-1", "A path; “quoted” & <b>.")
    recorder.log(path, params={"model_a": "seed-0", "modules": "all", "none": None})
    for alpha in (0.25, 0.5):
        point = recorder.start(
            "point", f"p@{alpha}", f"alpha {alpha}", "note", parent=path.run_id, tags={"x": ""}
        )
        recorder.log(point, params={"alpha": repr(alpha)}, metrics=[MetricValue("loss/v", alpha)])
        recorder.log(point, metrics=[MetricValue("loss/v", 2 * alpha)], tags={"lmc.eval.v": "d"})
        recorder.finish(point)
    curve = [MetricValue("loss/v", k / 7, step=k, timestamp=5) for k in (3, 1, 2)]
    odd = [float("nan"), float("inf"), -float("inf"), 1e-300, 0.1]
    recorder.log(path, metrics=[*curve, *curve, *(MetricValue("odd", v, timestamp=7) for v in odd)])
    recorder.log(path, params={"long": "x" * 9_000}, tags={"last": "é" * 300, "x": "1"})
    recorder.log_inputs(path, [READ, READ, EvaluatedOn("other", "e" * 64, "made", "training")])
    recorder.log_inputs(path, [READ], [model(), model("")])
    recorder.log_inputs(path, [], [model()])
    recorder.finish(path)


def model(logged_model: str = "m-1") -> RunEntry:
    """A model as a path knows it, with a LoggedModel or without."""
    run = RunEntry("0" * 32, "model", "m", "seed-0", "FINISHED", 0, 0, "")
    run.logged_model = logged_model or None
    return run


def rows(store: Store, experiment_id: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of an experiment's runs, ids replaced by the runs' names."""
    connection = sqlite3.connect(store.location.home / "mlflow.db")
    connection.row_factory = sqlite3.Row
    names = dict(
        connection.execute(
            "SELECT run_uuid, name FROM runs WHERE experiment_id = ?", [experiment_id]
        ).fetchall()
    )
    read = {
        table: sorted(
            (
                tuple(
                    (
                        column,
                        str(value)
                        .replace(row["run_uuid"], names[row["run_uuid"]])
                        .replace("/together/", "/client/"),
                    )
                    for column, value in dict(row).items()
                    if column != "experiment_id"
                )
                for row in connection.execute(f"SELECT * FROM {table}").fetchall()
                if row["run_uuid"] in names
            ),
        )
        for table in TABLES
    }
    connection.close()
    ids = {name: run_id for run_id, name in names.items()}
    return {
        table: [
            tuple((c, v.replace(ids["seed-0 to seed-1"], "PATH")) for c, v in row) for row in found
        ]
        for table, found in read.items()
    }


def inputs(store: Store, experiment_id: str) -> list[tuple[Any, ...]]:
    """What the runs of an experiment are linked with: kinds, the data set or model, its tag."""
    connection = sqlite3.connect(store.location.home / "mlflow.db")
    found = connection.execute(
        """
        SELECT r.name, i.source_type, i.destination_type, i.step, d.name, d.digest,
            d.dataset_source_type, d.dataset_source, d.dataset_schema, d.dataset_profile,
            t.name, t.value, CASE WHEN d.name IS NULL THEN i.destination_id END
        FROM runs r JOIN inputs i ON r.run_uuid IN (i.source_id, i.destination_id)
        LEFT JOIN datasets d ON d.dataset_uuid = i.source_id AND d.experiment_id = r.experiment_id
        LEFT JOIN input_tags t USING (input_uuid)
        WHERE r.experiment_id = ? ORDER BY 1, 2, 5
        """,
        [experiment_id],
    ).fetchall()
    connection.close()
    return found


@pytest.mark.usefixtures("fixed_times")
def test_runs_written_together_are_the_clients_own(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = new_recorder(store, "client")
    write(client)
    monkeypatch.setattr(recorder, "now", itertools.count(1_700_000_000_000).__next__)
    together = new_recorder(store, "together")
    with together.together():
        write(together)
    mine = rows(store, together._experiment_id)
    theirs = rows(store, client._experiment_id)
    for table in TABLES:
        assert len(theirs[table]) >= 3
        assert mine[table] == theirs[table], table
    linked = inputs(store, client._experiment_id)
    assert [row[4] for row in linked] == ["other", "validation", None]
    assert inputs(store, together._experiment_id) == linked


def test_runs_written_together_share_their_data_sets_with_older_ones(store: Store) -> None:
    recorder = new_recorder(store, "together")
    recorder.log_inputs(recorder.start("model", "k", "seed-0", "note"), [READ])
    with recorder.together():
        write(recorder)
    connection = sqlite3.connect(store.location.home / "mlflow.db")
    found = connection.execute("SELECT name, count(*) FROM datasets GROUP BY 1").fetchall()
    connection.close()
    assert dict(found) == {"validation": 1, "other": 1}


def test_nothing_is_seen_before_the_end(store: Store) -> None:
    recorder = new_recorder(store, "together")
    with recorder.together():
        write(recorder)
        assert list(store.client.search_runs([recorder._experiment_id])) == []
    assert len(store.client.search_runs([recorder._experiment_id])) == 3


def test_an_error_inside_leaves_no_run(store: Store) -> None:
    recorder = new_recorder(store, "together")

    def stopped() -> None:
        with recorder.together():
            write(recorder)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        stopped()
    assert list(store.client.search_runs([recorder._experiment_id])) == []
    recorder.start("model", "k", "seed-0", "note")
    assert len(store.client.search_runs([recorder._experiment_id])) == 1


def test_what_mlflow_refuses_is_refused_whole(store: Store) -> None:
    recorder = new_recorder(store, "together")

    def refused() -> None:
        with recorder.together():
            write(recorder)
            run = recorder.start("model", "k", "seed-0", "note")
            recorder.log(run, metrics=[MetricValue("bad,name", 1.0)])

    with pytest.raises(WorkError, match="bad,name"):
        refused()
    assert list(store.client.search_runs([recorder._experiment_id])) == []


def test_an_addition_to_an_older_run_comes_after_the_new_ones(store: Store) -> None:
    recorder = new_recorder(store, "together")
    old = recorder.start("path", "p", "seed-0 to seed-1", "note")
    recorder.finish(old)
    with recorder.together():
        new = recorder.start("point", "p@0.5", "alpha 0.5", "note", parent=old.run_id)
        recorder.finish(new)
        recorder.log(old, metrics=[MetricValue("loss/v", 0.5)])
        assert store.client.get_run(new.run_id).info.status == "FINISHED"
        late = recorder.start("point", "p@0.7", "alpha 0.7", "note", parent=old.run_id)
        recorder.finish(late)
    assert store.client.get_run(late.run_id).info.status == "FINISHED"
    assert store.client.get_run(old.run_id).data.metrics == {"loss/v": 0.5}


def test_tables_that_are_not_known_are_left_to_the_client(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = store.client.create_experiment("other")
    assert bulk.bulk_writer(store, experiment) is not None
    table = models.SqlTag.__table__
    monkeypatch.setitem(bulk._COLUMNS, "SqlTag", {c.name for c in table.columns} | {"new"})
    assert bulk.bulk_writer(store, experiment) is None
    recorder = new_recorder(store, "together")
    with recorder.together():
        write(recorder)
        assert len(store.client.search_runs([recorder._experiment_id])) == 3
