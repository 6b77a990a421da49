"""The verdict on clusters: what it finds, what it must not find, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

import lmc_track
from lmc_track import find_clusters
from lmc_track.analysis.verdict.division import models_apart
from lmc_track.analysis.verdict.strength import strength
from support.planted_gaps import planted, symmetric

Floats = NDArray[np.float64]

# Validation losses of MNLI on the line between two BERTs, read off the figure of
# github.com/aNOnWhyMooS/connectivity (Juneja et al. 2023): within the larger cluster, between the
# two, and within the smaller one.
MNLI = (
    (0.4816, 0.4362, 0.4119, 0.4067, 0.4103, 0.4103, 0.4067, 0.4119, 0.4361, 0.4815),
    (0.4816, 0.4346, 0.4235, 0.4513, 0.4953, 0.5008, 0.4623, 0.4353, 0.4497, 0.5058),
    (0.5058, 0.4529, 0.4294, 0.4337, 0.4476, 0.4477, 0.4337, 0.4294, 0.4529, 0.5058),
)


def published(sizes: tuple[int, int], seed: int) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Halves of gaps with the published means, scattered by 30 %, that agree within 12 %."""
    alphas = np.linspace(0, 1, 10)
    larger, between, smaller = (lmc_track.convexity_gap(alphas, curve) for curve in MNLI)
    random = np.random.default_rng(seed)
    group = random.permutation(np.repeat([0, 1], sizes))
    first, second = np.triu_indices(len(group), 1)
    own = np.array([larger, smaller])[group[first]]
    gaps = np.where(group[first] == group[second], own, between)
    gaps = gaps * np.exp(random.normal(0, 0.3, len(gaps)))
    halves = [gaps * np.exp(random.normal(0, 0.085, len(gaps))) for _ in range(2)]
    return symmetric(halves[0], len(group)), symmetric(halves[1], len(group)), group


def cloud(n: int, dimensions: int, seed: int) -> Floats:
    """Squared distances between points of one round normal cloud."""
    places = np.random.default_rng(seed).normal(size=(n, dimensions))
    return np.square(places[:, None] - places).sum(-1)


@pytest.mark.parametrize("sizes", [(88, 12), (13, 3), (50, 50)])
def test_the_published_division_is_found_and_called_clear(sizes: tuple[int, int]) -> None:
    discovery, held_out, group = published(sizes, seed=1)
    found = find_clusters(discovery, held_out, headroom=0.69)
    assert found.n_clusters == 2
    assert adjusted_rand_score(group, found.labels) == 1
    assert np.bincount(found.labels).tolist() == list(sizes)
    assert found.statistics["separation"] == "clearly"
    assert found.statistics["share"] == pytest.approx(0.1, abs=0.03)
    assert found.decision.startswith(f"Two clusters, of {sizes[0]} and {sizes[1]} models, clearly")


