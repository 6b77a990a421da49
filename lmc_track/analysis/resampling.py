"""Convexity gaps of the same paths on resampled examples.

Knows losses of single examples along paths, and which of them are resampled as a whole. It does
not know what the gaps are for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lmc_track.analysis.clustering import Floats
from lmc_track.analysis.contrasts import ROUNDING, greatest_contrasts

Integers = NDArray[np.int64]

_ENTRIES = 1 << 21
_MOST_LISTED = 40


@dataclass(frozen=True)
class PathLosses:
    """Losses of m examples, all of one half, along the p paths between n models.

    ``alphas``: (k,), from 0 to 1. ``pairs``: (p, 2), the models that each path joins, by their
    place in study order. ``runs``: (p, k), rows of ``losses`` (r, m) in nats, so that a path's
    curves are ``losses[runs[i]]``. ``units``: (m,) from 0; examples of one unit are drawn together.
    """

    n_models: int
    alphas: Floats
    pairs: Integers
    runs: Integers
    losses: NDArray[np.floating]
    units: Integers

    @property
    def n_units(self) -> int:
        return len(np.unique(self.units))


@dataclass(frozen=True)
class ResampledGaps:
    """Gap matrices (b, n, n) in nats of b resamples of the examples.

    ``measured``: of the resampled curves. ``noise``: of what resampling adds to the curves, each
    taken about its observed mean, which is what the gaps would be if every path were flat.
    """

    measured: Floats
    noise: Floats


def convexity_gaps(alphas: Floats, curves: Floats) -> Floats:
    """Convexity gaps (…,) of ``curves`` (k, …), as ``geometry.curves.convexity_gap`` of each.

    The greatest height of a point over a chord that spans it (Juneja et al. 2023). Few points
    have few chords, and going through them all is several times as fast as searching them.
    """
    k = len(alphas)
    if k > _MOST_LISTED:
        searched = greatest_contrasts(alphas, curves.reshape(k, -1).T).value
        return np.where(searched > ROUNDING, searched, 0.0).reshape(curves.shape[1:])
    greatest = np.zeros(curves.shape[1:])
    for left in range(k - 2):
        for right in range(left + 2, k):
            rise = (curves[right] - curves[left]) / (alphas[right] - alphas[left])
            for point in range(left + 1, right):
                chord = curves[left] + rise * (alphas[point] - alphas[left])
                np.maximum(greatest, curves[point] - chord, out=greatest)
    greatest[greatest <= ROUNDING] = 0
    return greatest


def resampled_gaps(paths: PathLosses, resamples: int, seed: list[int]) -> Iterator[ResampledGaps]:
    """Gaps on ``resamples`` bootstrap samples of the units, some at a time.

    Units are drawn with replacement, as many as there are (Efron 1979), and a mean is over the
    examples of those drawn. All paths have the same draws, as they share their examples.
    """
    _, unit = np.unique(paths.units, return_inverse=True)
    n_units = int(unit.max()) + 1
    random = np.random.default_rng(seed)
    observed = paths.losses.mean(1, dtype=np.float64)
    at_once = max(1, _ENTRIES // max(paths.runs.size, 1))
    for start in range(0, resamples, at_once):
        count = min(at_once, resamples - start)
        drawn = random.multinomial(n_units, np.full(n_units, 1 / n_units), size=count)
        means = _means(paths.losses, drawn[:, unit])
        yield ResampledGaps(_matrices(paths, means), _matrices(paths, means - observed[:, None]))


def _means(losses: NDArray[np.floating], times: Integers) -> Floats:
    """Means (r, b) of ``losses`` (r, m) over examples that count ``times`` (b, m)."""
    weights = (times / times.sum(1, keepdims=True)).T
    means = np.empty((len(losses), weights.shape[1]))
    rows = max(1, _ENTRIES // max(losses.shape[1], 1))
    for start in range(0, len(losses), rows):
        part = losses[start : start + rows].astype(np.float64)
        means[start : start + rows] = part @ weights
    return means


def _matrices(paths: PathLosses, means: Floats) -> Floats:
    """Gap matrices (b, n, n) of the curves of ``means`` (r, b)."""
    gaps = convexity_gaps(paths.alphas, means[paths.runs.T])
    matrices = np.zeros((means.shape[1], paths.n_models, paths.n_models))
    first, second = paths.pairs.T
    matrices[:, first, second] = gaps.T
    matrices[:, second, first] = gaps.T
    return matrices
