"""Errors of examples along paths whose true gaps are known, drawn at random.

An example is wrong at α where a Gaussian process over α, its own, is below the quantile that
gives the expected error there. So the expected error of a path is known exactly, and an example
that is wrong at a point is likely to be wrong at the next.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class NoisyErrors:
    """Arguments of ``error_gap_bounds``, all by name."""

    alphas: Floats
    errors: NDArray[np.bool_]
    runs: NDArray[np.int64]
    held_out: NDArray[np.bool_]
    units: NDArray[np.int64]


def noisy_errors(
    expected: Floats,
    *,
    n_units: int = 200,
    unit_size: int = 1,
    alike: float = 1.0,
    reach: float = 0.3,
    seed: int = 0,
) -> NoisyErrors:
    """Curves of p paths with the ``expected`` errors (p, K), drawn independently of each other.

    ``reach``: over how much of the path an example stays as it is; 0 makes points independent.
    ``alike``: the correlation of the examples of a unit.
    """
    random = np.random.default_rng(seed)
    p, size = expected.shape
    alphas = np.arange(size) / (size - 1)
    distance = np.subtract.outer(alphas, alphas)
    kernel = np.exp(-0.5 * np.square(distance / reach)) if reach else np.eye(size)
    values, vectors = np.linalg.eigh(kernel)
    factor = vectors * np.sqrt(np.maximum(values, 0))

    def process(n: int) -> Floats:
        drawn: Floats = factor @ random.standard_normal((p, size, n))
        return drawn

    latent = np.sqrt(alike) * np.repeat(process(n_units), unit_size, axis=-1)
    if alike < 1:
        latent += np.sqrt(1 - alike) * process(n_units * unit_size)
    wrong = latent < ndtri(expected)[:, :, None]
    units = np.repeat(np.arange(n_units), unit_size)
    return NoisyErrors(
        alphas,
        wrong.reshape(p * size, -1),
        np.arange(p * size).reshape(p, size),
        units % 2 == 1,
        units,
    )
