from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmc_track.analysis.rule import (
    ClusterGaps,
    Evidence,
    Rule,
    decision,
    gaps_by_cluster,
    shortcomings,
)
from support.planted_gaps import planted


def two(within=0.09, between=0.83, looser=None):
    """The gaps of two clusters, of which the second may be looser."""
    first = [within, between]
    second = [between, within if looser is None else looser]
    return ClusterGaps(within, between, np.array([first, second]))


RULE = Rule(significance=0.05, least_relative_gap=0.25, chance_headroom=0.69)
CLEAR = Evidence((9, 3), 0.85, 0.001, two())


def test_a_clear_division_meets_every_condition():
    assert shortcomings(CLEAR, RULE) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"p_value": 0.051}, "not rare among permuted"),
        ({"gaps": two(between=0.17)}, "25% of the way to chance, less than 25%"),
        ({"p_noise": 0.2}, "noise of measurement alone makes such gaps between clusters (p = 0.2"),
        ({"gaps": two(looser=0.9)}, "within one of its clusters, 0.9 nats, is no less than"),
    ],
)
def test_one_failed_condition_is_enough_for_one_cluster(change, reason):
    evidence = replace(CLEAR, **change)
    (failed,) = shortcomings(evidence, RULE)
    assert reason in failed
    assert decision(evidence, RULE, 999).startswith("One cluster: ")


@pytest.mark.parametrize(
    ("headroom", "reason"),
    [(0.04, "only 0.04 nats better than chance"), (0.0, "no better than chance")],
)
def test_models_that_learned_next_to_nothing_are_not_divided(headroom, reason):
    (failed,) = shortcomings(CLEAR, replace(RULE, chance_headroom=headroom))
    assert reason in failed


def test_conditions_hold_at_their_bounds():
    at_bounds = replace(CLEAR, p_value=0.05, p_noise=0.05, gaps=two(between=0.2))
    assert shortcomings(at_bounds, Rule(0.05, 0.25, 0.8)) == []


def test_the_two_nearest_of_three_clusters_must_be_far_apart():
    gaps = np.array([[0.05, 0.8, 0.7], [0.8, 0.05, 0.1], [0.7, 0.1, 0.05]])
    evidence = replace(CLEAR, sizes=(5, 4, 3), gaps=ClusterGaps(0.05, 0.5, gaps))
    (failed,) = shortcomings(evidence, RULE)
    assert "its two nearest clusters, 0.1 nats" in failed


def test_a_model_alone_in_its_cluster_holds_together():
    gaps = np.array([[0.1, 0.8], [0.8, np.nan]])
    assert shortcomings(replace(CLEAR, gaps=ClusterGaps(0.1, 0.8, gaps)), RULE) == []


def test_models_no_better_than_chance_are_not_divided():
    rule = replace(RULE, chance_headroom=-0.01)
    (failed,) = shortcomings(CLEAR, rule)
    assert "no better than chance" in failed
    assert rule.relative(0.5) is None


def test_decision_of_two_clusters():
    assert decision(CLEAR, RULE, 999) == (
        "Two clusters: the held-out silhouette, 0.85, is rare among 999 permuted gap matrices "
        "(p = 0.001), and the mean held-out gap is 0.09 nats within clusters and 0.83 nats "
        "between them, 120% of the way to chance."
    )


def test_decision_says_what_is_known_of_noise():
    found = decision(replace(CLEAR, p_noise=0.005), RULE, 999)
    assert found.endswith(
        "120% of the way to chance; noise of measurement does not explain it (p = 0.005)."
    )


def test_decision_of_three_clusters_names_the_gap_of_the_nearest():
    gaps = np.array([[0.05, 0.8, 0.7], [0.8, 0.05, 0.4], [0.7, 0.4, 0.05]])
    evidence = replace(CLEAR, sizes=(5, 4, 3), gaps=ClusterGaps(0.05, 0.63, gaps))
    assert decision(evidence, RULE, 999).startswith("Three clusters: ")
    assert "(0.4 nats between the two nearest each other)." in decision(evidence, RULE, 999)


def test_decision_of_one_cluster_names_every_failed_condition():
    evidence = replace(CLEAR, silhouette=0.31, p_value=0.2, gaps=two(between=0.11))
    assert decision(evidence, RULE, 999) == (
        "One cluster: of the best division, into 9 and 3 models, its held-out silhouette, 0.31, "
        "is not rare among permuted gap matrices (p = 0.2, more than 0.05) and the mean held-out "
        "gap between its clusters, 0.11 nats, is 16% of the way to chance, less than 25%."
    )


def test_mean_gaps_are_over_pairs_of_models():
    gaps = np.array([[0, 1, 4, 8], [1, 0, 6, 8], [4, 6, 0, 8], [8, 8, 8, 0]], dtype=float)
    mean = gaps_by_cluster(gaps, np.array([0, 0, 1, 2]))
    assert (mean.within, mean.between, mean.nearest) == (1.0, pytest.approx(34 / 5), 5.0)
    assert mean.by_cluster[0].tolist() == [1.0, 5.0, 8.0]
    assert mean.loosest() == (1.0, 5.0)


def test_mean_gaps_over_no_pairs_are_undefined():
    mean = gaps_by_cluster(np.zeros((1, 1)), np.array([0]))
    assert np.isnan([mean.within, mean.between]).all()


@given(st.integers(0, 1000))
def test_the_nearest_clusters_are_no_farther_apart_than_clusters_are_on_average(seed):
    _, gaps, labels = planted([4, 3, 2], seed=seed)
    mean = gaps_by_cluster(gaps, labels)
    assert mean.nearest <= mean.between + 1e-12
    assert np.allclose(mean.by_cluster, mean.by_cluster.T)
