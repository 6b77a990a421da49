"""Deals: that they are all, or random, and what p they give."""

from __future__ import annotations

import numpy as np
import pytest

from lmc_track.analysis.permutation import (
    Deals,
    every_assignment,
    every_order,
    max_t,
    n_assignments,
    priorities,
    smallest_cluster_p,
    smallest_order_p,
)

RANDOM = Deals(np.argsort(priorities(4, 999), axis=1), exact=False)


@pytest.mark.parametrize("labels", [[0, 1, 0, 1, 1, 0, 0, 1], [2, 0, 1, 0, 0], [0, 0], [0]])
def test_every_assignment_comes_once(labels: list[int]) -> None:
    given = np.array(labels)
    deals = every_assignment(given)
    assert deals is not None
    dealt = given[deals.orders]
    assert len(np.unique(dealt, axis=0)) == len(dealt) == n_assignments(np.bincount(given).tolist())
    assert (np.sort(dealt, axis=1) == np.sort(given)).all()
    assert (np.sort(deals.orders, axis=1) == np.arange(len(given))).all()


def test_many_deals_are_not_listed() -> None:
    assert every_assignment(np.arange(20) % 2) is None
    assert every_order(8) is None
    orders = every_order(4)
    assert orders is not None
    assert len(np.unique(orders.orders, axis=0)) == 24


def test_four_against_four_cannot_be_below_two_in_seventy() -> None:
    deals = every_assignment(np.repeat([0, 1], 4))
    assert deals is not None
    assert smallest_cluster_p(4, 4, deals) == pytest.approx(2 / 70)
    assert round(smallest_cluster_p(4, 4, deals), 3) == 0.029


def test_unequal_clusters_have_no_mirror_image() -> None:
    deals = every_assignment(np.repeat([0, 1], [3, 13]))
    assert deals is not None
    assert smallest_cluster_p(3, 13, deals) == pytest.approx(1 / 560)


def test_random_deals_bound_p_by_their_number() -> None:
    assert smallest_cluster_p(50, 50, RANDOM) == 1 / 1000
    assert smallest_cluster_p(2, 2, RANDOM) == pytest.approx(2 / 6)
    assert smallest_order_p(50, RANDOM) == 1 / 1000


def test_an_empty_side_has_no_p() -> None:
    assert np.isnan(smallest_cluster_p(0, 4, RANDOM))
    assert np.isnan(smallest_order_p(1, RANDOM))


def test_a_random_p_counts_the_observed_deal() -> None:
    assert RANDOM.p(np.array([0, 999])).tolist() == [1 / 1000, 1]


def test_max_t_steps_down() -> None:
    """By hand: 3 is reached by no maximum; 2, among the two left, by that of one deal in four."""
    dealt = np.array([[3.0, 1.0, 0.0], [1.0, 2.0, 1.0], [2.5, 0.0, 1.5], [0.0, 1.0, 0.5]])
    deals = Deals(np.zeros((4, 1), dtype=np.int64), exact=True)
    assert max_t(np.array([3.0, 2.0, 1.0]), dealt, deals).tolist() == [0.25, 0.25, 0.5]


def test_max_t_leaves_out_what_is_undefined() -> None:
    dealt = np.array([[9.0, 1.0], [9.0, 0.0]])
    deals = Deals(np.zeros((2, 1), dtype=np.int64), exact=True)
    found = max_t(np.array([np.nan, 1.0]), dealt, deals)
    assert np.isnan(found[0])
    assert found[1] == 0.5
    assert np.isnan(max_t(np.array([np.nan]), dealt[:, :1], deals)).all()
