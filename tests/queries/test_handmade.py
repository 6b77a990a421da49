"""Every number of these results was worked out by hand; all are exact in binary.

Four models, endpoint losses .25 .25 .25 .75 on the grid 0, ½, 1. The middle is .125 above the
chord for m0–m1, 1 for m0–m2 and m0–m3, .25 for m2–m3; m1–m2 has no path, m1–m3 only a refined
point at ¼. The clusters are {m0, m1} and {m2, m3}.
"""

from __future__ import annotations

import math
from pathlib import Path

import polars as pl
import pytest

from lmc_track.warehouse.rebuild import rebuild
from lmc_track.warehouse.results import Results, open_results
from support.handmade_study import handmade_snapshot

ENDS = [0.25, 0.25, 0.25, 0.75]
INNER = {
    (0, 1): {0.5: 0.375},
    (0, 2): {0.5: 1.25},
    (0, 3): {0.5: 1.5},
    (1, 3): {0.25: 2.0},
    (2, 3): {0.5: 0.75},
}
LN2 = math.log(2)


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("four")
    snapshot = handmade_snapshot(
        folder,
        ENDS,
        INNER,
        clusterings=[
            ("spectral", [0, 0, 0, 0]),
            ("spectral", [0, 0, 1, 1]),
            ("threshold", [0, 0, 0, None]),
        ],
        right={1: 4},
        diagnostic=[0.25, 0.75, 1.0, 2.0],
    )
    rebuild(folder / "results.duckdb", snapshot)
    return open_results(folder / "results.duckdb")


def test_a_study_of_earlier_versions_is_shown_by_the_newest_verdict(tmp_path: Path) -> None:
    clusterings = [("spectral", [0, 0, 0]), ("verdict", [0, 0, 1])]
    snapshot = handmade_snapshot(tmp_path, [0.25] * 3, {}, clusterings=clusterings)
    rebuild(tmp_path / "results.duckdb", snapshot)
    results = open_results(tmp_path / "results.duckdb")
    assert results.query("models")["cluster"].to_list() == [0, 0, 1]


def test_pairs(four: Results) -> None:
    pairs = four.query("barrier_pairs")
    names = list(zip(pairs["model_a"], pairs["model_b"], strict=True))
    assert names == [
        ("m0", "m1"), ("m0", "m2"), ("m0", "m3"), ("m1", "m2"), ("m1", "m3"), ("m2", "m3"),
    ]  # fmt: skip
    assert pairs["convexity_gap"].to_list() == [0.125, 1, 1, None, None, 0.25]
    assert pairs["barrier_height"].to_list() == [0.125, 1, 1, None, None, 0.25]
    assert pairs["interpolation_instability"].to_list() == [0.125, 1, 1, None, None, 0.25]
    assert pairs["curve_area"].to_list() == [0.0625, 0.5, 0.75, None, None, 0.375]
    assert pairs["same_cluster"].to_list() == [True, False, False, False, False, True]
    assert pairs["support"].to_list()[5] == {"l": 0.0, "alpha": 0.5, "r": 1.0}
    assert pairs["n_points"].to_list() == [3, 3, 3, None, 2, 3]
    assert pairs["path_id"].to_list()[3] is None
    assert pairs["l2_distance"].to_list() == [1, 2, 3, None, 4, 5]


def test_a_gap_relates_to_the_mean_of_its_own_endpoints(four: Results) -> None:
    relative = four.query("barrier_pairs")["relative_gap"].to_list()
    assert relative[0] == pytest.approx(0.125 / (LN2 - 0.25), abs=1e-12)
    assert relative[5] == pytest.approx(0.25 / (LN2 - 0.5), abs=1e-12)


def test_the_matrix_has_nulls_for_holes(four: Results) -> None:
    matrix = four.query("barrier_matrix")
    assert matrix.columns == ["model", "cluster", "m0", "m1", "m2", "m3"]
    assert matrix["cluster"].to_list() == [0, 0, 1, 1]
    assert matrix.drop("model", "cluster").rows() == [
        (0, 0.125, 1, 1),
        (0.125, 0, None, None),
        (1, None, 0, 0.25),
        (1, None, 0.25, 0),
    ]


