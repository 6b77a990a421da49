from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import SpectralClustering
from sklearn.metrics import adjusted_rand_score, silhouette_score

from lmc_track.analysis.partition import (
    affinity,
    cluster_sizes,
    median_gap,
    partition,
    silhouette,
    spectral_embedding,
)
from support.planted_gaps import noise, planted


def divide(gaps, k):
    return partition(spectral_embedding(affinity(gaps[None], median_gap(gaps))), k)[0]


def test_affinity_is_the_published_formula():
    gaps = np.array([[0.0, 2.0], [2.0, 0.0]])
    assert affinity(gaps, 1.0)[0, 1] == pytest.approx(np.exp(-2.0))
    assert affinity(gaps, 2.0)[0, 1] == pytest.approx(np.exp(-0.5))


@pytest.mark.parametrize("delta", [0.0, -1.0, float("nan")])
def test_affinity_refuses_a_scale_that_is_not_positive(delta):
    with pytest.raises(ValueError, match="above 0"):
        affinity(np.zeros((2, 2)), delta)


def test_delta_is_the_median_of_the_gaps_that_are_not_zero():
    gaps = np.array([[0, 0, 0.2], [0, 0, 0.6], [0.2, 0.6, 0]], dtype=float)
    assert median_gap(gaps) == pytest.approx(0.4)


def test_delta_of_gaps_that_are_all_zero_is_undefined():
    assert np.isnan(median_gap(np.zeros((4, 4))))


@pytest.mark.parametrize("sizes", [[8, 8], [12, 2], [6, 5, 5], [4, 4, 4, 4], [30, 15, 5]])
def test_planted_clusters_are_found(sizes):
    gaps, _, labels = planted(sizes)
    assert adjusted_rand_score(labels, divide(gaps, len(sizes))) == 1


@pytest.mark.parametrize("sizes", [[8, 8], [11, 5], [6, 5, 5]])
def test_partition_is_that_of_scikit_learn_where_clusters_are_clear(sizes):
    gaps, _, _ = planted(sizes, within=0.15, between=0.6, seed=3)
    model = SpectralClustering(len(sizes), affinity="precomputed", random_state=0)
    theirs = model.fit_predict(affinity(gaps, median_gap(gaps)))
    assert adjusted_rand_score(theirs, divide(gaps, len(sizes))) == 1


def test_each_matrix_of_a_batch_is_divided_by_itself():
    batch = np.stack([planted([5, 4], seed=seed)[0] for seed in range(5)])
    together = partition(spectral_embedding(affinity(batch, 0.3)), 2)
    for gaps, labels in zip(batch, together, strict=True):
        alone = partition(spectral_embedding(affinity(gaps[None], 0.3)), 2)[0]
        assert np.array_equal(alone, labels)


@given(st.integers(0, 10_000), st.integers(2, 4))
def test_silhouette_is_that_of_scikit_learn(seed, k):
    gaps, _ = noise(9, seed)
    labels = np.random.default_rng(seed).permutation(np.arange(9) % k)
    expected = silhouette_score(gaps, labels, metric="precomputed")
    assert silhouette(gaps[None], labels[None], k)[0] == pytest.approx(expected)


@given(st.integers(0, 10_000), st.floats(0.01, 100))
def test_silhouette_does_not_depend_on_the_unit_of_gaps(seed, unit):
    gaps, _ = noise(7, seed)
    labels = np.array([[0, 1, 2, 0, 1, 2, 0]])
    assert silhouette(unit * gaps[None], labels, 3) == pytest.approx(
        silhouette(gaps[None], labels, 3)
    )


def test_silhouette_passes_over_numbers_that_no_model_has():
    gaps, _ = noise(6, 1)
    labels = np.array([[0, 0, 0, 2, 2, 2]])
    assert silhouette(gaps[None], labels, 4) == pytest.approx(
        silhouette(gaps[None], labels // 2, 2)
    )


def test_a_model_alone_counts_zero_in_the_silhouette():
    gaps = np.array([[0, 1, 5], [1, 0, 5], [5, 5, 0]], dtype=float)
    assert silhouette(gaps[None], np.array([[0, 0, 1]]), 2)[0] == pytest.approx((0.8 + 0.8 + 0) / 3)


def test_silhouette_of_models_that_are_all_alike_is_zero():
    assert silhouette(np.zeros((1, 4, 4)), np.array([[0, 0, 1, 1]]), 2)[0] == 0


def test_silhouette_of_one_cluster_is_minus_one():
    assert silhouette(noise(5, 0)[0][None], np.zeros((1, 5), dtype=np.int64), 2)[0] == -1


def test_cluster_sizes_count_each_number():
    assert cluster_sizes(np.array([[0, 2, 2, 0, 0]]), 3).tolist() == [[3, 0, 2]]
