"""Bounds of error gaps: of means of differences between examples that are right or wrong.

Where no example of n is wrong the estimated variance is 0 and says nothing, while as many as
3 in n may be wrong in truth. So what may have been missed is counted in events: with x events
seen, more than x + excess(x) are expected with a probability of at most the tail, the exact limit
of a Poisson mean (Garwood 1936), which is slightly wider than the binomial one of Clopper and
Pearson (1934). ``docs/uncertainty.md`` says how signed and fractional events become whole ones.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lmc_track.analysis.curves_of_examples import Curves, Uppers
from lmc_track.analysis.multipliers import Units

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_STEPS = 8
"""Squares are rounded up to multiples of 1/8 in their root, in events."""


def excess(events: Floats, tails: Floats) -> Floats:
    """How many more events than were seen may be expected: (…) of both, broadcast."""
    from scipy.special import gammainccinv

    more: Floats = gammainccinv(events + 1, tails) - events
    return more


def bounded_by_counts(curves: Curves, units: Units, tails: Floats) -> Uppers:
    """Upper bounds of the gaps: the greatest of the bounds of single contrasts.

    A contrast with the sum S over n examples and the sum of squares V over units is at most

        [S + J excess(V / J²)] / n,      J = ``units.typical_size``,

    but for the tail: as though all of its squares came from units of J examples that all became
    wrong, the rest of S being no matter of chance. The gap is one of the contrasts, so the
    greatest of their bounds holds as often as that of a single one, without a correction for
    their number (an intersection-union test, Berger 1982).
    """
    n, jump = curves.values.shape[1], units.typical_size
    n_bins = int(np.ceil(_STEPS * np.sqrt(n / jump))) + 2
    events = np.square(np.arange(n_bins) / _STEPS)
    more = jump * excess(events, tails[:, None]) / n
    p = len(curves)
    bounds = np.empty((p, len(tails)))
    height, variance = np.empty(p), np.empty(p)
    means = curves.means(np.ones(n, dtype=bool))
    for part in curves.parts(curves.runs.shape[1]):
        greatest = _greatest_by_square(curves, means, part, units, n_bins)
        used = np.flatnonzero(np.isfinite(greatest).any(0))
        greatest = greatest[:, used]
        for k, of_tail in enumerate(more[:, used]):
            bounds[part, k] = (greatest + of_tail).max(1)
        limiting = (greatest + more[-1, used]).argmax(1)
        height[part] = greatest[np.arange(len(greatest)), limiting]
        variance[part] = events[used][limiting] * jump**2 / n
    return Uppers(np.minimum(bounds, 1.0), height, variance)


def lower_of_counts(values: Floats, units: Units, tails: Floats) -> Floats:
    """Lower bounds (p, t) of the means of ``values`` (p, n), one for each of ``tails`` (t,).

    Units above 0 add up to A, those below to B. With the limits of either sum, the lower one of A
    from a gamma distribution with its mean and variance (Fay and Feuer 1997) and the upper one of
    B as in ``bounded_by_counts``, the distances add up as independent errors do (Zou and Donner
    2008): A − B − √((A − lower A)² + (upper B − B)²).
    """
    n, jump = values.shape[1], units.typical_size
    sums = units.sums(values)
    above, below = np.maximum(sums, 0.0), np.maximum(-sums, 0.0)
    a, b = above.sum(1), below.sum(1)
    a_squares, b_squares = np.square(above).sum(1), np.square(below).sum(1)
    few = _missed(a, a_squares, tails)
    many = jump * _of_each(b_squares / jump**2, tails, excess)
    bounds: Floats = ((a - b)[:, None] - np.hypot(few, many)) / n
    return bounds


def _missed(a: Floats, squares: Floats, tails: Floats) -> Floats:
    """How much less than ``a`` may be expected, (p, t)."""
    from scipy.special import gammaincinv

    known = squares > 0
    scale = np.where(known, squares / np.where(known, a, 1.0), 1.0)
    lowest = scale[:, None] * _of_each(a / scale, tails, gammaincinv)
    missed: Floats = a[:, None] - np.where(known[:, None], lowest, 0.0)
    return missed


def _of_each(values: Floats, tails: Floats, function: object) -> Floats:
    """``function`` of every value and tail, (p, t), computed once for equal values."""
    different, place = np.unique(np.round(values, 9), return_inverse=True)
    found: Floats = function(different[:, None], tails)[place]  # type: ignore[operator]
    return found


def _greatest_by_square(
    curves: Curves, means: Floats, part: slice, units: Units, n_bins: int
) -> Floats:
    """The greatest mean (p, b) of the contrasts of some paths by their sums of squares.

    Sums of squares are put into bins by their root, rounded up; −∞ where a bin has none. They
    come from the second moments of the points, so that no contrast needs a pass over examples.
    """
    values = curves.values[curves.runs[part]].astype(np.float32)
    sums = units.sums(values) if len(units) < values.shape[-1] else values
    # Whole numbers below 2^24 are exact in float32, in whatever order they are added.
    moments = (sums @ sums.transpose(0, 2, 1)).astype(np.float64)
    mean, alphas = means[part], curves.alphas
    p, size = mean.shape
    rows = np.arange(p)[:, None, None]
    greatest = np.full((p, n_bins), -np.inf)
    squares = np.einsum("pkk->pk", moments)
    for k in range(1, size - 1):
        before, after = slice(0, k), slice(k + 1, size)
        w = ((alphas[k] - alphas[before])[:, None]) / (alphas[after] - alphas[before][:, None])
        u = 1 - w
        contrast = mean[:, k, None, None] - (u * mean[:, before, None] + w * mean[:, None, after])
        total = (
            squares[:, k, None, None]
            + u * (u * squares[:, before, None] - 2 * moments[:, k, before, None])
            + w * (w * squares[:, None, after] - 2 * moments[:, k, None, after])
            + 2 * (u * w) * moments[:, before, after]
        )
        roots = np.sqrt(np.maximum(total, 0.0)) * (_STEPS / units.typical_size)
        bins = np.minimum(np.ceil(roots - 1e-6).astype(np.intp), n_bins - 1)
        np.maximum.at(greatest, (rows, bins), contrast)
    return greatest
