"""What ingest derives: the same from the same record, and what plain numpy makes of it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from lmc_track.geometry.curves import (
    barrier_height,
    convexity_gap,
    curve_area,
    interpolation_instability,
    relative_gap,
)
from lmc_track.geometry.metrics import (
    accuracy,
    auc,
    balanced_accuracy,
    calibration_error,
    f1,
    matthews_correlation,
    score,
)
from lmc_track.geometry.temperature import calibrated_losses
from lmc_track.metrics import GAP_METRICS
from lmc_track.warehouse.matrices import (
    chance_headroom,
    gap_matrices,
    gap_matrix,
    valley_headroom,
)
from lmc_track.warehouse.rebuild import rebuild
from lmc_track.warehouse.results import Results, open_results
from lmc_track.warehouse.snapshot import Snapshot
from support.handmade_study import handmade_snapshot
from support.simulated_study import Holes, simulated_snapshot, some_holes
from support.studies import tables_of

KEYS = ["run_id", "dataset", "subset", "half", "metric"]


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder = tmp_path_factory.mktemp("record")
    return simulated_snapshot(folder, n_models=4, n_points=4, n_examples=40, holes=some_holes())


@pytest.fixture(scope="module")
def derived(record: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Results:
    path = tmp_path_factory.mktemp("derived") / "results.duckdb"
    rebuild(path, record)
    return open_results(path)


def test_a_deleted_file_is_rebuilt_equal(record: Snapshot, tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    counts = rebuild(path, record).counts
    before = tables_of(path)
    path.unlink()
    assert rebuild(path, record).counts == counts
    after = tables_of(path)
    assert before.keys() == after.keys() >= {"barriers", "curves", "predictions", "evaluations"}
    for name, frame in before.items():
        assert_frame_equal(frame, after[name])


def test_every_evaluation_is_numpys(derived: Results, record: Snapshot) -> None:
    """All runs, data sets, subsets, halves and metrics, and no others."""
    examples = derived.sql(
        "SELECT dataset, example_id, half, "
        "['all'] || coalesce(list(subset) FILTER (subset IS NOT NULL), []) AS subsets "
        "FROM examples JOIN datasets USING (data_digest) "
        "LEFT JOIN example_subsets USING (data_digest, example_id) GROUP BY ALL"
    )
    rows = []
    for file in record.predictions:
        frame = pl.read_parquet(file.path).join(examples, on=["dataset", "example_id"])
        assert frame.height == pl.read_parquet(file.path).height
        for (dataset,), part in frame.group_by("dataset"):
            for half in ("all", "discovery", "held-out"):
                kept = part.with_columns(calibrated=calibrated(part))
                kept = kept if half == "all" else kept.filter(pl.col("half") == half)
                for subset in kept["subsets"].explode().unique():
                    chosen = kept.filter(pl.col("subsets").list.contains(subset))
                    labels = chosen["label"].to_numpy()
                    logits = np.stack(chosen["logits"].to_list())
                    said = logits.argmax(1)
                    values = {
                        "loss": float(chosen["loss"].to_numpy().mean(dtype=np.float64)),
                        "accuracy": accuracy(labels, said),
                        "error": 1 - accuracy(labels, said),
                        "matthews_correlation": matthews_correlation(labels, said),
                        "f1": f1(labels, said),
                        "balanced_accuracy": balanced_accuracy(labels, said),
                        "auc": auc(labels, score(logits)),
                        "calibrated_loss": float(chosen["calibrated"].to_numpy().mean()),
                        "calibration_error": calibration_error(labels, logits),
                    }
                    rows += [
                        (file.run_id, dataset, subset, half, metric, value, len(labels))
                        for metric, value in values.items()
                    ]
    expected = pl.DataFrame(rows, schema=[*KEYS, "value", "n_examples"], orient="row").sort(KEYS)
    found = derived.sql("SELECT * EXCLUDE (precision) FROM evaluations").sort(KEYS)
    assert_frame_equal(found, expected, rel_tol=0, abs_tol=1e-9)


def calibrated(part: pl.DataFrame) -> pl.Series:
    """The losses of one run's predictions at the temperature of the discovery examples."""
    logits = np.stack(part["logits"].to_list())[None]
    discovery = (part["half"] == "discovery").to_numpy()
    return pl.Series(calibrated_losses(part["label"].to_numpy(), logits, discovery)[0])


