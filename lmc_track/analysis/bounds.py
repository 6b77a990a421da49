"""Bounds of convexity gaps for the examples that might have been drawn instead.

Given are the losses or the errors of n examples along p paths of K points. The gap of a path is
that of its mean curve; asked is where the gap of the expected curve is. ``docs/uncertainty.md``
derives the bounds and says what they rest on. Knows arrays, not where they come from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lmc_track.analysis.bands import bounded_by_bands
from lmc_track.analysis.contrasts import ROUNDING, Contrasts, greatest_contrasts, weights
from lmc_track.analysis.curves_of_examples import Curves, Uppers
from lmc_track.analysis.multipliers import Units, means
from lmc_track.analysis.rare_errors import bounded_by_counts, lower_of_counts

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

LEVEL = 0.95
DRAWS = 1000
FEWEST_UNITS = 20
"""Units that a half must have: with fewer, neither bound can be relied on."""

TAILS = 10.0 ** (-np.arange(3, 57) / 8)
"""Probabilities that a bound may fail with, eight a decade from .42 to 1e-7: p are read off the
bounds at these, and rounded up to the next."""


@dataclass(frozen=True)
class GapBounds:
    """Bounds of p gaps, in nats or as shares of examples; arrays are (p,) unless said otherwise.

    ``paths``: which of the given paths these are; a path with a loss that is not finite has
    none. ``contrast``: (p, 3), the places l, k, r on the grid that were chosen on the discovery
    half, −1 where the curve is convex there. ``estimate`` and ``standard_error``: that contrast
    on the held-out half, NaN where there is none. ``lower``, ``upper``: each holds with
    probability ``level``. ``lowers``, ``uppers``: (p, t), each holds but for ``TAILS``; lower
    ones NaN where there is no contrast.

    ``height``, ``variance``: of the contrast that limits ``upper``, its mean over all examples
    and its variance for a single example. ``jump``: examples that may all be wrong in a unit
    like which none was drawn; 0 for losses. ``n_units``: units of all ``n_examples``,
    ``n_held_out_units`` of the held-out ones.
    """

    paths: Integers
    contrast: Integers
    estimate: Floats
    standard_error: Floats
    lower: Floats
    upper: Floats
    lowers: Floats
    uppers: Floats
    height: Floats
    variance: Floats
    jump: float
    n_examples: int
    n_units: int
    n_held_out_units: int
    level: float


def gap_bounds(
    alphas: Floats,
    losses: NDArray[np.float32],
    runs: Integers,
    held_out: NDArray[np.bool_],
    units: Integers,
    *,
    level: float = LEVEL,
    draws: int = DRAWS,
) -> GapBounds | None:
    """Bounds of the loss gaps of p paths, whose curves are ``losses[runs[i]]``, (K, n) each.

    ``alphas``: (K,), increasing from 0 to 1. ``losses``: (r, n) in nats. ``runs``: (p, K).
    ``held_out``: (n,), the half of each example, and ``units``: (n,), what it is drawn with; a
    unit lies in one half. The same input gives the same bounds, bit by bit.

    None where there is nothing to bound: no path with finite losses, no point between the
    ends, or fewer than ``FEWEST_UNITS`` units in a half.
    """
    finite = np.all(np.isfinite(losses), axis=1)
    paths = np.flatnonzero(finite[runs].all(axis=1))
    if not _can_be_bounded(alphas, paths, held_out, units):
        return None
    curves = Curves(alphas, losses, runs[paths])
    everyone, held_out_units = Units.of(units), Units.of(units[held_out])
    chosen = _discovered(curves, ~held_out)
    estimate, error = _held_out(curves, chosen, held_out, held_out_units)
    df = len(held_out_units) - 1
    tails = np.append(TAILS, 1 - level)
    quantiles = np.array([student_quantile(1 - tail, df) for tail in tails])
    lowers = estimate[:, None] - quantiles * error[:, None]
    uppers = bounded_by_bands(curves, everyone, tails, draws)
    return _gathered(
        paths, chosen, estimate, error, lowers, uppers, 0.0, everyone, held_out_units, level
    )


def error_gap_bounds(
    alphas: Floats,
    errors: NDArray[np.bool_],
    runs: Integers,
    held_out: NDArray[np.bool_],
    units: Integers,
    *,
    level: float = LEVEL,
) -> GapBounds | None:
    """Bounds of the error gaps of p paths, as ``gap_bounds`` of losses: shares of examples.

    ``errors``: (r, n), which examples each run is wrong about. Errors can be so rare that none
    was drawn; what may be concluded then comes from counts, not from an estimated variance.
    """
    paths = np.arange(len(runs))
    if not _can_be_bounded(alphas, paths, held_out, units):
        return None
    curves = Curves(alphas, errors, runs)
    everyone, held_out_units = Units.of(units), Units.of(units[held_out])
    chosen = _discovered(curves, ~held_out)
    estimate, error = _held_out(curves, chosen, held_out, held_out_units)
    tails = np.append(TAILS, 1 - level)
    lowers = np.full((len(paths), len(tails)), np.nan)
    for part in curves.parts(1):
        values = _contrasts(curves, chosen, part)[:, held_out]
        lowers[part] = lower_of_counts(values, held_out_units, tails)
    lowers[np.isnan(estimate)] = np.nan
    uppers = bounded_by_counts(curves, everyone, tails)
    return _gathered(
        paths, chosen, estimate, error, lowers, uppers, everyone.typical_size, everyone,
        held_out_units, level,
    )  # fmt: skip


def student_quantile(level: float, df: int) -> float:
    """The ``level`` quantile of Student's t with ``df`` degrees of freedom."""
    from scipy.special import stdtrit

    return float(stdtrit(df, level))


