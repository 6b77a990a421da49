"""Where to look next at a path whose loss is known at some points: an adaptive grid.

The loss is smooth along a path, so a cubic spline through the known points says where the
convexity gap is probably taken: a peak above a chord between two lower points. The next point
goes to the peak while the points about it are far apart, and then to where the chord's ends or
the peak are known least. There is none when spline and points agree on the gap. A spline that
overshoots suggests points where there is nothing: they are measured, and correct it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmc_track.geometry.curves import convexity_gap, convexity_gap_support

Floats = NDArray[np.float64]

# Refined points lie on k/120, which has the points of the usual grids among its own.
_LATTICE = np.arange(121) / 120
# A peak between points farther apart than this can be missed by points and spline alike.
_WIDEST = 0.15
_NARROWEST = 0.025
# Nats. Gaps below are of no interest, however large a share of them is unknown.
_LEAST_CHANGE = 5e-4
# Where a chord ends matters less than where the curve is highest above it.
_WEIGHT_OF_ENDS = 0.5


def next_alpha(alphas: ArrayLike, losses: ArrayLike, tolerance: float) -> float | None:
    """The alpha at which one more loss says most about the convexity gap, or None.

    ``alphas`` and ``losses`` (nats) as for ``convexity_gap``; at least three. ``tolerance`` is
    the share of the gap by which the spline may differ from the points.

    Raises:
        ValueError: fewer than three points, or no curve.
    """
    from scipy.interpolate import CubicSpline

    known = np.asarray(alphas, dtype=np.float64)
    if len(known) < 3:
        raise ValueError(f"an adaptive grid begins with at least 3 points, got {len(known)}")
    guessed = CubicSpline(known, np.asarray(losses, dtype=np.float64))(_LATTICE)
    support = convexity_gap_support(_LATTICE, guessed)
    expected = convexity_gap(_LATTICE, guessed)
    if support is None or expected <= _LEAST_CHANGE:
        return None
    left, top, right = (_inside(known, guessed, alpha) for alpha in support)
    if top.width > _WIDEST:
        return top.alpha
    if abs(expected - convexity_gap(alphas, losses)) <= max(tolerance * expected, _LEAST_CHANGE):
        return None
    best = max((top, left, right), key=lambda at: at.width * (1 if at is top else _WEIGHT_OF_ENDS))
    return best.alpha if best.width > _NARROWEST else None


@dataclass(frozen=True)
class _Place:
    """A place on the lattice between two neighbouring points that are ``width`` apart."""

    alpha: float
    width: float


def _inside(known: Floats, guessed: Floats, alpha: float) -> _Place:
    """A place near ``alpha`` well between known points; the chord's ends may be none.

    Where ``alpha`` is a known point, it lies on the side where the spline is higher.
    """
    at = int(np.searchsorted(known, alpha))
    if known[at] == alpha:
        if at in (0, len(known) - 1):
            return _Place(alpha, 0.0)
        middles = (known[at - 1] + alpha) / 2, (alpha + known[at + 1]) / 2
        before, after = np.interp(middles, _LATTICE, guessed)
        at += int(after > before)
    low, high = known[at - 1], known[at]
    margin = (high - low) / 4
    return _Place(round(120 * min(max(alpha, low + margin), high - margin)) / 120, high - low)