def test_every_barrier_is_that_of_its_curve(derived: Results) -> None:
    """Each row of the view against the Python functions, relative gaps and holes included."""
    entropies = {
        key[:4]: key[4]
        for key in derived.sql(
            "SELECT study, dataset, subset, half, entropy FROM label_entropies"
        ).rows()
    }
    curves = {
        tuple(row[:5]): row[5:]
        for row in derived.sql(
            "SELECT path_id, dataset, subset, half, metric, list(alpha ORDER BY alpha), "
            "list(value ORDER BY alpha) FROM curves GROUP BY ALL"
        ).rows()
    }
    barriers = derived.sql("SELECT * FROM barriers")
    assert set(barriers["metric"]) == set(GAP_METRICS)
    incomplete = 0
    for row in barriers.iter_rows(named=True):
        alphas, losses = curves[
            row["path_id"], row["dataset"], row["subset"], row["half"], row["metric"]
        ]
        if alphas != row["alphas"]:
            incomplete += 1
            assert row["n_points"] < len(row["alphas"])
            assert all(
                row[name] is None
                for name in ("barrier_height", "interpolation_instability", "convexity_gap",
                             "curve_area", "relative_gap", "support", "valley")
            )  # fmt: skip
            continue
        gap = convexity_gap(alphas, losses)
        assert row["convexity_gap"] == pytest.approx(gap, abs=1e-9)
        assert row["barrier_height"] == pytest.approx(barrier_height(alphas, losses), abs=1e-9)
        assert row["interpolation_instability"] == pytest.approx(
            interpolation_instability(alphas, losses), abs=1e-9
        )
        assert row["curve_area"] == pytest.approx(curve_area(alphas, losses), abs=1e-9)
        share = entropies[row["study"], row["dataset"], row["subset"], row["half"]]
        if row["metric"] == "error" or share <= (losses[0] + losses[-1]) / 2:
            assert row["relative_gap"] is None
        assert row["valley"] == min(losses)
    assert incomplete > 0


def test_relative_gaps_are_those_of_python(derived: Results) -> None:
    shares = derived.sql(
        "SELECT avg(label) AS ones FROM examples JOIN datasets USING (data_digest) "
        "WHERE dataset = 'validation' AND half = 'held-out'"
    )
    ones = shares["ones"].item()
    pairs = derived.query("barrier_pairs", half="held-out").drop_nulls("convexity_gap")
    losses = dict(derived.query("models", half="held-out").select("name", "validation_loss").rows())
    assert pairs.height > 0
    for row in pairs.iter_rows(named=True):
        ends = (losses[row["model_a"]], losses[row["model_b"]])
        expected = relative_gap(row["convexity_gap"], [1 - ones, ones], ends)
        assert row["relative_gap"] == pytest.approx(expected, abs=1e-9)


def test_headroom_is_entropy_minus_mean_loss(derived: Results) -> None:
    losses = derived.query("models", half="discovery")["validation_loss"].to_numpy()
    row = derived.query("chance_headroom", half="discovery").row(0, named=True)
    assert row["mean_loss"] == pytest.approx(losses.mean())
    assert chance_headroom(derived, "simulated", half="discovery") == pytest.approx(
        row["entropy"] - losses.mean()
    )


def test_the_valley_is_the_mean_of_the_least_losses_of_complete_paths(derived: Results) -> None:
    curves = derived.query("curves", half="discovery")
    grid = derived.query("study_summary")["grid_points"].item()
    lowest = [part["value"].min() for _, part in curves.group_by("path_id") if part.height == grid]
    row = derived.query("chance_headroom", half="discovery").row(0, named=True)
    assert row["n_valleys"] == len(lowest) > 0
    expected = row["entropy"] - np.mean(lowest)
    assert valley_headroom(derived, "simulated", half="discovery") == pytest.approx(expected)


def test_there_is_no_valley_where_no_path_was_measured(derived: Results) -> None:
    asked = {"half": "discovery", "precision": "bf16"}
    assert valley_headroom(derived, "simulated", **asked) is None


def test_matrices_read_together_are_those_read_one_by_one(derived: Results) -> None:
    halves = ("discovery", "held-out")
    together = gap_matrices(derived, "simulated", halves=halves)
    assert set(together) == {(metric, half) for metric in GAP_METRICS for half in halves}
    for (metric, half), found in together.items():
        alone = gap_matrix(derived, "simulated", half=half, metric=metric)
        assert found.names == alone.names
        assert np.array_equal(found.matrix, alone.matrix, equal_nan=True)
        assert np.isfinite(found.matrix).sum() > len(found.names)


