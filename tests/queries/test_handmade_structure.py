"""Queries about structure and likeness whose numbers were worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lmc_track.warehouse.rebuild import rebuild
from lmc_track.warehouse.results import open_results
from support.gap_study import GapStudy, gap_study
from support.handmade_study import handmade_snapshot
from support.simulated_study import simulated_snapshot

# m0, m1, m2 are a chain, m3 is off, and nothing is known of m4 but its gap to m3.
CHAIN = {
    (0, 1): 0.25, (1, 2): 0.5, (0, 2): 2.0, (0, 3): 3.0, (1, 3): 4.0, (2, 3): 5.0, (3, 4): 8.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def study() -> Iterator[GapStudy]:
    with gap_study() as made:
        yield made


def test_a_chain_merges_link_by_link(study: GapStudy) -> None:
    """Complete linkage joins m0, m1, then m2 at 2 and m3 at 5; no pair tells of m4 and the rest."""
    tree = study.of_gaps(5, CHAIN).query("merge_tree")
    assert tree.rows() == [
        (1, 0.25, "m0", "m1", "m0", 1, "m1", 1, 2, 4, 0.25, 0, 0.25),
        (2, 0.5, "m1", "m2", "m0", 2, "m2", 1, 3, 3, 2.0, 0, 2.0),
        (3, 3.0, "m0", "m3", "m0", 3, "m3", 1, 4, 2, 5.0, 0, 5.0),
        (4, 8.0, "m3", "m4", "m0", 4, "m4", 1, 5, 1, 8.0, 3, None),
    ]


def test_what_no_pair_joins_stays_a_forest(study: GapStudy) -> None:
    tree = study.of_gaps(4, {(0, 3): 1.0, (1, 2): 0.5}).query("merge_tree")
    assert tree.select("tau", "model_a", "model_b", "n_components").rows() == [
        (0.5, "m1", "m2", 3),
        (1.0, "m0", "m3", 2),
    ]


def test_complete_linkage_cuts_the_chain(study: GapStudy) -> None:
    table = (
        study.of_gaps(5, CHAIN)
        .query("threshold_components", tau=0.5, metric="loss")
        .sort("position")
    )
    assert table["component"].to_list() == [0, 0, 0, 1, 2]
    assert table["largest_internal_gap"].to_list() == [2, 2, 2, None, None]
    assert table["complete_cluster"].to_list() == [0, 0, 1, 2, 3]
    assert table["complete_largest_gap"].to_list() == [0.25, 0.25, None, None, None]


def test_equal_gaps_merge_in_study_order(study: GapStudy) -> None:
    gaps = {(0, 1): 1.0, (0, 2): 1.0, (1, 2): 1.0}
    tree = study.of_gaps(3, gaps).query("merge_tree")
    assert tree.select("model_a", "model_b").rows() == [("m0", "m1"), ("m0", "m2")]


def test_a_chain_violates_the_triangle_in_its_middle(study: GapStudy) -> None:
    """0–2 exceeds 0–1–2 by 1.25, 1–3 exceeds 1–0–3 by 0.75; 2–3 is 5 = 2 + 3 and exceeds 4.5."""
    table = study.of_gaps(5, CHAIN).query("transitivity", delta=1.0)
    whole = table.row(0, named=True)
    assert (whole["n_triples"], whole["n_violations"], whole["share"]) == (4, 3, 0.75)
    assert (whole["mean_excess"], whole["max_excess"]) == ((1.25 + 0.75 + 0.5) / 3, 1.25)
    assert table["n_in_the_middle"].to_list() == [3, 1, 2, 0, 0, 0]
    assert table["n_triples"].to_list() == [4, 3, 3, 3, 3, 0]


def test_the_clustering_coefficient_of_one_triangle(study: GapStudy) -> None:
    """With delta = 1 the weights are exp of −1/32, −1/8 and −2: a corner's is the far side's."""
    gaps = {(0, 1): 0.25, (1, 2): 0.5, (0, 2): 2.0}
    table = study.of_gaps(3, gaps).query("transitivity", delta=1.0)
    corners = [math.exp(-1 / 8), math.exp(-2), math.exp(-1 / 32)]
    found = table["clustering_coefficient"].to_list()
    assert found == pytest.approx([sum(corners) / 3, *corners])


def test_gaps_that_are_all_zero_are_all_near(study: GapStudy) -> None:
    gaps = {(0, 1): 0.0, (1, 2): 0.0, (0, 2): 0.0}
    table = study.of_gaps(3, gaps).query("transitivity")
    assert table["clustering_coefficient"].to_list() == [1] * 4
    assert table["delta"].to_list() == [None] * 4
    assert table["n_violations"].to_list() == [0] * 4


def test_agreement_is_counted_over_pairs_in_both(study: GapStudy) -> None:
    """Of m0–m3: together in both 0–1; only in the newer 2–3; only in the older 1–2 and 0–2."""
    older, newer = [0, 0, 0, 1, 1], [0, 0, 1, 1, None]
    row = study.of_gaps(5, {}, clusterings=[older, newer]).query("cluster_agreement")
    assert row.select("n_models", "together", "only_in_a", "only_in_b", "apart").row(0) == (
        4, 1, 1, 2, 2,
    )  # fmt: skip
    assert row["rand"].item() == 0.5
    assert row["adjusted_rand"].item() == 0
    assert row["clustering_a"].item() == "c1"


def test_ranks_of_equal_values_are_their_mean(study: GapStudy) -> None:
    """Ranks 1½, 1½, 3 against 1, 2, 3."""
    gaps = {(0, 1): 0.25, (0, 2): 0.5, (1, 2): 4.0}
    distances = {(0, 1): 1.0, (0, 2): 1.0, (1, 2): 2.0}
    table = study.of_gaps(3, gaps, distances=distances).query("distance_correlations")
    assert table["pairs"].to_list() == ["all"]
    assert table["spearman"].item() == pytest.approx(math.sqrt(3) / 2)


LOGITS = np.log(
    np.array([[[0.5, 0.5], [0.9, 0.1]], [[1.0, 1e-30], [0.9, 0.1]]]), dtype=np.float64
).astype(np.float32)


def test_likeness_of_two_models(study: GapStudy) -> None:
    """Half and half against certain: H(¾, ¼) − ½ ln 2; equal on the other example."""
    row = study.of_logits(LOGITS, np.array([1, 0])).query("similarity").row(0, named=True)
    expected = -0.75 * math.log(0.75) - 0.25 * math.log(0.25) - math.log(2) / 2
    assert row["js_divergence"] == pytest.approx(expected / 2)
    assert (row["agreement"], row["n_examples"], row["gap"]) == (1, 2, None)


def test_examples_that_clusters_differ_on_come_first(study: GapStudy) -> None:
    """The first example is solved by cluster 0 alone, the second by one model of each."""
    said = np.array([[1, 1], [1, 0], [0, 1], [0, 0]])
    logits = np.eye(2, dtype=np.float32)[said]
    now = study.of_logits(logits, np.array([1, 1]), [0, 0, 1, 1])
    table = now.query("disagreement", half="all")
    columns = ("example_id", "right_overall", "right_in_clusters", "spread", "n_predicted")
    assert table.select(columns).rows() == [
        (0, 0.5, [1, 0], 1, [2, 2]),
        (1, 0.5, [0.5, 0.5], 0, [2, 2]),
    ]
    assert now.query("disagreement", half="all", limit=1)["text"].to_list() == ["text 0"]
    assert now.query("disagreement")["example_id"].to_list() == [1]


def test_paths_of_other_modules_and_precisions_are_listed(tmp_path: Path) -> None:
    inner = {(0, 1): {0.5: 0.25}, (0, 2): {0.25: 1.0}, (1, 2): {0.5: 1.0, 0.75: 2.0}}
    rebuild(tmp_path / "results.duckdb", handmade_snapshot(tmp_path, [0.0] * 3, inner))
    results = open_results(tmp_path / "results.duckdb")
    table = results.query("paths")
    assert table.select("model_a", "model_b", "n_common", "n_refined", "n_missing").rows() == [
        ("m0", "m1", 1, 0, 0),
        ("m0", "m2", 0, 1, 1),
        ("m1", "m2", 1, 1, 0),
    ]
    assert results.query("paths", precision="bf16").is_empty()
    assert results.query("distances")["l2_distance"].to_list() == [1, 2, 3]


def test_points_cost_what_their_path_does(tmp_path: Path) -> None:
    """3 models of 2, 2.1 and 2.2 s; 3 paths of 1.5 s with 3 points each."""
    made = simulated_snapshot(
        tmp_path, n_models=3, n_points=5, n_examples=10, datasets=("validation",)
    )
    rebuild(tmp_path / "results.duckdb", made)
    table = open_results(tmp_path / "results.duckdb").query("run_cost")
    assert table["kind"].to_list() == ["models", "paths", "points", "total"]
    assert table["n_runs"].to_list() == [3, 3, 9, 6]
    assert table["total_seconds"].to_list() == pytest.approx([6.3, 4.5, 4.5, 10.8])
    assert table["mean_seconds"].to_list() == pytest.approx([2.1, 1.5, 0.5, 1.8])


def test_losses_that_are_not_finite_are_holes(tmp_path: Path) -> None:
    inner = {(0, 1): {0.5: 0.25}, (0, 2): {0.5: math.inf}, (1, 2): {0.5: 0.25}}
    rebuild(tmp_path / "results.duckdb", handmade_snapshot(tmp_path, [0.25, math.nan, 0.25], inner))
    results = open_results(tmp_path / "results.duckdb")
    assert results.query("holes").rows() == [
        ("loss", "m0", "m2", "validation", 1),
        ("loss", "m1", None, "validation", 1),
    ]
    assert results.query("barrier_pairs")["convexity_gap"].to_list() == [None] * 3