def test_clouds_effects_and_accidents_are_one_cluster() -> None:
    """A fast cut of benchmarks/verdict.py."""
    random = np.random.default_rng(3)
    own = np.exp(random.normal(0, 0.7, 24)) / 20
    first, second = np.triu_indices(24, 1)
    even = np.random.default_rng(9).uniform(size=32)
    scatter = np.exp(random.normal(0, 0.3, len(first)))
    matrices = {
        "cloud of 5": cloud(32, 5, 1),
        "cloud of 1": cloud(24, 1, 2),
        "even line": np.square(even[:, None] - even),
        "cloud of 20": cloud(16, 20, 3),
        "sums": symmetric((own[first] + own[second]) * scatter, 24),
        "products": symmetric(own[first] * own[second] * scatter, 24),
        "worse of two": symmetric(np.maximum(own[first], own[second]) * scatter, 24),
        "accident": symmetric(scatter, 24),
    }
    for name, gaps in matrices.items():
        noise = symmetric(
            np.exp(random.normal(0, 0.1, len(gaps) * (len(gaps) - 1) // 2)), len(gaps)
        )
        found = find_clusters(gaps, gaps * noise, brief=True)
        assert found.n_clusters == 1, name
        assert found.decision.startswith("One cluster"), name


def test_several_clusters_are_found_as_they_are() -> None:
    discovery, held_out, group = planted([8, 6, 6, 4], within=0.09, between=0.6, spread=0.3)
    found = find_clusters(discovery, held_out)
    assert found.labels.tolist() == group.tolist()
    assert found.statistics["separation"] is None
    assert max(found.statistics["p_values"].values()) <= 0.05


def test_a_loose_minority_is_not_torn_apart() -> None:
    random = np.random.default_rng(0)
    group = np.repeat([0, 1], [44, 4])
    first, second = np.triu_indices(48, 1)
    own = np.array([0.0055, 0.03])[group[first]]
    gaps = np.where(group[first] == group[second], own, 0.07)
    gaps = gaps * np.exp(random.normal(-0.25, 0.7, len(gaps)))
    found = find_clusters(symmetric(gaps, 48), brief=True)
    assert adjusted_rand_score(group, found.statistics["best_division"]) == 1


def test_single_models_far_from_all_are_set_apart_and_the_rest_is_judged() -> None:
    discovery, held_out, group = planted([9, 7], within=0.02, between=0.3, spread=0.3)
    far = np.pad(discovery, ((0, 1), (0, 1)), constant_values=1.4)
    other = np.pad(held_out, ((0, 1), (0, 1)), constant_values=1.5)
    far[-1, -1] = other[-1, -1] = 0
    found = find_clusters(far, other)
    assert found.n_clusters == 2
    assert found.labels.tolist() == [*group.tolist(), -1]
    assert found.statistics["apart"] == [16]
    assert "One single model is far from all others and was set apart." in found.decision


def test_two_models_near_each_other_are_not_single() -> None:
    discovery, _, _ = planted([14, 2], within=0.01, between=0.3, spread=0.2)
    assert models_apart(discovery) == []


def test_the_order_of_the_models_does_not_matter() -> None:
    discovery, held_out, _ = published((13, 3), seed=4)
    order = np.random.default_rng(0).permutation(16)
    straight = find_clusters(discovery, held_out)
    shuffled = find_clusters(discovery[np.ix_(order, order)], held_out[np.ix_(order, order)])
    assert shuffled.labels.tolist() == straight.labels[order].tolist()
    assert shuffled.statistics["p_values"] == straight.statistics["p_values"]


def test_brief_says_the_same_of_clusters() -> None:
    for discovery, held_out, _ in (published((13, 3), 5), planted([12], spread=0.5)):
        whole, brief = (find_clusters(discovery, held_out, brief=b) for b in (False, True))
        assert whole.labels.tolist() == brief.labels.tolist()


def test_without_a_held_out_half_the_decision_says_what_is_weaker() -> None:
    discovery, _, group = published((13, 3), seed=2)
    found = find_clusters(discovery)
    assert adjusted_rand_score(group, found.labels) == 1
    assert found.statistics["p_noise"] is None
    assert "there is no held-out half, so noise of measurement was not tested" in found.decision


def test_a_division_that_the_held_out_half_does_not_bear_out_is_none() -> None:
    discovery, _, _ = published((13, 3), seed=2)
    _, other, _ = planted([16], within=0.02, spread=0.5, seed=9)
    found = find_clusters(discovery, other)
    assert found.n_clusters == 1
    assert found.statistics["p_noise"] > 0.05


@pytest.mark.parametrize(
    ("headroom", "words"),
    [
        (0.0, "no better than chance"),
        (-1.0, "no better than chance"),
        (0.04, "less than 0.05 nats"),
    ],
)
def test_no_share_where_models_hardly_beat_chance(headroom: float, words: str) -> None:
    discovery, held_out, _ = published((13, 3), seed=1)
    found = find_clusters(discovery, held_out, headroom=headroom)
    assert found.n_clusters == 2
    assert found.statistics["share"] is None
    assert words in found.decision


def test_the_words_of_strength_come_from_one_scale() -> None:
    gaps = symmetric(np.array([0.0, 1.0, 1.0, 1.0, 1.0, 0.0]), 4)
    labels = np.array([0, 0, 1, 1])
    assert [strength(gaps, labels, 1 / share).word for share in (0.04, 0.06, 0.49, 0.51)] == [
        "weakly", "clearly", "clearly", "wholly",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("gaps", "words"),
    [
        (np.zeros((1, 1)), "1 model is too few"),
        (cloud(3, 2, 0), "3 models are too few"),
        (np.zeros((6, 6)), "all gaps between the models are zero"),
        (1 - np.eye(6), "all gaps between the models are the same"),
    ],
)
def test_what_cannot_be_divided_is_said(gaps: Floats, words: str) -> None:
    found = find_clusters(gaps, gaps)
    assert found.n_clusters == 1
    assert set(found.labels.tolist()) == {0}
    assert words in found.decision


def _changed(row: int, column: int, value: float) -> Floats:
    gaps = cloud(5, 2, 0)
    gaps[row, column] = value
    return gaps


@pytest.mark.parametrize(
    ("gaps", "words"),
    [
        (np.zeros((0, 0)), "of no models"),
        (np.zeros((2, 3)), "square matrix"),
        (np.zeros(4), "square matrix"),
        ([[0, "a"], ["a", 0]], "matrix of numbers"),
        (_changed(1, 2, 9.0), "not symmetric"),
        (_changed(1, 2, np.nan), "1 of 10 pairs of models have no gap"),
        (_changed(1, 2, np.inf), "not finite"),
        (_changed(3, 3, 1.0), "diagonal must be 0"),
        (-cloud(5, 2, 0), "negative gaps"),
    ],
)
def test_what_is_not_a_matrix_of_gaps_is_refused(gaps: Floats, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        find_clusters(gaps)


def test_halves_of_other_models_and_an_odd_headroom_are_refused() -> None:
    with pytest.raises(ValueError, match="of 5 and 6 models"):
        find_clusters(cloud(5, 2, 0), cloud(6, 2, 0))
    with pytest.raises(ValueError, match="headroom must be a number"):
        find_clusters(cloud(5, 2, 0), headroom=float("nan"))
