"""The adaptive grid finds the gap of a fine one with fewer points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmc_track.geometry.curves import convexity_gap
from lmc_track.geometry.refinement import next_alpha


def bump(alpha: np.ndarray, centre: float, width: float, height: float) -> np.ndarray:
    return 0.1 + 0.05 * alpha + height * np.exp(-(((alpha - centre) / width) ** 2) / 2)


def refined(points: int, limit: int, **shape: float) -> tuple[float, int]:
    alphas = [k / (points - 1) for k in range(points)]
    while (
        len(alphas) < points + limit
        and (alpha := next_alpha(alphas, bump(np.array(alphas), **shape), 0.01)) is not None
    ):
        alphas = sorted([*alphas, alpha])
    return convexity_gap(alphas, bump(np.array(alphas), **shape)), len(alphas)


@pytest.mark.parametrize("centre", [0.3, 0.45, 0.5, 0.61])
def test_a_peak_between_the_points_is_found(centre: float) -> None:
    shape = {"centre": centre, "width": 0.1, "height": 0.8}
    dense = convexity_gap(np.arange(101) / 100, bump(np.arange(101) / 100, **shape))
    gap, n = refined(6, 6, **shape)
    assert gap == pytest.approx(dense, rel=0.02)
    assert n <= 12


def test_a_convex_path_needs_no_more_points() -> None:
    alphas = np.arange(5) / 4
    assert next_alpha(alphas, (alphas - 0.5) ** 2, 0.01) is None
    assert next_alpha(alphas, np.full(5, 0.25), 0.01) is None


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(0, 4), min_size=3, max_size=9))
def test_a_new_point_is_new_and_between_the_ends(losses: list[float]) -> None:
    alphas = [k / (len(losses) - 1) for k in range(len(losses))]
    alpha = next_alpha(alphas, losses, 0.01)
    if alpha is not None:
        assert 0 < alpha < 1
        assert min(abs(alpha - known) for known in alphas) > 0.012


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0, 4), min_size=3, max_size=7), st.floats(0.001, 0.5))
def test_it_ends(losses: list[float], tolerance: float) -> None:
    alphas = [k / (len(losses) - 1) for k in range(len(losses))]
    values = dict(zip(alphas, losses, strict=True))
    for _ in range(130):
        known = sorted(values)
        alpha = next_alpha(known, [values[a] for a in known], tolerance)
        if alpha is None:
            return
        values[alpha] = float(np.interp(alpha, alphas, losses))
    pytest.fail("points were asked for without end")


def test_two_points_are_too_few() -> None:
    with pytest.raises(ValueError, match="at least 3 points"):
        next_alpha([0, 1], [0.1, 0.2], 0.01)
