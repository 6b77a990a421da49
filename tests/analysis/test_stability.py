from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from lmc_track.analysis.stability import adjusted_rand, by_examples, by_models, divide
from support.planted_gaps import noise, planted

labellings = st.integers(1, 12).flatmap(
    lambda n: st.tuples(*[st.lists(st.integers(0, 3), min_size=n, max_size=n)] * 2)
)


@given(labellings)
def test_the_adjusted_rand_index_is_that_of_scikit_learn(pair):
    one, other = (np.array([labels]) for labels in pair)
    expected = adjusted_rand_score(*pair)
    assert adjusted_rand(one, other) == pytest.approx([expected])


def test_a_clear_division_stays_when_models_are_left_out():
    gaps, _, labels = planted([7, 5])
    found = by_models(gaps, labels, 2, 50, [0])
    assert (found.mean, found.low) == (1, 1)
    assert np.array_equal(found.together, (labels[:, None] == labels).astype(float))


def test_a_division_of_noise_does_not_stay():
    gaps, _ = noise(12, 3)
    labels = divide(gaps[None], 3)[0]
    found = by_models(gaps, labels, 3, 50, [0])
    assert found.low < 0.5
    assert found.low <= found.mean < 0.9


@pytest.mark.parametrize(("n", "k", "ways"), [(4, 2, 4), (7, 2, 7), (8, 3, 28), (30, 4, 40)])
def test_a_fifth_of_the_models_is_left_out_in_every_way_or_in_so_many(n, k, ways):
    gaps, _ = noise(n, 0)
    labels = divide(gaps[None], k)[0]
    assert by_models(gaps, labels, k, 40, [0]).rand.shape == (ways,)


def test_as_many_models_stay_as_there_are_clusters():
    gaps, _ = noise(10, 0)
    labels = divide(gaps[None], 8)[0]
    assert np.isfinite(by_models(gaps, labels, 8, 20, [0]).mean)


def test_pairs_that_were_never_together_in_a_resample_are_unknown():
    gaps, _, labels = planted([12, 8])
    found = by_models(gaps, labels, 2, 1, [0])
    assert np.isnan(found.together).any()
    assert (np.diag(found.together)[~np.isnan(np.diag(found.together))] == 1).all()


def test_shares_count_the_resamples_with_both_models():
    divisions = np.array([[0, 0, 1, 1], [0, 1, 1, 0], [1, 1, 0, 0], [0, 0, 0, 1]])
    found = by_examples(divisions, np.array([0, 0, 1, 1]))
    assert found.together[0].tolist() == [1, 0.75, 0.25, 0.25]
    assert np.array_equal(found.together, found.together.T)
    assert found.rand == pytest.approx([1, adjusted_rand_score([0, 1, 1, 0], [0, 0, 1, 1]), 1, 0])


def test_gaps_that_are_zero_are_one_cluster():
    assert divide(np.zeros((2, 5, 5)), 2).tolist() == [[0] * 5] * 2
