"""Labels of a set that stand for several of the model's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import logsumexp, softmax

from lmc_track.tasks.projection import Projection, projected

LABELS = ("entailment", "non-entailment")
MAX = Projection("max", LABELS, ((0,), (1, 2)))
SUM = Projection("logsumexp", LABELS, ((0,), (1, 2)))
logits = arrays(np.float32, (5, 3), elements=st.floats(-500, 500, width=32))


@given(logits)
def test_max_takes_the_larger_of_neutral_and_contradiction(z: np.ndarray) -> None:
    assert np.array_equal(MAX(z), np.stack([z[:, 0], z[:, 1:].max(1)], 1))


@given(logits)
def test_logsumexp_adds_probabilities(z: np.ndarray) -> None:
    whole = softmax(z.astype(np.float64), 1)
    assert softmax(SUM(z), 1)[:, 1] == pytest.approx(whole[:, 1] + whole[:, 2])
    assert SUM(z)[:, 1] == pytest.approx(logsumexp(z[:, 1:].astype(np.float64), 1))


@given(logits, st.floats(-50, 50))
def test_a_constant_added_to_all_logits_is_added_to_the_projected_ones(
    z: np.ndarray, constant: float
) -> None:
    for project in (MAX, SUM):
        wide = z.astype(np.float64)
        assert project(wide + constant) == pytest.approx(project(wide) + constant, abs=1e-9)


def test_logits_may_stand_in_any_order() -> None:
    z = np.array([[3.0, 1.0, 2.0]])
    other = Projection("max", LABELS, ((1,), (0, 2)))
    assert other(z).tolist() == [[1.0, 3.0]]


def test_leading_axes_are_kept() -> None:
    assert MAX(np.zeros((2, 4, 3), np.float32)).shape == (2, 4, 2)


def test_nothing_is_projected_without_a_projection() -> None:
    z = np.zeros((2, 3), np.float32)
    assert projected(z, None) is z


@pytest.mark.parametrize("groups", [((0,),), ((0,), ()), ((0, 1), (1,))])
def test_groups_that_do_not_fit_the_labels_are_refused(groups: tuple[tuple[int, ...], ...]) -> None:
    with pytest.raises(ValueError, match="label"):
        Projection("max", LABELS, groups)
