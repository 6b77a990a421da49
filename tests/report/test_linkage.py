"""The merge tree as figures draw it."""

from __future__ import annotations

from lmc_track.report.linkage import Merge, branches, leaf_order

NAMES = ["a", "b", "c", "d"]
MERGES = [Merge(0.1, "a", "c"), Merge(0.2, "b", "d"), Merge(0.5, "a", "b")]


def test_leaves_that_merge_lie_side_by_side() -> None:
    assert leaf_order(MERGES, NAMES, dict.fromkeys(NAMES, 0)) == ["a", "c", "b", "d"]


def test_clusters_come_before_the_tree_and_none_comes_last() -> None:
    clusters = {"a": 1, "b": 0, "c": None, "d": 0}
    assert leaf_order(MERGES, NAMES, clusters) == ["b", "d", "a", "c"]


def test_models_without_a_merge_are_leaves_too() -> None:
    order = leaf_order(MERGES[:1], NAMES, dict.fromkeys(NAMES, 0))
    assert sorted(order) == NAMES
    assert order.index("c") == order.index("a") + 1


def test_a_bracket_stands_on_the_brackets_that_it_joins() -> None:
    order = leaf_order(MERGES, NAMES, dict.fromkeys(NAMES, 0))
    first, second, last = branches(MERGES, order, dict.fromkeys(NAMES, 0))
    assert (first.places, first.low, first.tau) == ((0, 1), (0, 0), 0.1)
    assert second.places == (2, 3)
    assert (last.places, last.low, last.tau) == ((0.5, 2.5), (0.1, 0.2), 0.5)


def test_a_bracket_over_two_clusters_is_of_none() -> None:
    clusters = {"a": 0, "c": 0, "b": 1, "d": 1}
    order = leaf_order(MERGES, NAMES, clusters)
    assert [b.cluster for b in branches(MERGES, order, clusters)] == [0, 1, None]