def _can_be_bounded(
    alphas: Floats, paths: Integers, held_out: NDArray[np.bool_], units: Integers
) -> bool:
    halves = (Units.of(units[~held_out]), Units.of(units[held_out]))
    enough = min(len(half) for half in halves) >= FEWEST_UNITS
    return bool(len(paths)) and len(alphas) >= 3 and enough


def _discovered(curves: Curves, discovery: NDArray[np.bool_]) -> Contrasts:
    """The contrast that each path's gap is taken at on the discovery half."""
    return greatest_contrasts(curves.alphas, curves.means(discovery))


def _contrasts(curves: Curves, chosen: Contrasts, part: slice) -> Floats:
    """The chosen contrasts (p, n) of some paths, example by example."""
    rows = np.arange(len(curves))[part]
    left, point, right = (
        curves.values[curves.runs[rows, place[part]]].astype(np.float64)
        for place in (chosen.left, chosen.point, chosen.right)
    )
    w = weights(curves.alphas, chosen.left[part], chosen.point[part], chosen.right[part])[:, None]
    found: Floats = point - ((1 - w) * left + w * right)
    return found


def _held_out(
    curves: Curves, chosen: Contrasts, held_out: NDArray[np.bool_], units: Units
) -> tuple[Floats, Floats]:
    """The mean of the chosen contrasts on the held-out half and its standard error, each (p,)."""
    estimate, error = np.full(len(curves), np.nan), np.full(len(curves), np.nan)
    for part in curves.parts(1):
        sample = means(_contrasts(curves, chosen, part)[:, held_out], units, ROUNDING)
        estimate[part], error[part] = sample.mean, sample.standard_error
    convex = chosen.value <= ROUNDING
    estimate[convex] = error[convex] = np.nan
    return estimate, error


def _gathered(
    paths: Integers,
    chosen: Contrasts,
    estimate: Floats,
    error: Floats,
    lowers: Floats,
    uppers: Uppers,
    jump: float,
    everyone: Units,
    held_out_units: Units,
    level: float,
) -> GapBounds:
    """The last of the tails is that of ``level``."""
    places = np.stack([chosen.left, chosen.point, chosen.right], 1)
    return GapBounds(
        paths=paths,
        contrast=np.where(np.isnan(estimate)[:, None], -1, places),
        estimate=estimate,
        standard_error=error,
        lower=np.fmax(lowers[:, -1], 0.0),
        upper=np.maximum(uppers.bounds[:, -1], 0.0),
        lowers=lowers[:, :-1],
        uppers=np.maximum(uppers.bounds[:, :-1], 0.0),
        height=uppers.height,
        variance=uppers.variance,
        jump=jump,
        n_examples=len(everyone.order),
        n_units=len(everyone),
        n_held_out_units=len(held_out_units),
        level=level,
    )