def test_the_matrix_takes_another_measure(four: Results) -> None:
    assert four.query("barrier_matrix", measure="curve_area")["m3"].to_list() == [
        0.75, None, 0.375, 0,
    ]  # fmt: skip


def test_gaps_within_and_between(four: Results) -> None:
    frame = four.query("gap_summary").drop(
        "mean_relative", "standard_error", "n_models", "degrees_of_freedom"
    )
    rows = frame.rows()
    assert rows == [
        ("within", 2, 0.1875, 0.1875, 0.125, 0.25, 0),
        ("between", 4, 1, 1, 1, 1, 2),
        ("all", 6, 0.59375, 0.625, 0.125, 1, 2),
    ]


def test_without_a_clustering_there_is_only_all(tmp_path: Path) -> None:
    rebuild(tmp_path / "results.duckdb", handmade_snapshot(tmp_path, ENDS, INNER))
    results = open_results(tmp_path / "results.duckdb")
    assert results.query("gap_summary")["pairs"].to_list() == ["all"]
    assert results.query("models")["cluster"].to_list() == [None] * 4
    assert results.query("clusterings").is_empty()
    assert results.query("barrier_matrix")["model"].to_list() == ["m0", "m1", "m2", "m3"]


def test_clusters(four: Results) -> None:
    rows = four.query("cluster_table", half="all").rows()
    assert rows == [
        (0, 2, ["m0", "m1"], 1, 0.125, 0.125, 1, 0.25, 0.75),
        (1, 2, ["m2", "m3"], 1, 0.25, 0.25, 1, 0.5, 1),
    ]


def test_a_model_outside_the_clustering_comes_last(four: Results) -> None:
    table = four.query("cluster_table", half="all", clustering="threshold")
    assert table["cluster"].to_list() == [0, None]
    assert table["models"].to_list() == [["m0", "m1", "m2"], ["m3"]]


def test_the_default_clustering_is_the_newest_of_the_studys_method(four: Results) -> None:
    made = four.query("clusterings")
    assert made["method"].to_list() == ["threshold", "spectral", "spectral"]
    assert made["is_default"].to_list() == [False, True, False]
    assert four.query("models")["cluster"].to_list() == [0, 0, 1, 1]


def test_a_clustering_is_chosen_by_its_method_or_id(four: Results) -> None:
    oldest = four.query("clusterings")["clustering_id"][-1]
    assert four.query("models", clustering=oldest)["cluster"].to_list() == [0, 0, 0, 0]
    assert four.query("models", clustering="threshold")["cluster"].to_list() == [0, 0, 0, None]


def test_models(four: Results) -> None:
    models = four.query("models")
    assert models["validation_loss"].to_list() == ENDS
    assert models["validation_accuracy"].to_list() == [1, 0.5, 1, 1]
    assert models["validation_metric"].to_list() == [1, 0.5, 1, 1]


def test_curves_hold_refined_points_and_both_ends(four: Results) -> None:
    curve = four.query("curves", model_a="m3", model_b="m1")
    assert curve.select("alpha", "value").rows() == [(0, 0.25), (0.25, 2), (1, 0.75)]
    assert curve["same_cluster"].to_list() == [False] * 3


def test_one_model_gives_all_its_curves(four: Results) -> None:
    curves = four.query("curves", model_a="m3")
    assert curves["path_id"].unique(maintain_order=True).to_list() == [
        "handmade-0-3", "handmade-1-3", "handmade-2-3",
    ]  # fmt: skip


def test_errors_have_gaps_of_their_own(four: Results) -> None:
    """m1 has half of the examples wrong, the points have none: the curve is convex."""
    curve = four.query("curves", model_a="m0", model_b="m1", metric="error")
    assert curve["value"].to_list() == [0, 0, 0.5]
    pairs = four.query("barrier_pairs", metric="error")
    assert pairs["convexity_gap"].to_list() == [0, 0, 0, None, None, 0]
    assert pairs["relative_gap"].null_count() == 6