def test_a_gap_matrix_is_in_study_order_whatever_the_clusters(derived: Results) -> None:
    gaps = gap_matrix(derived, "simulated", half="held-out", measure="curve_area")
    assert gaps.names == ("seed-0", "seed-1", "seed-2", "seed-3")
    pairs = derived.query("barrier_pairs", half="held-out")
    for a, b, value in pairs.select("position_a", "position_b", "curve_area").iter_rows():
        expected = np.nan if value is None else value
        assert gaps.matrix[[a, b], [b, a]] == pytest.approx([expected] * 2, nan_ok=True)


def test_a_refined_point_enters_no_measure(tmp_path: Path) -> None:
    inner = {(0, 1): {0.25: 9.0, 0.5: 0.5}}
    rebuild(tmp_path / "results.duckdb", handmade_snapshot(tmp_path, [0.25, 0.25], inner))
    results = open_results(tmp_path / "results.duckdb")
    assert results.query("barrier_pairs")["convexity_gap"].item() == 0.25
    assert results.query("curves")["value"].to_list() == [0.25, 9, 0.5, 0.25]


def test_predictions_that_miss_examples_are_left_out_and_named(tmp_path: Path) -> None:
    snapshot = handmade_snapshot(tmp_path, [0.25, 0.25], {})
    file = snapshot.predictions[1]
    pl.read_parquet(file.path).head(5).write_parquet(file.path)
    (damaged,) = rebuild(tmp_path / "results.duckdb", snapshot).damaged
    assert damaged.file == file
    assert damaged.why == "the predictions on validation do not fit its 8 examples (5 found)"
    evaluated = tables_of(tmp_path / "results.duckdb")["evaluations"]["run_id"].unique()
    assert set(evaluated) == {one.run_id for one in snapshot.predictions} - {file.run_id}


def test_predictions_of_an_unfinished_evaluation_do_not_count(tmp_path: Path) -> None:
    snapshot = handmade_snapshot(tmp_path, [0.25, 0.25], {}, diagnostic=[1.0, 2.0])
    first, second = snapshot.predictions
    half_done = type(second)(second.run_id, second.path, ("validation",), second.precision)
    rebuild(
        tmp_path / "results.duckdb",
        type(snapshot)(**{**vars(snapshot), "predictions": (first, half_done)}),
    )
    values = open_results(tmp_path / "results.duckdb").query(
        "diagnostics", dataset="probe", subset="all", metric="loss", half="all"
    )
    assert values["value"].to_list() == [1.0, None]


def test_readers_of_the_old_file_keep_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    rebuild(path, handmade_snapshot(tmp_path / "a", [0.25, 0.25], {}))
    with duckdb.connect(str(path), read_only=True) as mine:
        rebuild(path, handmade_snapshot(tmp_path / "b", [0.25] * 3, {}))
        assert mine.sql("SELECT name FROM models").fetchall() == [("m0",), ("m1",)]
    with duckdb.connect(str(path), read_only=True) as mine:
        assert mine.sql("SELECT count(*) FROM models").fetchall() == [(3,)]


def test_what_a_killed_rebuild_left_is_cleared_away(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    for name in ("results.duckdb.building", "results.duckdb.building.wal", "results.duckdb.wal"):
        (tmp_path / name).write_bytes(b"left over")
    rebuild(path, handmade_snapshot(tmp_path, [0.25], {}))
    assert sorted(p.name for p in tmp_path.glob("results.duckdb*")) == ["results.duckdb"]
    assert open_results(path).query("models").height == 1


def test_holes_given_to_the_simulation_are_found(tmp_path: Path) -> None:
    snapshot = simulated_snapshot(
        tmp_path,
        n_models=3,
        n_points=3,
        n_examples=20,
        datasets=("validation",),
        holes=Holes(paths=((0, 2),)),
    )
    rebuild(tmp_path / "results.duckdb", snapshot)
    matrix = gap_matrix(open_results(tmp_path / "results.duckdb"), "simulated", half="all").matrix
    assert np.isnan(matrix).nonzero()[0].tolist() == [0, 2]
