"""Bounds of convexity gaps for the examples that might have been drawn instead.

Given are the losses of n examples along p paths of K points. The gap of a path is that of its
mean curve; asked is where the gap of the expected curve is. ``docs/uncertainty.md`` derives the
bounds and says what they rest on. Knows arrays, not where they come from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lmc_track.analysis.contrasts import (
    ROUNDING,
    Contrasts,
    Lines,
    greatest_contrasts,
    upper_lines,
    weights,
)
from lmc_track.analysis.multipliers import Signs, Units, max_t, means, random_signs

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

LEVEL = 0.95
DRAWS = 1000
KEPT_DRAWS = 100
FEWEST_UNITS = 20
"""Units that a half must have: with fewer, neither bound can be relied on."""

_SEED = 0
_VALUES_AT_ONCE = 1 << 18


@dataclass(frozen=True)
class GapBounds:
    """Bounds of p gaps, in nats; arrays are (p,) unless said otherwise.

    ``paths``: which of the given paths these are; a path with a loss that is not finite has
    none. ``contrast``: (p, 3), the places l, k, r on the grid that were chosen on the discovery
    half, −1 where the curve is convex there. ``estimate`` and ``standard_error``: that contrast
    on the held-out half, NaN where there is none. ``lower``, ``upper``: each holds with
    probability ``level``. ``lines``: the greatest gap within a band of t standard errors, as a
    function of t. ``draws``: (p, ``KEPT_DRAWS``), the greatest of ``n_draws`` draws of max |t|,
    falling. ``n_uncertain``: points strictly between the ends whose height has an error.
    ``n_units``: units of all examples, ``n_held_out_units`` of the held-out ones.
    """

    paths: Integers
    contrast: Integers
    estimate: Floats
    standard_error: Floats
    lower: Floats
    upper: Floats
    lines: Lines
    draws: NDArray[np.float32]
    n_uncertain: Integers
    n_units: int
    n_held_out_units: int
    n_draws: int
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
    """Bounds of the gaps of p paths, whose curves are ``losses[runs[i]]``, (K, n) each.

    ``alphas``: (K,), increasing from 0 to 1. ``losses``: (r, n) in nats. ``runs``: (p, K).
    ``held_out``: (n,), the half of each example, and ``units``: (n,), what it is drawn with; a
    unit lies in one half. The same input gives the same bounds, bit by bit.

    None where there is nothing to bound: no path with finite losses, no point between the
    ends, or fewer than ``FEWEST_UNITS`` units in a half.
    """
    halves = (Units.of(units[~held_out]), Units.of(units[held_out]))
    if len(alphas) < 3 or min(len(half) for half in halves) < FEWEST_UNITS:
        return None
    finite = np.all(np.isfinite(losses), axis=1, keepdims=True)[:, 0]
    paths = np.flatnonzero(finite[runs].all(axis=1))
    if not len(paths):
        return None
    curves = _Curves(alphas, losses, runs[paths])
    chosen = _discovered(curves, ~held_out)
    estimate, error = _held_out(curves, chosen, held_out, halves[1])
    everyone = Units.of(units)
    band = _band(curves, everyone, random_signs(draws, len(everyone), _SEED), level)
    lower = estimate - student_quantile(level, len(halves[1]) - 1) * error
    return GapBounds(
        paths=paths,
        contrast=np.where(
            np.isnan(estimate)[:, None], -1, np.stack([chosen.left, chosen.point, chosen.right], 1)
        ),
        estimate=estimate,
        standard_error=error,
        lower=np.fmax(lower, 0.0),
        upper=np.maximum(band.lines.at(band.critical), 0.0),
        lines=band.lines,
        draws=band.draws,
        n_uncertain=band.n_uncertain,
        n_units=len(everyone),
        n_held_out_units=len(halves[1]),
        n_draws=draws,
        level=level,
    )


def student_quantile(level: float, df: int) -> float:
    """The ``level`` quantile of Student's t with ``df`` degrees of freedom."""
    from scipy.special import stdtrit

    return float(stdtrit(df, level))


