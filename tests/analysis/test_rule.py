from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lmc_track.analysis.rule import Evidence, Rule, decision, gaps_of, relative, shortcomings

RULE = Rule(significance=0.05, least_relative_gap=0.25, chance_headroom=0.69)
CLEAR = Evidence((9, 3), 0.85, 0.001, gap_within=0.09, gap_between=0.83, gap_nearest=0.83)


def test_a_clear_division_meets_every_condition():
    assert shortcomings(CLEAR, RULE) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"p_value": 0.051}, "not rare among permuted"),
        ({"gap_between": 0.17, "gap_nearest": 0.17}, "25% of the way to chance, less than 25%"),
        ({"gap_within": 0.9}, "no less within"),
    ],
)
def test_one_failed_condition_is_enough_for_one_cluster(change, reason):
    evidence = replace(CLEAR, **change)
    (failed,) = shortcomings(evidence, RULE)
    assert reason in failed
    assert decision(evidence, RULE, 999).startswith("One cluster: ")


def test_conditions_hold_at_their_bounds():
    at_bounds = replace(CLEAR, p_value=0.05, gap_between=0.2, gap_nearest=0.2)
    assert shortcomings(at_bounds, Rule(0.05, 0.25, 0.8)) == []


def test_the_two_nearest_of_three_clusters_must_be_far_apart():
    evidence = replace(CLEAR, sizes=(5, 4, 3), gap_between=0.5, gap_nearest=0.1)
    assert "its two nearest clusters, 0.1 nats" in shortcomings(evidence, RULE)[0]


def test_models_no_better_than_chance_are_not_divided():
    rule = replace(RULE, chance_headroom=-0.01)
    assert "no better than chance" in shortcomings(CLEAR, rule)[0]
    assert relative(0.5, rule) is None


def test_decision_of_two_clusters():
    assert decision(CLEAR, RULE, 999) == (
        "Two clusters: the held-out silhouette, 0.85, is rare among 999 permuted gap matrices "
        "(p = 0.001), and the mean held-out gap is 0.09 nats within clusters and 0.83 nats "
        "between them, 120% of the way to chance."
    )


def test_decision_of_one_cluster_names_every_failed_condition():
    evidence = replace(CLEAR, silhouette=0.31, p_value=0.2, gap_between=0.11, gap_nearest=0.11)
    assert decision(evidence, RULE, 999) == (
        "One cluster: of the best division, into 9 and 3 models, its held-out silhouette, 0.31, "
        "is not rare among permuted gap matrices (p = 0.2, more than 0.05) and the mean held-out "
        "gap between its clusters, 0.11 nats, is 16% of the way to chance, less than 25%."
    )


def test_mean_gaps_are_over_pairs_of_models():
    gaps = np.array([[0, 1, 4, 8], [1, 0, 6, 8], [4, 6, 0, 8], [8, 8, 8, 0]], dtype=float)
    within, between, nearest = gaps_of(gaps, np.array([0, 0, 1, 2]))
    assert (within, between, nearest) == (1.0, pytest.approx(34 / 5), 5.0)


def test_mean_gaps_over_no_pairs_are_undefined():
    within, between, nearest = gaps_of(np.zeros((1, 1)), np.array([0]))
    assert np.isnan([within, between, nearest]).all()
