"""The greatest contrast of a curve, and of any curve in a band, found without listing them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lmc_track.analysis.contrasts import greatest_contrasts, upper_lines, weights
from lmc_track.geometry.curves import convexity_gap

Floats = np.ndarray
SIXTEENTHS = st.integers(-32, 32).map(lambda whole: whole / 16)


@st.composite
def bands(draw: st.DrawFn) -> tuple[Floats, Floats, Floats]:
    """alphas, heights and errors of two curves, many of them equal."""
    size = draw(st.integers(3, 8))
    inner = draw(st.sets(st.integers(1, 63), min_size=size - 2, max_size=size - 2))
    alphas = np.array([0, *sorted(inner), 64]) / 64
    heights = draw(arrays(float, (2, size), elements=SIXTEENTHS))
    errors = np.abs(draw(arrays(float, (2, size), elements=SIXTEENTHS)))
    errors[:, [0, -1]] = 0
    return alphas, heights, errors


def listed(alphas: Floats, heights: Floats, errors: Floats) -> tuple[Floats, Floats]:
    """c and s of every contrast: (p, number of triples)."""
    left, point, right = np.array(list(combinations(range(len(alphas)), 3))).T
    w = weights(alphas, left, point, right)
    c = heights[:, point] - ((1 - w) * heights[:, left] + w * heights[:, right])
    s = errors[:, point] + ((1 - w) * errors[:, left] + w * errors[:, right])
    return c, s


@settings(deadline=None)
@given(bands())
def test_the_greatest_contrast_is_the_convexity_gap(band: tuple[Floats, Floats, Floats]) -> None:
    alphas, heights, _ = band
    found = greatest_contrasts(alphas, heights)
    gaps = [convexity_gap(alphas, row) for row in heights]
    assert np.maximum(found.value, 0) == pytest.approx(gaps, abs=1e-9)


@settings(deadline=None)
@given(bands(), st.floats(0, 50))
def test_a_bands_greatest_gap_is_that_of_all_its_contrasts(
    band: tuple[Floats, Floats, Floats], t: float
) -> None:
    c, s = listed(*band)
    found = upper_lines(*band).at(np.full(2, t))
    assert found == pytest.approx((c + t * s).max(1), abs=1e-9)


@settings(deadline=None)
@given(bands(), st.floats(0, 50))
def test_the_greatest_line_is_the_one_that_bounds_the_gap(
    band: tuple[Floats, Floats, Floats], t: float
) -> None:
    lines, width = upper_lines(*band), np.full(2, t)
    at = np.arange(2), lines.greatest(width)
    assert lines.heights[at] + t * lines.errors[at] == pytest.approx(lines.at(width), abs=1e-9)


def test_of_equal_contrasts_the_first_and_widest_is_taken() -> None:
    """Both tops are 1 above 0, and the flat parts beside them could end the chord anywhere."""
    curve = np.array([[0.0, 0, 1, 0, 0, 1, 0, 0, 0]])
    found = greatest_contrasts(np.arange(9) / 8, curve)
    assert (found.left[0], found.point[0], found.right[0], found.value[0]) == (0, 2, 8, 1)


def test_three_points_have_one_contrast() -> None:
    alphas = np.array([0, 0.5, 1])
    lines = upper_lines(alphas, np.array([[0, 0.25, 0]]), np.array([[0, 0.125, 0]]))
    assert lines.heights.tolist() == [[0.25]]
    assert lines.errors.tolist() == [[0.125]]
    assert lines.at(np.array([2.0])).tolist() == [0.5]
