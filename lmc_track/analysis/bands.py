"""Upper bounds of loss gaps, from a band about every mean curve (``docs/uncertainty.md``)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lmc_track.analysis.contrasts import ROUNDING, upper_lines
from lmc_track.analysis.curves_of_examples import Curves, Uppers
from lmc_track.analysis.multipliers import Units, max_t, means, random_signs

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_SEED = 0

# With fewer draws beyond t than these, how many there are is mostly chance.
_ENOUGH_DRAWS = 10


def bounded_by_bands(curves: Curves, units: Units, tails: Floats, draws: int) -> Uppers:
    """The greatest contrast that any curve within a band can have, for bands that fail with
    probabilities ``tails`` (t,)."""
    p, size = curves.runs.shape
    heights, errors = np.zeros((p, size)), np.zeros((p, size))
    width = np.empty((p, len(tails)))
    signs = random_signs(draws, len(units), _SEED)
    for part in curves.parts(size - 2):
        sample = means(_heights(curves, part), units, ROUNDING)
        heights[part, 1:-1], errors[part, 1:-1] = sample.mean, sample.standard_error
        drawn = -np.sort(-max_t(sample, signs), axis=1)
        uncertain = (errors[part] > 0).sum(1)
        width[part] = widths(drawn, uncertain, len(units) - 1, tails)
    lines = upper_lines(curves.alphas, heights, errors)
    bounds = np.stack([lines.at(t) for t in width.T], 1)
    limiting = lines.greatest(width[:, -1])
    rows = np.arange(p)
    return Uppers(
        bounds,
        lines.heights[rows, limiting],
        np.square(lines.errors[rows, limiting]) * curves.values.shape[1],
    )


def widths(drawn: Floats, uncertain: Integers, df: int, tails: Floats) -> Floats:
    """Half widths t (p, t) in standard errors of bands that fail with probabilities ``tails``.

    ``drawn``: (p, B), draws of the greatest of a band's ``uncertain`` (p,) values of |t|,
    falling. The share of draws that a band leaves out is counted, the measured curve being one
    more draw. Where fewer than ten are left out, the union bound over the points, each
    Student's with ``df`` degrees of freedom, is taken if it is narrower.
    """
    from scipy.special import stdtrit

    n_draws = drawn.shape[1]
    ranks = ((n_draws + 1) * tails + 1e-9).astype(int)
    counted = np.where(ranks > 0, drawn[:, np.clip(ranks, 1, n_draws) - 1], np.inf)
    numbers, place = np.unique(uncertain, return_inverse=True)
    each = tails / (2 * np.maximum(numbers, 1)[:, None])
    union = np.where(numbers[:, None] > 0, -stdtrit(df, np.minimum(each, 0.5)), 0.0)[place]
    if n_draws >= _ENOUGH_DRAWS:
        union = np.maximum(union, drawn[:, _ENOUGH_DRAWS - 1 : _ENOUGH_DRAWS])
    found: Floats = np.minimum(counted, union)
    return found


def _heights(curves: Curves, part: slice) -> Floats:
    """Heights (p, K − 2, n) of each example above the chord of its own endpoints.

    Adding a linear function to an example's curve changes no contrast, so nothing is lost, and
    what the examples differ in at both ends goes.
    """
    alpha = curves.alphas[1:-1, None]
    runs = curves.runs[part]
    values = curves.values[runs[:, 1:-1]].astype(np.float64)
    values -= (1 - alpha) * curves.values[runs[:, :1]] + alpha * curves.values[runs[:, -1:]]
    return values
