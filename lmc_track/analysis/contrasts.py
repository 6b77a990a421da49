"""Contrasts (l, k, r) of curves: the height of a point above the chord between two others.

With w = (α_k − α_l) / (α_r − α_l) the contrast of a curve L is

    L(k) − [(1 − w) L(l) + w L(r)],     l < k < r,

and the convexity gap is the greatest of them, or 0 (Juneja et al. 2023). A curve of 101 points
has 166,650; here the greatest is found without listing them. Curves are rows of float64 arrays
(p, K), measured at ``alphas`` (K,), which increase strictly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ROUNDING = 1e-12
"""Heights in nats that are rounding and count as 0, as in ``geometry.curves``."""


@dataclass(frozen=True)
class Contrasts:
    """One contrast for each of p curves, and its value: all (p,)."""

    left: Integers
    point: Integers
    right: Integers
    value: Floats


@dataclass(frozen=True)
class Lines:
    """For each of p bands the lines ``height + t · error`` whose greatest is its upper bound.

    ``heights``, ``errors``: (p, m), by rising error; rows with fewer lines end in NaN.
    """

    heights: Floats
    errors: Floats

    def at(self, t: Floats) -> Floats:
        """The greatest line of each row at ``t`` (p,), which is not negative."""
        values = self.heights + t[:, None] * self.errors
        greatest: Floats = np.fmax.reduce(values, axis=1, initial=-np.inf)
        return greatest

    def greatest(self, t: Floats) -> Integers:
        """Which line is the greatest of each row at ``t`` (p,)."""
        values = self.heights + t[:, None] * self.errors
        place: Integers = np.where(np.isnan(values), -np.inf, values).argmax(axis=1)
        return place


def weights(alphas: Floats, left: Integers, point: Integers, right: Integers) -> Floats:
    """The share w of the right end in the chord below ``point``."""
    share: Floats = (alphas[point] - alphas[left]) / (alphas[right] - alphas[left])
    return share


def greatest_contrasts(alphas: Floats, top: Floats, bottom: Floats | None = None) -> Contrasts:
    """The greatest contrast that any curve between ``bottom`` and ``top`` (p, K) can have.

    Its point is taken from ``top``, its ends from ``bottom``; without ``bottom`` it is the
    greatest contrast of ``top`` itself. Of equal ones the smallest alpha, then the widest
    interval. K is at least 3.

    The lowest chord at a point k is the root v of

        min over l of (L(l) − v) / (α_k − α_l)  +  min over r of (L(r) − v) / (α_r − α_k),

    which falls with v; starting from the chord of the endpoints, the chord of the two minimizers
    is a lower one until it is the lowest (Dinkelbach 1967). Three or four rounds of K steps are
    enough, where listing the chords takes K².
    """
    low = top if bottom is None else bottom
    p, size = top.shape
    best = Contrasts(
        np.zeros(p, dtype=np.int64),
        np.ones(p, dtype=np.int64),
        np.full(p, size - 1, dtype=np.int64),
        np.full(p, -np.inf),
    )
    for k in range(1, size - 1):
        chord, left, right = _lowest_chord(alphas, low, k)
        height = top[:, k] - chord
        higher = height > best.value
        best.left[higher], best.right[higher] = left[higher], right[higher]
        best.point[higher], best.value[higher] = k, height[higher]
    return best


def upper_lines(alphas: Floats, heights: Floats, errors: Floats) -> Lines:
    """The bands ``heights`` ± t · ``errors`` (p, K) reduced to what bounds their gaps.

    The greatest contrast that a curve inside the band can have is, for t ≥ 0, the greatest of
    the lines c + t·s over all contrasts, with c the contrast of ``heights`` and
    s = s_k + (1 − w) s_l + w s_r. Few of them are the greatest at any t, and these are found by
    evaluating the maximum where two known ones cross, until no crossing is below it (Eisner and
    Severance 1976).
    """
    p = len(heights)
    first = _line(alphas, heights, errors, greatest_contrasts(alphas, heights))
    last = _line(alphas, heights, errors, greatest_contrasts(alphas, errors, -errors))
    everyone = np.arange(p)
    found = [(everyone, *first), (everyone, *last)]
    curve, (c_low, s_low), (c_high, s_high) = everyone, first, last
    while len(curve):
        crossing = s_high > s_low
        curve, c_low, s_low = curve[crossing], c_low[crossing], s_low[crossing]
        c_high, s_high = c_high[crossing], s_high[crossing]
        t = np.maximum((c_low - c_high) / (s_high - s_low), 0.0)
        mean, error = heights[curve], errors[curve] * t[:, None]
        greatest = greatest_contrasts(alphas, mean + error, mean - error)
        c, s = _line(alphas, mean, errors[curve], greatest)
        new = c + t * s > np.maximum(c_low + t * s_low, c_high + t * s_high) + ROUNDING
        curve, c, s = curve[new], c[new], s[new]
        found.append((curve, c, s))
        curve = np.concatenate([curve, curve])
        c_low, s_low = np.concatenate([c_low[new], c]), np.concatenate([s_low[new], s])
        c_high, s_high = np.concatenate([c, c_high[new]]), np.concatenate([s, s_high[new]])
    return _gathered(p, found)


def _lowest_chord(alphas: Floats, low: Floats, k: int) -> tuple[Floats, Integers, Integers]:
    """The lowest chord of ``low`` (p, K) over the point k, and its two ends, each (p,)."""
    size = low.shape[1]
    a, b = alphas[k] - alphas[:k], alphas[k + 1 :] - alphas[k]
    # The last of equal minimizers on the right is the widest, as the first is on the left.
    before, after, b_reversed = low[:, :k], low[:, :k:-1], b[::-1]
    rows = np.arange(len(low))
    left, right = np.zeros_like(rows), np.full_like(rows, size - 1)
    value = _chord(alphas, low, left, k, right, rows)
    beside = _chord(alphas, low, np.full_like(rows, k - 1), k, np.full_like(rows, k + 1), rows)
    value = np.minimum(value, beside)
    per_a, per_b = 1 / a, 1 / b_reversed
    while len(rows):
        v = value[rows][:, None]
        new_left = ((before - v) * per_a).argmin(1)
        new_right = size - 1 - ((after - v) * per_b).argmin(1)
        chord = _chord(alphas, low, new_left, k, new_right, rows)
        left[rows], right[rows] = new_left, new_right
        lower = chord < value[rows]
        rows = rows[lower]
        value[rows] = chord[lower]
        before, after = before[lower], after[lower]
    return value, left, right


def _chord(
    alphas: Floats, low: Floats, left: Integers, k: int, right: Integers, rows: Integers
) -> Floats:
    w = weights(alphas, left, np.full_like(left, k), right)
    start, end = low[rows, left], low[rows, right]
    chord: Floats = start + (end - start) * w
    return chord


def _line(
    alphas: Floats, heights: Floats, errors: Floats, contrast: Contrasts
) -> tuple[Floats, Floats]:
    rows = np.arange(len(heights))
    w = weights(alphas, contrast.left, contrast.point, contrast.right)
    at = (rows, contrast.point), (rows, contrast.left), (rows, contrast.right)
    c = heights[at[0]] - ((1 - w) * heights[at[1]] + w * heights[at[2]])
    s = errors[at[0]] + ((1 - w) * errors[at[1]] + w * errors[at[2]])
    return c, s


def _gathered(p: int, found: list[tuple[Integers, Floats, Floats]]) -> Lines:
    """The lines of every curve side by side, by rising error."""
    curve = np.concatenate([part[0] for part in found])
    c = np.concatenate([part[1] for part in found])
    s = np.concatenate([part[2] for part in found])
    order = np.lexsort((c, s, curve))
    curve, c, s = curve[order], c[order], s[order]
    # Where nothing crosses, the first line and the last are one and the same.
    kept = np.ones(len(curve), dtype=bool)
    kept[1:] = (np.diff(curve) != 0) | (np.diff(s) != 0) | (np.diff(c) != 0)
    curve, c, s = curve[kept], c[kept], s[kept]
    counts = np.bincount(curve, minlength=p)
    place = np.arange(len(curve)) - np.repeat(np.cumsum(counts) - counts, counts)
    shape = (p, int(counts.max(initial=0)))
    heights, errors = np.full(shape, np.nan), np.full(shape, np.nan)
    heights[curve, place], errors[curve, place] = c, s
    return Lines(heights, errors)
