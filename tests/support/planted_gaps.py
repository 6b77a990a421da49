"""Gap matrices whose clusters are known, for tests of the analysis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
HEADROOM = 0.69


def symmetric(pairs: Floats, n: int) -> Floats:
    """The (n, n) matrix of n(n−1)/2 values, 0 on the diagonal."""
    gaps = np.zeros((n, n))
    gaps[np.triu_indices(n, 1)] = pairs
    return gaps + gaps.T


def planted(
    sizes: Sequence[int],
    *,
    within: float = 0.1,
    between: float = 0.7,
    spread: float = 0.4,
    seed: int = 0,
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Discovery gaps, held-out gaps, labels: log-normal gaps about the two means, in nats.

    The halves differ by a tenth, as those of real paths do.
    """
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    n = len(labels)
    upper = np.triu_indices(n, 1)
    mean = np.where(labels[upper[0]] == labels[upper[1]], within, between)
    gaps = mean * np.exp(random.normal(0, spread, len(mean)))
    halves = [symmetric(gaps * np.exp(random.normal(0, 0.1, len(gaps))), n) for _ in range(2)]
    return halves[0], halves[1], labels


def noise(n: int, seed: int, spread: float = 0.5) -> tuple[Floats, Floats]:
    """Gaps that belong to no structure at all."""
    discovery, held_out, _ = planted([n], within=0.3, spread=spread, seed=seed)
    return discovery, held_out
