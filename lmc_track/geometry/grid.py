"""The values of alpha at which a path is measured."""

from __future__ import annotations

from collections.abc import Iterable


def common_grid(points: int) -> tuple[float, ...]:
    """``points`` equally spaced alphas from 0 to 1: k / (points - 1), by division.

    The float64 value is a point's identity, so it is always computed in this one way.
    """
    if points < 2:
        raise ValueError(f"a grid needs at least 2 points, got {points}")
    return tuple(k / (points - 1) for k in range(points))


def interior(alphas: Iterable[float]) -> tuple[float, ...]:
    """The alphas strictly between the endpoints, which are models of their own."""
    return tuple(alpha for alpha in alphas if 0 < alpha < 1)


def metric_step(alpha: float) -> int:
    """The integer step that shows ``alpha`` on a chart: round(10^4 alpha)."""
    return round(10_000 * alpha)
