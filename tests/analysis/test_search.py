from __future__ import annotations

import numpy as np

from lmc_track.analysis.partition import median_gap
from lmc_track.analysis.search import best_divisions, permutation_p
from support.planted_gaps import noise, planted, symmetric


def p_of(discovery, held_out, *, permutations=99, seed=0):
    delta = median_gap(discovery)
    best = best_divisions(discovery[None], held_out[None], delta, 4)
    return permutation_p(
        discovery,
        held_out,
        float(best.held_out_silhouette[0]),
        delta=delta,
        max_clusters=4,
        permutations=permutations,
        seed=seed,
    )


def test_the_number_of_clusters_is_chosen_on_discovery_gaps():
    discovery, held_out, _ = planted([6, 6, 6])
    other = planted([9, 9])[1]
    for second_half in (held_out, other):
        best = best_divisions(discovery[None], second_half[None], median_gap(discovery), 4)
        assert len(np.unique(best.labels[0])) == 3


def test_the_silhouette_is_that_of_held_out_gaps():
    discovery, _, _ = planted([6, 6])
    unrelated = planted([12], within=0.3, seed=9)[1]
    best = best_divisions(discovery[None], unrelated[None], median_gap(discovery), 2)
    assert best.held_out_silhouette[0] < 0.2


def test_a_model_apart_from_all_others_is_no_cluster():
    discovery, held_out, _ = planted([7, 1], within=0.1, between=0.9, spread=0.05)
    best = best_divisions(discovery[None], held_out[None], median_gap(discovery), 2)
    assert not best.found[0]
    assert best.held_out_silhouette[0] == -1


def test_a_model_apart_may_stand_beside_two_clusters():
    discovery, held_out, _ = planted([6, 5, 1], within=0.05, between=0.7, spread=0.1)
    best = best_divisions(discovery[None], held_out[None], median_gap(discovery), 4)
    assert sorted(np.bincount(best.labels[0])) == [1, 5, 6]


def test_p_is_the_least_possible_for_clear_clusters():
    discovery, held_out, _ = planted([7, 5])
    assert p_of(discovery, held_out) == 1 / 100


def test_p_is_the_same_for_the_same_seed():
    halves = noise(8, 4)
    assert p_of(*halves, seed=3) == p_of(*halves, seed=3)


def test_p_is_one_when_all_gaps_are_equal():
    gaps = symmetric(np.full(28, 0.4), 8)
    assert p_of(gaps, gaps) == 1


def test_p_of_noise_is_at_most_nominally_small():
    values = np.array([p_of(*noise(8, seed)) for seed in range(80)])
    # 80 draws at .05: 4 expected, more than 9 has probability .01.
    assert np.sum(values <= 0.05) <= 9
    assert 0.4 < values.mean() < 0.6


def test_halves_that_agree_pair_by_pair_are_no_evidence_of_clusters():
    # The same noise in both halves: a test that permuted the halves apart would reject this.
    values = np.array([p_of(gaps, gaps) for gaps in (noise(8, seed)[0] for seed in range(40))])
    assert np.sum(values <= 0.05) <= 6