def test_diagnostics(four: Results) -> None:
    rows = four.query("diagnostics", metric="loss", half="all")
    assert rows["dataset"].to_list() == ["validation"] * 4 + ["probe"] * 8
    assert rows["subset"].to_list() == ["all"] * 8 + ["odd"] * 4
    assert rows["value"].to_list() == [*ENDS, 0.25, 0.75, 1, 2, 0.25, 0.75, 1, 2]
    assert rows["n_examples"].to_list() == [8] * 8 + [4] * 4


def test_cluster_diagnostics(four: Results) -> None:
    table = four.query("cluster_diagnostics", metric="loss", half="all")
    probe = table.filter(pl.col("dataset") == "probe", pl.col("subset") == "all")
    assert probe["mean"].to_list() == [0.5, 1.5]
    assert probe["sd"].to_list() == pytest.approx([math.sqrt(0.125), math.sqrt(0.5)])
    assert probe.select("min", "max").rows() == [(0.25, 0.75), (1, 2)]
    assert probe["spread"].to_list() == [1, 1]


def test_datasets(four: Results) -> None:
    sets = four.query("datasets")
    assert sets.select("dataset", "role", "n_examples", "subsets").rows() == [
        ("validation", "validation", 8, []),
        ("probe", "diagnostic", 8, ["odd"]),
    ]
    assert (sets["n_discovery"] + sets["n_held_out"]).to_list() == [8, 8]


def test_the_summary(four: Results) -> None:
    row = four.query("study_summary").row(0, named=True)
    assert (row["n_models"], row["n_pairs_possible"]) == (4, 6)
    assert (row["n_paths"], row["n_paths_complete"], row["n_points"]) == (5, 4, 5)
    assert (row["grid_points"], row["alphas"]) == (3, [0, 0.5, 1])


def test_holes_of_one_data_set(four: Results) -> None:
    assert four.query("holes", dataset="validation").rows() == [
        ("pair", "m1", "m2", None, 1),
        ("points", "m1", "m3", "validation", 1),
    ]


def test_paths_that_were_never_evaluated_on_a_set_are_holes(four: Results) -> None:
    kinds = four.query("holes", dataset="probe")["kind"].to_list()
    assert kinds == ["pair", *["points"] * 5]


def test_a_precision_that_nothing_was_evaluated_at_is_all_holes(four: Results) -> None:
    holes = four.query("holes", dataset="validation", precision="bf16")
    assert holes["kind"].to_list() == ["pair"] * 6 + ["evaluation"] * 4


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """m2–m4–m6 is a chain whose ends are far apart; m0–m5 and m1–m3 are near; m7 is alone."""
    folder = tmp_path_factory.mktemp("chain")
    near = {(2, 4), (4, 6), (0, 5), (1, 3)}
    pairs = [(a, b) for a in range(8) for b in range(a + 1, 8)]
    inner = {pair: {0.5: 0.125 if pair in near else 2.0} for pair in pairs}
    inner[2, 6] = {0.5: 1.0}
    del inner[1, 7]
    rebuild(folder / "results.duckdb", handmade_snapshot(folder, [0.0] * 8, inner))
    return open_results(folder / "results.duckdb")


def test_components_are_chains_numbered_by_size_then_study_order(chain: Results) -> None:
    table = chain.query("threshold_components", tau=0.125, metric="loss")
    rows = table.select("model", "position", "component", "n_models", "largest_internal_gap").rows()
    assert rows == [
        ("m2", 2, 0, 3, 1.0),
        ("m4", 4, 0, 3, 1.0),
        ("m6", 6, 0, 3, 1.0),
        ("m0", 0, 1, 2, 0.125),
        ("m5", 5, 1, 2, 0.125),
        ("m1", 1, 2, 2, 0.125),
        ("m3", 3, 2, 2, 0.125),
        ("m7", 7, 3, 1, None),
    ]


def test_below_the_least_gap_every_model_is_alone(chain: Results) -> None:
    rows = chain.query("threshold_components", tau=0.0625, metric="loss")
    assert rows["component"].to_list() == rows["position"].to_list() == list(range(8))


def test_a_missing_pair_joins_nothing_but_may_lie_within(chain: Results) -> None:
    rows = chain.query("threshold_components", tau=2.0, metric="loss")
    assert rows["component"].to_list() == [0] * 8
    assert rows["largest_internal_gap"].to_list() == [2.0] * 8
