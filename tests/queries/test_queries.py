"""Every query of the library on a study whose answers are planted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from lmc_track.errors import InputError
from lmc_track.warehouse.library import queries
from lmc_track.warehouse.results import Results
from support.query_values import required

EVEN, ODD = ["seed-0", "seed-2", "seed-4"], ["seed-1", "seed-3", "seed-5"]


# Of left_out there are rows only where somebody left something out (tests/steps/test_left_out.py).
@pytest.mark.parametrize("name", [name for name in queries() if name != "left_out"])
def test_every_query_gives_rows(golden: Results, name: str) -> None:
    assert golden.query(name, **required(name)).height > 0


@pytest.mark.parametrize("name", [n for n, q in queries().items() if q.parameter("half")])
def test_one_half_can_be_asked_for(golden: Results, name: str) -> None:
    """Discovery: each of the others is the default of some query."""
    assert golden.query(name, half="discovery", **required(name)).height > 0


def test_the_matrix_is_symmetric_in_cluster_order(results: Results) -> None:
    matrix = results.query("barrier_matrix")
    names = matrix["model"].to_list()
    assert names == [*EVEN, *ODD]
    assert matrix.columns == ["model", "cluster", *names]
    values = matrix.select(names).to_numpy()
    assert (values == values.T).all()
    assert values[0, 1] < 0.1 < values[0, 4]


def test_study_order_can_be_asked_for(results: Results) -> None:
    matrix = results.query("barrier_matrix", order="study")
    assert matrix["model"].to_list() == [f"seed-{k}" for k in range(6)]


def test_pairs_hold_what_the_matrix_shows(results: Results) -> None:
    pairs = results.query("barrier_pairs")
    matrix = results.query("barrier_matrix")
    assert pairs.height == 15
    for a, b, gap in pairs.select("model_a", "model_b", "convexity_gap").iter_rows():
        assert matrix.filter(pl.col("model") == a)[b].item() == gap
    assert pairs.filter(pl.col("same_cluster")).height == 6


@pytest.mark.parametrize("metric", ["loss", "error"])
@pytest.mark.parametrize("half", ["all", "discovery", "held-out"])
@pytest.mark.parametrize(
    ("dataset", "subset"), [("validation", "all"), ("main_only", "all"), ("main_only", "plural")]
)
def test_pairs_are_those_of_what_is_asked_for(
    results: Results, dataset: str, subset: str, half: str, metric: str
) -> None:
    found = results.query("barrier_pairs", dataset=dataset, subset=subset, half=half, metric=metric)
    barriers = results.sql(
        "SELECT path_id, convexity_gap AS gap, curve_area AS area FROM barriers "
        f"WHERE dataset = '{dataset}' AND subset = '{subset}' AND half = '{half}' "
        f"AND metric = '{metric}'"
    )
    both = found.join(barriers, on="path_id")
    assert both.height == found.height == 15
    assert both["convexity_gap"].equals(both["gap"])
    assert both["curve_area"].equals(both["area"])


def test_curves_have_their_endpoints(results: Results) -> None:
    curves = results.query("curves", model_a="seed-0", model_b="seed-3")
    assert curves["alpha"].to_list() == [k / 10 for k in range(11)]
    loss = results.query("models").filter(pl.col("name") == "seed-0")["validation_loss"].item()
    assert curves["value"][0] == pytest.approx(loss)


def test_clusters_are_summed_up(results: Results) -> None:
    table = results.query("cluster_table")
    assert table["n_models"].to_list() == [3, 3]
    assert table["models"].to_list() == [EVEN, ODD]
    for row in table.iter_rows(named=True):
        assert row["mean_gap_within"] < row["mean_gap_to_others"]


def test_gaps_are_summed_up_within_and_between(results: Results) -> None:
    summary = {row["pairs"]: row for row in results.query("gap_summary").iter_rows(named=True)}
    assert summary["within"]["n_pairs"] == 6
    assert summary["between"]["n_pairs"] == 9
    assert summary["within"]["max"] < summary["between"]["min"]


@pytest.mark.parametrize("kind", ["within", "between", "all"])
def test_the_standard_error_of_a_mean_gap_is_the_jackknife_over_models(
    results: Results, kind: str
) -> None:
    pairs = results.query("barrier_pairs")
    if kind != "all":
        pairs = pairs.filter(pl.col("same_cluster") == (kind == "within"))
    models = sorted({*pairs["model_a"], *pairs["model_b"]})
    without = [
        pairs.filter((pl.col("model_a") != m) & (pl.col("model_b") != m))["convexity_gap"].mean()
        for m in models
    ]
    mean = pairs["convexity_gap"].mean()
    squares = np.square(np.array(without, dtype=float) - mean)
    wanted = np.sqrt((len(models) - 1) / len(models) * squares.sum())
    row = results.query("gap_summary").filter(pl.col("pairs") == kind).row(0, named=True)
    assert row["standard_error"] == pytest.approx(wanted)
    assert row["n_models"] == len(models)


def test_a_mean_between_clusters_has_the_freedom_of_the_smaller_one(with_holes: Results) -> None:
    rows = {row["pairs"]: row for row in with_holes.query("gap_summary").iter_rows(named=True)}
    assert {name: row["degrees_of_freedom"] for name, row in rows.items()} == {
        "within": 5, "between": 2, "all": 5,
    }  # fmt: skip


def test_diagnostics_tell_the_clusters_apart(results: Results) -> None:
    table = results.query("cluster_diagnostics").filter(pl.col("subset") == "all")
    spread = {row["dataset"]: row["spread"] for row in table.iter_rows(named=True)}
    assert spread["main_only"] > 0.5
    assert spread["embedded_only"] > 0.5
    assert spread["validation"] < 0.2
    assert table["dataset"][0] == "validation"


def test_one_row_a_model_and_subset_of_a_diagnostic(results: Results) -> None:
    rows = results.query("diagnostics", dataset="main_only", subset="all")
    assert rows["model"].to_list() == [f"seed-{k}" for k in range(6)]


def test_components_are_joined_by_chains(built: Callable[..., Results]) -> None:
    results = built(n_models=5, clusters=2)
    gaps = results.query("barrier_pairs", half="discovery")["convexity_gap"]
    apart = results.query("threshold_components", tau=-1.0, metric="loss")
    assert apart["component"].to_list() == [0, 1, 2, 3, 4]
    assert apart["model"].to_list() == [f"seed-{k}" for k in range(5)]
    joined = results.query("threshold_components", tau=float(gaps.max() or 0), metric="loss")
    assert joined["component"].to_list() == [0] * 5
    assert joined["largest_internal_gap"][0] == gaps.max()
    two = results.query("threshold_components", tau=0.2, metric="loss")
    assert two["component"].to_list() == [0, 0, 0, 1, 1]


def test_tau_must_be_a_number(results: Results) -> None:
    with pytest.raises(InputError, match="tau"):
        results.query("threshold_components", tau="much")


def test_without_a_tolerance_components_are_joined_by_the_studys_own(results: Results) -> None:
    own = results.query("threshold_components")
    assert own.equals(results.query("threshold_components", metric="error", tau=0.02))


def test_holes_are_named(with_holes: Results, results: Results) -> None:
    holes = with_holes.query("holes")
    assert set(holes["kind"]) == {"pair", "points", "evaluation"}
    pair = holes.filter(pl.col("kind") == "pair").row(0, named=True)
    assert (pair["model_a"], pair["model_b"]) == ("seed-0", "seed-1")
    assert results.query("holes").is_empty()


def test_missing_pairs_are_null_and_not_left_out(with_holes: Results) -> None:
    pairs = with_holes.query("barrier_pairs")
    assert pairs.height == 15
    assert pairs["convexity_gap"].null_count() == 2


def test_the_summary_counts(results: Results) -> None:
    row = results.query("study_summary").row(0, named=True)
    assert (row["n_models"], row["n_pairs_possible"], row["n_paths_complete"]) == (6, 15, 15)
    assert (row["grid_points"], row["n_clusters"]) == (11, 2)
