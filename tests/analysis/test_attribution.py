"""The parts of an excess: they add up, averaging never loses, constants do not matter."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from lmc_track.analysis.attribution import (
    attribute,
    ensemble_curves,
    loss_of_margins,
    margins_of,
)
from lmc_track.geometry.curves import convexity_gap

Floats = NDArray[np.float64]
N = 5
LOGITS = st.integers(2, 4).flatmap(
    lambda c: st.tuples(*[arrays.arrays(np.float64, (N, c), elements=st.floats(-80, 80))] * 3)
)
LABELS = arrays.arrays(np.int64, N, elements=st.integers(0, 1))
WEIGHTS = st.floats(0.01, 0.99)


def cross_entropy(z: Floats, y: NDArray[np.int64]) -> Floats:
    """By the definition, on logits as they are."""
    top = z.max(-1, keepdims=True)
    total: Floats = np.log(np.exp(z - top).sum(-1)) + top[..., 0] - z[np.arange(len(y)), y]
    return total


@given(LOGITS, LABELS, WEIGHTS)
def test_the_parts_add_up_to_the_excess_over_the_chord(z: Any, y: Any, w: float) -> None:
    parts = attribute(*z, y, w)
    left, point, right = (cross_entropy(values, y) for values in z)
    chord = (1 - w) * left + w * right
    assert parts.departure - parts.averaging == pytest.approx(point - chord, abs=1e-9)
    assert np.array_equal(parts.excess, parts.departure - parts.averaging)


@given(LOGITS, LABELS, WEIGHTS)
def test_averaging_is_the_ends_log_sum_exp_less_the_ensembles(z: Any, y: Any, w: float) -> None:
    left, _, right = z
    ends = (1 - w) * _lse(left) + w * _lse(right)
    plain = ends - _lse((1 - w) * left + w * right)
    assert attribute(*z, y, w).averaging == pytest.approx(plain, abs=1e-12)


@given(LOGITS, LABELS, WEIGHTS)
def test_averaging_never_loses(z: Any, y: Any, w: float) -> None:
    """Below zero there is nothing but rounding, before it is cut off too."""
    left, _, right = z
    margins_l, margins_r = margins_of(left, y), margins_of(right, y)
    ensemble = loss_of_margins((1 - w) * margins_l + w * margins_r)
    gain = (1 - w) * loss_of_margins(margins_l) + w * loss_of_margins(margins_r) - ensemble
    assert gain.min() >= -1e-12
    assert attribute(*z, y, w).averaging.min() >= 0


@given(LOGITS, LABELS, WEIGHTS, st.tuples(*[st.floats(-80, 80)] * 3))
def test_constants_added_to_logits_change_neither_part(
    z: Any, y: Any, w: float, constants: tuple[float, float, float]
) -> None:
    plain = attribute(*z, y, w)
    moved = attribute(*(values + k for values, k in zip(z, constants, strict=True)), y, w)
    assert moved.departure == pytest.approx(plain.departure, abs=1e-9)
    assert moved.averaging == pytest.approx(plain.averaging, abs=1e-9)


@given(LOGITS, LABELS, WEIGHTS)
def test_averaging_is_the_ends_mean_divergence_from_the_ensemble(z: Any, y: Any, w: float) -> None:
    left, _, right = z
    mean = (1 - w) * left + w * right
    log_p = mean - _lse(mean)[:, None]
    divergence = sum(
        share * (np.exp(log_p) * (log_p - end + _lse(end)[:, None])).sum(-1)
        for share, end in ((1 - w, left), (w, right))
    )
    assert attribute(*z, y, w).averaging == pytest.approx(divergence, abs=1e-9)


@given(LOGITS, LABELS, WEIGHTS)
def test_where_logits_are_linear_nothing_departs(z: Any, y: Any, w: float) -> None:
    left, _, right = z
    parts = attribute(left, (1 - w) * left + w * right, right, y, w)
    assert parts.departure == pytest.approx(0, abs=1e-9)


@given(LOGITS, LABELS)
def test_a_logit_ensemble_has_no_gap(z: Any, y: Any) -> None:
    alphas = np.linspace(0, 1, 7)
    margins = np.stack([margins_of(values, y) for values in z])
    pairs = np.array([[0, 1], [1, 2]])
    for curve in ensemble_curves(margins, pairs, alphas, [np.full(N, True)])[:, 0]:
        assert convexity_gap(alphas, curve) <= 1e-12


def test_an_ensembles_curve_is_by_parts_of_the_examples() -> None:
    """Margins ±ln 3 on the first example average to 0 halfway, and to ln 3 on the second."""
    ln3 = math.log(3)
    logits = np.array([[[ln3, 0], [0, ln3]], [[-ln3, 0], [0, ln3]]])
    margins = margins_of(logits, np.array([0, 1]))
    parts = [np.array([True, True]), np.array([True, False]), np.array([False, False])]
    curve = ensemble_curves(margins, np.array([[0, 1]]), [0, 0.5, 1], parts)[0]
    sure, even, wrong = math.log(4 / 3), math.log(2), math.log(4)
    assert curve[0] == pytest.approx([sure, (even + sure) / 2, (wrong + sure) / 2])
    assert curve[1] == pytest.approx([sure, even, wrong])
    assert np.isnan(curve[2]).all()


def test_pairs_are_taken_in_blocks_without_a_seam() -> None:
    random = np.random.default_rng(0)
    logits, y = random.normal(0, 3, (4, 40_000, 2)), random.integers(0, 2, 40_000)
    pairs = np.array([[0, 1], [0, 2], [0, 3], [2, 3]])
    curves = ensemble_curves(margins_of(logits, y), pairs, [0.5], [np.full(len(y), True)])
    for (a, b), curve in zip(pairs, curves, strict=True):
        mean = cross_entropy((logits[a] + logits[b]) / 2, y).mean()
        assert curve[0, 0] == pytest.approx(mean, abs=1e-12)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_logit_that_is_not_finite_leaves_only_its_example_unknown(value: float) -> None:
    z = np.zeros((3, 2, 2))
    z[1, 0, 1] = value
    y = np.array([0, 1])
    parts = attribute(z[0], z[1], z[2], y, 0.5)
    assert np.isnan(parts.departure).tolist() == [True, False]
    assert np.isnan(parts.averaging).tolist() == [True, False]
    curve = ensemble_curves(margins_of(z, y), np.array([[0, 1], [0, 2]]), [0.5], [y < 2])
    assert np.isnan(curve[:, 0, 0]).tolist() == [True, False]


def test_many_paths_have_a_weight_each() -> None:
    random = np.random.default_rng(0)
    z, y, w = random.normal(0, 2, (3, 4, 6, 3)), random.integers(0, 3, 6), np.linspace(0.1, 0.9, 4)
    together = attribute(*z, y, w)
    for k in range(4):
        alone = attribute(z[0, k], z[1, k], z[2, k], y, w[k])
        assert np.array_equal(together.departure[k], alone.departure)
        assert np.array_equal(together.averaging[k], alone.averaging)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weight": 0.0}, "strictly between 0 and 1"),
        ({"weight": math.nan}, "strictly between 0 and 1"),
        ({"weight": np.full(3, 0.5)}, "weights must have the shape"),
        ({"labels": np.array([0, 2])}, "labels must lie between 0 and 1"),
        ({"labels": np.array([0, -1])}, "labels must lie between 0 and 1"),
        ({"labels": np.array([0])}, "need labels"),
        ({"point": np.zeros((2, 3))}, "logits of one shape"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, Any], message: str) -> None:
    ends = np.zeros((2, 2))
    given = {"left": ends, "point": ends, "right": ends, "labels": np.array([0, 1]), "weight": 0.5}
    with pytest.raises(ValueError, match=message):
        attribute(**{**given, **change})


def _lse(z: Floats) -> Floats:
    top = z.max(-1)
    total: Floats = top + np.log(np.exp(z - top[..., None]).sum(-1))
    return total