@dataclass(frozen=True)
class _Curves:
    alphas: Floats
    losses: NDArray[np.float32]
    runs: Integers

    def __len__(self) -> int:
        return len(self.runs)

    def parts(self, points: int) -> list[slice]:
        """Paths so few at a time that ``points`` of their curves fit into a processor's cache."""
        step = max(_VALUES_AT_ONCE // (points * self.losses.shape[1]), 1)
        return [slice(start, start + step) for start in range(0, len(self), step)]


@dataclass(frozen=True)
class _Band:
    lines: Lines
    draws: NDArray[np.float32]
    critical: Floats
    n_uncertain: Integers


def _discovered(curves: _Curves, discovery: NDArray[np.bool_]) -> Contrasts:
    """The contrast that each path's gap is taken at on the discovery half."""
    step = max(_VALUES_AT_ONCE // curves.losses.shape[1], 1)
    parts = range(0, len(curves.losses), step)
    mean = np.concatenate(
        [curves.losses[k : k + step, discovery].mean(1, dtype=np.float64) for k in parts]
    )
    return greatest_contrasts(curves.alphas, mean[curves.runs])


def _held_out(
    curves: _Curves, chosen: Contrasts, held_out: NDArray[np.bool_], units: Units
) -> tuple[Floats, Floats]:
    """The mean of the chosen contrasts on the held-out half and its standard error, each (p,)."""
    losses = curves.losses
    rows = np.arange(len(curves))
    left, point, right = (
        curves.runs[rows, place] for place in (chosen.left, chosen.point, chosen.right)
    )
    w = weights(curves.alphas, chosen.left, chosen.point, chosen.right)[:, None]
    estimate, error = np.full(len(curves), np.nan), np.full(len(curves), np.nan)
    for part in curves.parts(1):
        values = losses[point[part]].astype(np.float64)
        values -= (1 - w[part]) * losses[left[part]] + w[part] * losses[right[part]]
        sample = means(values[:, held_out], units, ROUNDING)
        estimate[part], error[part] = sample.mean, sample.standard_error
    convex = chosen.value <= ROUNDING
    estimate[convex] = error[convex] = np.nan
    return estimate, error


def _band(curves: _Curves, units: Units, signs: Signs, level: float) -> _Band:
    """A band about every curve's heights above the chord of its own endpoints."""
    p, size = curves.runs.shape
    heights, errors = np.zeros((p, size)), np.zeros((p, size))
    n_draws = signs.shape[1]
    n_kept = min(KEPT_DRAWS, n_draws)
    draws = np.empty((p, n_kept), dtype=np.float32)
    critical = np.empty(p)
    rank = int((n_draws + 1) * (1 - level) + 1e-9)
    for part in curves.parts(size - 2):
        sample = means(_heights(curves, part), units, ROUNDING)
        heights[part, 1:-1], errors[part, 1:-1] = sample.mean, sample.standard_error
        drawn = -np.sort(-max_t(sample, signs), axis=1)
        draws[part] = drawn[:, :n_kept]
        critical[part] = drawn[:, rank - 1] if rank else np.inf
    return _Band(upper_lines(curves.alphas, heights, errors), draws, critical, (errors > 0).sum(1))


def _heights(curves: _Curves, part: slice) -> Floats:
    """Heights (p, K − 2, n) of each example above the chord of its own endpoints.

    Adding a linear function to an example's curve changes no contrast, so nothing is lost, and
    what the examples differ in at both ends goes.
    """
    alpha = curves.alphas[1:-1, None]
    runs = curves.runs[part]
    values = curves.losses[runs[:, 1:-1]].astype(np.float64)
    values -= (1 - alpha) * curves.losses[runs[:, :1]] + alpha * curves.losses[runs[:, -1:]]
    return values
