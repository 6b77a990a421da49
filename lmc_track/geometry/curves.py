"""Measures of the loss along a path, from its values at the points of a grid.

A curve is two equally long sequences: ``alphas``, strictly increasing from 0 to 1, and
``losses``, finite. Whatever else raises ``ValueError``. Results are in the unit of ``losses``
(nats for a loss, a fraction for an error) unless said otherwise; heights below 1e-12 are rounding
and count as 0. The warehouse computes the same measures in SQL
(``queries/views/curve_measures.sql``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_ROUNDING = 1e-12


def barrier_height(alphas: ArrayLike, losses: ArrayLike) -> float:
    """Greatest height of the curve above the chord of its endpoints, at least 0.

    max over α of L(α) − [(1 − α) L(0) + α L(1)] (Entezari et al. 2022; Juneja et al. 2023).
    """
    alpha, loss = _curve(alphas, losses)
    chord = (1 - alpha) * loss[0] + alpha * loss[-1]
    return _height(np.max(loss - chord))


def interpolation_instability(alphas: ArrayLike, losses: ArrayLike) -> float:
    """Greatest height of the curve above the mean of its endpoints, at least 0.

    max over α of L(α) − ½ [L(0) + L(1)] (Frankle et al. 2020).
    """
    _, loss = _curve(alphas, losses)
    return _height(np.max(loss) - (loss[0] + loss[-1]) / 2)


def convexity_gap(alphas: ArrayLike, losses: ArrayLike) -> float:
    """Greatest barrier height over all sub-intervals of the path (Juneja et al. 2023).

    Equal to the greatest height of the curve above its lower convex hull: the lowest chord
    that spans a point is the hull's edge above or below it.
    """
    alpha, loss = _curve(alphas, losses)
    return _height(np.max(loss - _hull(alpha, loss)))


def convexity_gap_support(
    alphas: ArrayLike, losses: ArrayLike
) -> tuple[float, float, float] | None:
    """Where the convexity gap is taken: ``(l, alpha, r)``, the chord from l to r, height at alpha.

    ``None`` where the curve is convex and there is no gap. Of equal heights, the smallest alpha.
    """
    alpha, loss = _curve(alphas, losses)
    height = loss - _hull(alpha, loss)
    top = int(np.argmax(height))
    if _height(height[top]) == 0:
        return None
    vertices = _lower_hull(alpha, loss)
    right = int(np.searchsorted(vertices, top))
    return float(alpha[vertices[right - 1]]), float(alpha[top]), float(alpha[vertices[right]])


def curve_area(alphas: ArrayLike, losses: ArrayLike) -> float:
    """Area between the curve and its own minimum, by the trapezoid rule over α."""
    alpha, loss = _curve(alphas, losses)
    return float(np.trapezoid(loss - loss.min(), alpha))


def relative_gap(
    gap: float, label_distribution: ArrayLike, endpoint_losses: Sequence[float]
) -> float:
    """``gap`` as a share of what the endpoints gained over knowing only the labels' frequencies.

    gap / (entropy of the label distribution − mean endpoint loss), all in nats; no unit.
    ``label_distribution`` holds shares that sum to 1, ``endpoint_losses`` the two losses at
    α = 0 and α = 1. ``ValueError`` where the endpoints are no better than the labels'
    frequencies: there is nothing to relate the gap to.
    """
    share = np.asarray(label_distribution, dtype=np.float64)
    if share.ndim != 1 or not np.all(share >= 0) or abs(share.sum() - 1) > 1e-9:
        raise ValueError("the label distribution must be shares, none negative, that sum to 1")
    ends = np.asarray(endpoint_losses, dtype=np.float64)
    if ends.shape != (2,) or not np.all(np.isfinite(ends)):
        raise ValueError("two finite endpoint losses are needed")
    if not np.isfinite(gap) or gap < 0:
        raise ValueError("a gap is finite and not negative")
    present = share[share > 0]
    headroom = float(-np.sum(present * np.log(present)) - ends.mean())
    if headroom <= 0:
        raise ValueError("the endpoints' mean loss is not below the entropy of the labels")
    return gap / headroom


def _curve(alphas: ArrayLike, losses: ArrayLike) -> tuple[Floats, Floats]:
    alpha = np.asarray(alphas, dtype=np.float64)
    loss = np.asarray(losses, dtype=np.float64)
    if alpha.ndim != 1 or alpha.shape != loss.shape:
        raise ValueError(f"as many losses as alphas are needed, got {loss.shape}, {alpha.shape}")
    if len(alpha) < 2 or alpha[0] != 0 or alpha[-1] != 1 or not np.all(np.diff(alpha) > 0):
        raise ValueError("alphas must increase strictly from 0 to 1")
    if not np.all(np.isfinite(loss)):
        raise ValueError("losses must be finite")
    return alpha, loss


def _height(difference: np.float64) -> float:
    return float(difference) if difference > _ROUNDING else 0.0


def _lower_hull(alpha: Floats, loss: Floats) -> list[int]:
    """Indices of the lower convex hull's vertices, from left to right (Jarvis 1973).

    From each vertex the chord to the next one is the flattest; of equally flat chords the
    longest, so that a straight piece is one edge.
    """
    vertices = [0]
    while vertices[-1] < len(alpha) - 1:
        last = vertices[-1]
        slopes = (loss[last + 1 :] - loss[last]) / (alpha[last + 1 :] - alpha[last])
        vertices.append(int(len(alpha) - 1 - np.argmin(slopes[::-1])))
    return vertices


def _hull(alpha: Floats, loss: Floats) -> Floats:
    """The lower convex hull's value at every alpha."""
    vertices = np.array(_lower_hull(alpha, loss))
    slopes = np.diff(loss[vertices]) / np.diff(alpha[vertices])
    # The edge that ends at a vertex starts after the one before it.
    edge = np.searchsorted(vertices, np.arange(len(alpha))) - 1
    edge[0] = 0
    left = vertices[edge]
    value: Floats = loss[left] + slopes[edge] * (alpha - alpha[left])
    value[vertices] = loss[vertices]
    return value
