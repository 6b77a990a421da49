"""Choices of k, stability and the embedding, on records written by hand."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from lmc_track.warehouse.rebuild import rebuild
from lmc_track.warehouse.results import Results, open_results
from support.handmade_study import handmade_snapshot

# Clusters {m0, m1}, {m2}, {m3}; m0 is as often with m2 as with m3 when examples are resampled.
TOGETHER = {
    (0, 1): (0.75, 0.5),
    (0, 2): (0.25, 0.125),
    (0, 3): (0.25, 0.25),
    (1, 2): (0.0, 0.375),
    (1, 3): (0.125, None),
    (2, 3): (0.5, 1.0),
}


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("four")
    snapshot = handmade_snapshot(
        folder, [0.25] * 4, {}, clusterings=[("spectral", [0, 0, 1, 2])], together=TOGETHER
    )
    rebuild(folder / "results.duckdb", snapshot)
    return open_results(folder / "results.duckdb")


def test_each_model_is_compared_with_its_own_and_the_nearest_other_cluster(four: Results) -> None:
    rows = four.query("stability").drop("position", "model_id").rows()
    assert rows == [
        ("m0", 0, 0.75, 0.25, 1, 0.5, 0.25, 2),
        ("m1", 0, 0.75, 0.125, 2, 0.5, 0.375, 1),
        ("m2", 1, None, 0.5, 2, None, 1.0, 2),
        ("m3", 2, None, 0.5, 1, None, 1.0, 1),
    ]


def test_pairs_are_listed_in_study_order(four: Results) -> None:
    pairs = four.query("co_assignments")
    shares = [
        (a, b, *TOGETHER[a, b]) for a, b in pairs.select("position_a", "position_b").iter_rows()
    ]
    columns = ("position_a", "position_b", "by_examples", "by_models")
    assert pairs.select(columns).rows() == shares
    assert [row[:2] for row in shares] == sorted(TOGETHER)
    assert pairs.filter("same_cluster").select("model_a", "model_b").rows() == [("m0", "m1")]


def test_a_clustering_without_places_gives_models_without_them(four: Results) -> None:
    rows = four.query("embedding")
    assert rows["cluster"].to_list() == [0, 0, 1, 2]
    assert rows.select("coordinates", "centroid_distances", "axis").null_count().row(0) == (4,) * 3
    assert four.query("cluster_choices").is_empty()


def test_a_study_without_a_clustering_has_nothing_to_tell(tmp_path: Path) -> None:
    rebuild(tmp_path / "results.duckdb", handmade_snapshot(tmp_path, [0.25], {}))
    results = open_results(tmp_path / "results.duckdb")
    for name in ("stability", "co_assignments", "cluster_choices", "cluster_bases"):
        assert results.query(name).is_empty()
    assert results.query("embedding")["cluster"].to_list() == [None]


def test_the_number_of_clusters_that_was_chosen_is_marked(results: Results) -> None:
    rows = results.query("cluster_choices")
    assert rows["k"].to_list() == [2, 3, 4]
    assert rows.filter("chosen")["k"].to_list() == [2]
    assert rows["held_out_silhouette"].to_list() == pytest.approx([0.9, 0.37, 0.36])


def test_the_declared_basis_comes_first_and_the_others_are_corrected(results: Results) -> None:
    rows = results.query("cluster_bases")
    assert rows["metric"].to_list() == ["error", "calibrated_loss", "loss"]
    assert rows["declared"].to_list() == [True, False, False]
    assert rows["p_value"].to_list() == pytest.approx([0.005, 0.005, 0.02])
    assert rows["p_corrected"].to_list() == pytest.approx([0.005, 0.015, 0.06])
    assert rows["n_clusters"].to_list() == [2, 2, 1]


def test_the_axis_is_below_zero_nearer_to_the_first_cluster(results: Results) -> None:
    rows = results.query("embedding")
    assert ((rows["axis"] < 0) == (rows["cluster"] == 0)).all()
    first = rows.row(0, named=True)
    assert first["axis"] == first["centroid_distances"][0] - first["centroid_distances"][1]


def test_one_cluster_has_no_axis(tmp_path: Path) -> None:
    snapshot = handmade_snapshot(tmp_path, [0.25] * 2, {}, clusterings=[("spectral", [0, 0])])
    placed = snapshot.clusters.with_columns(
        embedding=pl.lit([0.5, 0.25]), centroid_distances=pl.lit([0.125])
    )
    rebuild(tmp_path / "results.duckdb", type(snapshot)(**{**vars(snapshot), "clusters": placed}))
    rows = open_results(tmp_path / "results.duckdb").query("embedding")
    assert rows["axis"].to_list() == [None, None]
    assert rows["coordinates"].to_list() == [[0.5, 0.25]] * 2
