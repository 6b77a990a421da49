"""Losses of examples along paths whose true gaps are known, drawn at random.

An example's loss at α is its loss at the two ends, mixed, plus its own share of the path's true
height, plus noise. Ends are exponential, as cross entropies are skewed; shares have mean 1 and
are skewed too. So the gap of the expected curve is that of the true heights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class NoisyCurves:
    """Arguments of ``gap_bounds``, all by name."""

    alphas: Floats
    losses: NDArray[np.float32]
    runs: NDArray[np.int64]
    held_out: NDArray[np.bool_]
    units: NDArray[np.int64]


def noisy_curves(
    heights: Floats,
    *,
    n_units: int = 200,
    unit_size: int = 1,
    within: float = 0.0,
    shape: float = 1.0,
    noise: float = 0.05,
    shared: bool = False,
    seed: int = 0,
) -> NoisyCurves:
    """Curves of p paths with the true ``heights`` (p, K) above a chord, 0 at both ends.

    ``unit_size`` examples a unit share their losses up to independent parts of weight
    ``within``. Shares of the height are gamma distributed with ``shape``: .25 makes them very
    skewed. Paths are drawn independently of each other; ``shared`` gives all of them the same
    shares, as paths between the same models on the same examples have.
    """
    random = np.random.default_rng(seed)
    p, size = heights.shape
    alphas = np.arange(size) / (size - 1)
    rows = 1 if shared else p

    def drawn(sample: Floats) -> Floats:
        """A value a unit, repeated for its examples."""
        return np.repeat(sample, unit_size, axis=-1)

    share = drawn(random.gamma(shape, 1 / shape, (rows, 1, n_units)))
    ends = drawn(random.exponential(0.4, (rows, 2, n_units)))
    wobble = drawn(random.normal(0, noise, (rows, size, n_units)))
    own = (rows, size, n_units * unit_size)
    values = (1 - alphas[:, None]) * ends[:, :1] + alphas[:, None] * ends[:, 1:] + wobble
    values = values + share * heights[:, :, None] + within * random.normal(0, noise, own)
    units = np.repeat(np.arange(n_units), unit_size)
    return NoisyCurves(
        alphas,
        values.reshape(p * size, -1).astype(np.float32),
        np.arange(p * size).reshape(p, size),
        np.repeat(np.arange(n_units) % 2 == 1, unit_size),
        units,
    )


def bump(size: int, gap: float) -> Floats:
    """Heights (size,) of a symmetric arc whose convexity gap is ``gap``."""
    alpha = np.arange(size) / (size - 1)
    arc: Floats = 4 * alpha * (1 - alpha)
    return gap * arc / arc.max()
