from __future__ import annotations

import numpy as np
import pytest

from lmc_track.analysis.clustering import spectral
from lmc_track.analysis.noise import contrast, noise_p, null_contrasts
from support.planted_gaps import HEADROOM, planted
from support.planted_losses import gaps_of, planted_losses


def cluster(losses, **options):
    options = {"chance_headroom": HEADROOM, "permutations": 99, "resamples": 99, **options}
    return spectral(gaps_of(losses[0]), gaps_of(losses[1]), losses=losses, **options)


def test_the_contrast_is_between_minus_within():
    gaps, _, labels = planted([3, 2])
    same = labels[:, None] == labels
    upper = np.triu(np.ones_like(same), 1)
    expected = gaps[upper & ~same].mean() - gaps[upper & same].mean()
    assert contrast(gaps[None], labels[None]) == pytest.approx([expected])


def test_p_counts_those_that_reach_it():
    assert noise_p(0.2, np.array([0.1, 0.2, 0.3, -np.inf])) == 3 / 5


def test_null_gaps_that_are_zero_reach_nothing():
    assert null_contrasts(np.zeros((3, 5, 5)), np.zeros((3, 5, 5)), 4).tolist() == [-np.inf] * 3


def test_flat_paths_are_divided_no_better_than_noise_divides_them():
    values = [cluster(planted_losses([8], seed=s)).statistics["p_noise"] for s in range(25)]
    # 25 draws at .05: more than 5 has probability .001.
    assert sum(p <= 0.05 for p in values) <= 5
    assert 0.3 < np.mean(values) < 0.7


def test_planted_gaps_are_more_than_noise():
    found = cluster(planted_losses([5, 4], within=0.05, between=0.8))
    assert found.statistics["p_noise"] == 1 / 100
    assert found.labels.tolist() == [0] * 5 + [1] * 4
    assert "noise of measurement does not explain it (p = 0.01)" in found.statistics["decision"]


def test_gaps_within_the_noise_are_no_clusters():
    """Halves that agree by chance: the discovery half, taken for the held-out one too."""
    discovery, _ = planted_losses([8], noise=3.0, seed=3)
    found = cluster((discovery, discovery), significance=0.04, least_relative_gap=0.0)
    assert found.n_clusters == 1
    assert found.statistics["p_noise"] > 0.04
    assert "noise of measurement alone makes such gaps" in found.statistics["decision"]


def test_without_losses_nothing_is_said_of_noise():
    found = spectral(*planted([5, 4])[:2], chance_headroom=HEADROOM, permutations=99)
    assert found.n_clusters == 2
    assert found.statistics["p_noise"] is None
    assert "noise" not in found.statistics["decision"]


def test_a_single_unit_of_examples_cannot_be_resampled():
    losses = planted_losses([5, 4], within=0.05, between=0.8, examples=2)
    found = cluster(losses)
    assert found.statistics["p_noise"] is None
    assert found.statistics["stability_examples"] is None
    assert found.together_by_examples is None
