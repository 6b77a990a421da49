"""What each of n examples costs along p paths, as the bounds of gaps take it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_VALUES_AT_ONCE = 1 << 18


@dataclass(frozen=True)
class Curves:
    """``values``: (r, n) of models and points, losses or whether they are wrong; the curves of
    path i are ``values[runs[i]]``, (K, n), at ``alphas`` (K,)."""

    alphas: Floats
    values: NDArray[np.float32] | NDArray[np.bool_]
    runs: Integers

    def __len__(self) -> int:
        return len(self.runs)

    def parts(self, points: int) -> list[slice]:
        """Paths so few at a time that ``points`` of their curves fit into a processor's cache."""
        step = max(_VALUES_AT_ONCE // (points * self.values.shape[1]), 1)
        return [slice(start, min(start + step, len(self))) for start in range(0, len(self), step)]

    def means(self, kept: NDArray[np.bool_]) -> Floats:
        """Mean curves (p, K) over the ``kept`` examples."""
        step = max(_VALUES_AT_ONCE // self.values.shape[1], 1)
        parts = range(0, len(self.values), step)
        mean: Floats = np.concatenate(
            [self.values[k : k + step, kept].mean(1, dtype=np.float64) for k in parts]
        )
        return mean[self.runs]


@dataclass(frozen=True)
class Uppers:
    """Upper bounds of p gaps, one for each of t tails: ``bounds`` (p, t).

    ``height`` and ``variance``, (p,): of the contrast that limits the last of them, its mean and
    its variance for a single example.
    """

    bounds: Floats
    height: Floats
    variance: Floats
