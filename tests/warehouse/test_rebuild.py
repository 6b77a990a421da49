"""The file is derived: rebuilt equal, published whole, every number recomputed here."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from lmc_track.errors import InputError, LmcTrackError
from lmc_track.geometry.metrics import (
    accuracy,
    auc,
    balanced_accuracy,
    calibration_error,
    f1,
    matthews_correlation,
    score,
)
from lmc_track.warehouse import filling
from lmc_track.warehouse.matrices import gap_matrix
from lmc_track.warehouse.rebuild import rebuild
from lmc_track.warehouse.results import Results, open_results
from lmc_track.warehouse.snapshot import Snapshot
from support.simulated_study import TRACKING_URI, simulated_snapshot
from support.studies import tables_of


def test_two_rebuilds_are_equal(snapshot: Snapshot, tmp_path: Path) -> None:
    for name in ("one.duckdb", "two.duckdb"):
        rebuild(tmp_path / name, snapshot)
    one, two = tables_of(tmp_path / "one.duckdb"), tables_of(tmp_path / "two.duckdb")
    assert one.keys() == two.keys()
    for name, frame in one.items():
        assert_frame_equal(frame, two[name])


def test_a_failed_rebuild_leaves_the_old_file(
    snapshot: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "results.duckdb"
    rebuild(path, snapshot)
    before = path.read_bytes()

    def fail(*_: object) -> None:
        raise duckdb.OutOfMemoryException("not enough memory")

    monkeypatch.setattr(filling, "_compute", fail)
    with pytest.raises(LmcTrackError, match="not enough memory"):
        rebuild(path, snapshot)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("*.building*"))


def test_evaluations_are_those_of_the_predictions(results: Results, snapshot: Snapshot) -> None:
    """Every subset and half of one model and one point, recomputed from the files."""
    examples = results.sql("SELECT * FROM examples JOIN datasets USING (data_digest)")
    subsets = results.sql("SELECT * FROM example_subsets JOIN datasets USING (data_digest)")
    for file in (snapshot.predictions[0], snapshot.predictions[-1]):
        predictions = pl.read_parquet(file.path)
        stored = results.sql(
            f"SELECT * FROM evaluations WHERE run_id = '{file.run_id}' AND precision = "
            f"'{file.precision}'"
        )
        assert stored.height > 0
        for row in stored.iter_rows(named=True):
            if row["dataset"] not in file.datasets:
                continue
            wanted = examples.filter(pl.col("dataset") == row["dataset"])
            if row["half"] != "all":
                wanted = wanted.filter(pl.col("half") == row["half"])
            if row["subset"] != "all":
                members = subsets.filter(
                    (pl.col("subset") == row["subset"]) & (pl.col("dataset") == row["dataset"])
                )
                wanted = wanted.filter(pl.col("example_id").is_in(members["example_id"].implode()))
            chosen = predictions.filter(
                (pl.col("dataset") == row["dataset"])
                & pl.col("example_id").is_in(wanted["example_id"].implode())
            )
            labels = chosen["label"].to_numpy()
            logits = np.stack(chosen["logits"].to_list())
            said = logits.argmax(axis=1)
            expected = {
                "loss": float(chosen["loss"].cast(pl.Float64).mean() or 0.0),
                "accuracy": accuracy(labels, said),
                "error": 1 - accuracy(labels, said),
                "matthews_correlation": matthews_correlation(labels, said),
                "f1": f1(labels, said),
                "balanced_accuracy": balanced_accuracy(labels, said),
                "auc": auc(labels, score(logits)),
                "calibration_error": calibration_error(labels, logits),
                "calibrated_loss": row["value"],  # recomputed in test_derived
            }[row["metric"]]
            assert row["n_examples"] == len(chosen)
            if row["value"] is not None:
                assert row["value"] == pytest.approx(expected, abs=1e-6), row


def test_an_incomplete_path_has_no_measures(with_holes: Results) -> None:
    barriers = with_holes.sql(
        "SELECT * FROM barriers WHERE dataset = 'validation' AND subset = 'all' "
        "AND half = 'all' AND metric = 'loss' ORDER BY model_a, model_b"
    )
    incomplete = barriers.filter(pl.col("convexity_gap").is_null())
    assert incomplete.height == 1
    matrix = gap_matrix(with_holes, "simulated", half="all").matrix
    above = np.triu_indices(len(matrix), 1)
    assert np.isnan(matrix[above]).sum() == 2
    assert np.array_equal(matrix, matrix.T, equal_nan=True)
    assert (np.diag(matrix) == 0).all()


def test_a_query_after_a_rebuild_sees_it_beside_a_users_connection(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    rebuild(path, simulated_snapshot(tmp_path / "one", n_models=3, n_examples=20))
    results = open_results(path, TRACKING_URI)
    mine = duckdb.connect(str(path), read_only=True)
    try:
        assert mine.sql("SELECT count(*) FROM models").fetchall() == [(3,)]
        assert results.query("models").height == 3
        rebuild(path, simulated_snapshot(tmp_path / "two", n_models=4, n_examples=20))
        assert results.query("models").height == 4
        assert mine.sql("SELECT count(*) FROM models").fetchall() == [(3,)]
    finally:
        mine.close()


def test_a_missing_file_says_to_ingest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ingest"):
        open_results(tmp_path / "no.duckdb").query("models")


def test_a_file_of_another_tracking_store_is_refused(results: Results) -> None:
    with pytest.raises(InputError, match="store"):
        open_results(results.path, "sqlite:////elsewhere/mlflow.db").query("models")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE t AS SELECT 1",
        "DELETE FROM models",
        "COPY models TO '/srv/lmc-out.csv'",
        "ATTACH '/srv/other.duckdb'",
        "INSTALL httpfs",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM '/etc/passwd'",
        "SET enable_external_access = true",
        "SELECT 1; SELECT 2",
        "",
    ],
)
def test_user_sql_reads_the_results_and_nothing_else(results: Results, statement: str) -> None:
    before = results.path.read_bytes()
    with pytest.raises(InputError):
        results.sql(statement)
    assert results.path.read_bytes() == before


def test_an_error_of_sql_keeps_duckdbs_words(results: Results) -> None:
    with pytest.raises(InputError, match="nowhere"):
        results.sql("SELECT * FROM nowhere")
