"""The measures of a curve, by hand, by brute force, and by what must not change them."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmc_track.geometry.curves import (
    barrier_height,
    convexity_gap,
    convexity_gap_support,
    curve_area,
    interpolation_instability,
    relative_gap,
)

MEASURES = (barrier_height, interpolation_instability, convexity_gap, curve_area)


@st.composite
def curves(draw: st.DrawFn) -> tuple[list[float], list[float]]:
    inner = draw(st.lists(st.integers(1, 99), max_size=10, unique=True))
    alphas = [0.0, *(k / 100 for k in sorted(inner)), 1.0]
    losses = draw(st.lists(st.floats(-10, 10), min_size=len(alphas), max_size=len(alphas)))
    return alphas, losses


def test_a_bump_between_unequal_ends() -> None:
    alphas, losses = [0, 0.5, 1], [0.1, 0.9, 0.3]
    assert barrier_height(alphas, losses) == pytest.approx(0.7)
    assert interpolation_instability(alphas, losses) == pytest.approx(0.7)
    assert convexity_gap(alphas, losses) == pytest.approx(0.7)
    assert convexity_gap_support(alphas, losses) == (0.0, 0.5, 1.0)
    assert curve_area(alphas, losses) == pytest.approx(0.45)


def test_two_valleys_have_a_gap_and_no_barrier() -> None:
    alphas, losses = [0, 0.25, 0.5, 0.75, 1], [1, 0, 0.8, 0, 1]
    assert barrier_height(alphas, losses) == 0
    assert convexity_gap(alphas, losses) == pytest.approx(0.8)
    assert convexity_gap_support(alphas, losses) == (0.25, 0.5, 0.75)


def test_instability_and_barrier_differ_where_the_ends_do() -> None:
    alphas, losses = [0, 0.25, 1], [1.0, 1.0, 0.0]
    assert barrier_height(alphas, losses) == pytest.approx(0.25)
    assert interpolation_instability(alphas, losses) == pytest.approx(0.5)


def test_a_convex_curve_has_neither() -> None:
    alphas, losses = [0, 0.5, 1], [1.0, 0.2, 0.6]
    assert barrier_height(alphas, losses) == 0
    assert convexity_gap(alphas, losses) == 0
    assert convexity_gap_support(alphas, losses) is None


def test_a_gap_relates_to_what_the_ends_gained() -> None:
    entropy = math.log(2)
    assert relative_gap(0.3, [0.5, 0.5], [0.1, 0.2]) == pytest.approx(0.3 / (entropy - 0.15))
    with pytest.raises(ValueError, match="not below the entropy"):
        relative_gap(0.3, [0.5, 0.5], [0.7, 0.7])


@pytest.mark.parametrize(
    ("alphas", "losses"),
    [
        ([0, 1], [1]),
        ([0], [1]),
        ([0.1, 1], [1, 1]),
        ([0, 0.9], [1, 1]),
        ([0, 0.5, 0.5, 1], [1, 1, 1, 1]),
        ([0, 0.6, 0.4, 1], [1, 1, 1, 1]),
        ([0, 0.5, 1], [1, math.nan, 1]),
        ([0, 0.5, 1], [1, math.inf, 1]),
    ],
)
@pytest.mark.parametrize("measure", MEASURES)
def test_what_is_no_curve_is_refused(measure, alphas, losses) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=r"alphas|losses"):
        measure(alphas, losses)


@given(curves())
def test_the_gap_is_the_greatest_barrier_over_all_sub_intervals(
    curve: tuple[list[float], list[float]],
) -> None:
    alphas, losses = curve
    heights = [0.0]
    for left, middle, right in itertools.combinations(range(len(alphas)), 3):
        share = (alphas[middle] - alphas[left]) / (alphas[right] - alphas[left])
        heights.append(losses[middle] - (1 - share) * losses[left] - share * losses[right])
    assert convexity_gap(alphas, losses) == pytest.approx(max(heights), abs=1e-9)


@given(curves())
def test_the_support_gives_the_gap(curve: tuple[list[float], list[float]]) -> None:
    alphas, losses = curve
    support = convexity_gap_support(alphas, losses)
    if support is not None:
        value = dict(zip(alphas, losses, strict=True))
        left, middle, right = support
        share = (middle - left) / (right - left)
        chord = (1 - share) * value[left] + share * value[right]
        assert value[middle] - chord == pytest.approx(convexity_gap(alphas, losses), abs=1e-9)


@given(curves())
def test_the_barrier_is_at_most_the_gap(curve: tuple[list[float], list[float]]) -> None:
    assert barrier_height(*curve) <= convexity_gap(*curve) + 1e-9


@given(curves(), st.floats(-5, 5), st.floats(-5, 5))
def test_adding_a_line_changes_neither(
    curve: tuple[list[float], list[float]], slope: float, shift: float
) -> None:
    alphas, losses = curve
    tilted = [loss + slope * alpha + shift for alpha, loss in zip(alphas, losses, strict=True)]
    for measure in (barrier_height, convexity_gap):
        assert measure(alphas, tilted) == pytest.approx(measure(alphas, losses), abs=1e-9)


@given(curves())
def test_walking_the_path_backwards_changes_nothing(
    curve: tuple[list[float], list[float]],
) -> None:
    alphas, losses = curve
    back = [1 - alpha for alpha in reversed(alphas)]
    back[0], back[-1] = 0.0, 1.0
    for measure in MEASURES:
        assert measure(back, losses[::-1]) == pytest.approx(measure(alphas, losses), abs=1e-6)


@given(curves())
def test_more_points_never_lower_a_maximum(curve: tuple[list[float], list[float]]) -> None:
    alphas, losses = curve
    kept = np.r_[0, len(alphas) - 1]
    fewer = convexity_gap(np.array(alphas)[kept], np.array(losses)[kept])
    assert fewer <= convexity_gap(alphas, losses)
