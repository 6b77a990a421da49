"""What chance does to means over examples, when examples are drawn in units.

A unit is drawn as a whole: a group of examples where the data have groups, else one text. The
mean over n examples of U units is a ratio of two sums over units, so its errors are those of the
units' sums of residuals e_u = Σ over the unit's examples of (x_i − mean):

    standard error² = U / (U − 1) · Σ e_u² / n².

Values are float64 arrays whose last axis is the examples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Real = TypeVar("Real", np.float32, np.float64)
Floats = NDArray[np.float64]
Signs = NDArray[np.float32]

# Sums of whole numbers below 2^24 are exact in float32, in whatever order a matrix product adds.
_GREATEST_SUM = 2.0**23


@dataclass(frozen=True)
class Units:
    """Which of n examples are drawn together.

    ``order``: (n,), the examples by unit; ``starts``: (U,), where in it each unit begins.
    """

    order: NDArray[np.int64]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, labels: NDArray[np.int64]) -> Units:
        """The units of examples with the same number in ``labels`` (n,)."""
        order = np.argsort(labels, kind="stable")
        changes = np.diff(labels[order], prepend=labels[order][:1] - 1) != 0
        return cls(order, np.flatnonzero(changes))

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def typical_size(self) -> float:
        """How many examples the unit of an average example has: Σ size² / n."""
        sizes = np.diff(self.starts, append=len(self.order)).astype(np.float64)
        return float(sizes @ sizes / len(self.order))

    def sums(self, values: NDArray[Real]) -> NDArray[Real]:
        """Sums (…, U) over the units of ``values`` (…, n), in an order that is always the same."""
        if len(self.starts) == len(self.order):
            return values
        if values.shape[-1] == 0:
            return values
        total: NDArray[Real] = np.add.reduceat(values[..., self.order], self.starts, axis=-1)
        return total


@dataclass(frozen=True)
class Means:
    """Means over examples (…), their standard errors (…) and the units' residuals (…, U)."""

    mean: Floats
    standard_error: Floats
    residuals: Floats


def means(values: Floats, units: Units, rounding: float = 0.0) -> Means:
    """The means of ``values`` (…, n) over the examples, with cluster-robust standard errors.

    At least two units are needed. A standard error below ``rounding`` is 0.
    """
    n, u = values.shape[-1], len(units)
    mean = values.mean(-1)
    residuals = units.sums(values - mean[..., None])
    squares = np.einsum("...u,...u->...", residuals, residuals)
    error = np.sqrt(squares * (u / (u - 1))) / n
    return Means(mean, np.where(error < rounding, 0.0, error), residuals)


def random_signs(draws: int, units: int, seed: int) -> Signs:
    """Rademacher multipliers (units, draws): a fair coin of ±1 for each unit and draw."""
    coins = np.random.default_rng(seed).integers(0, 2, (draws, units), dtype=np.int8)
    return np.ascontiguousarray((2 * coins - 1).T, dtype=np.float32)


def max_t(sample: Means, signs: Signs) -> Floats:
    """Draws (p, B) of the greatest |t| over m means, from the residuals (p, m, U) of p sets.

    A draw turns every unit's residuals by its own sign, those of all means alike, and takes

        t = S / √((Q − S²/U) · U / (U − 1)),   S = Σ ± e_u,   Q = Σ e_u²,

    which is the Student statistic of the turned residuals (Chernozhukov, Chetverikov and Kato
    2013, with the scale estimated anew in each draw). A mean without error takes no part.
    """
    p, m, u = sample.residuals.shape
    squares = np.einsum("pmu,pmu->pm", sample.residuals, sample.residuals)
    alive = sample.standard_error > 0
    # Σ |e| ≤ √(U Q) keeps the sums of rounded residuals within what is exact.
    scale = np.where(alive, _GREATEST_SUM / np.sqrt(np.where(alive, u * squares, 1.0)), 0.0)
    whole = np.rint(sample.residuals * scale[..., None])
    norm = np.einsum("pmu,pmu->pm", whole, whole) * (u / (u - 1))
    per = np.where(alive, 1 / np.sqrt(np.where(alive, norm, 1.0)), 0.0)
    sums = (whole.astype(np.float32).reshape(p * m, u) @ signs).reshape(p, m, -1)
    np.abs(sums, out=sums)
    sums *= per.astype(np.float32)[..., None]
    greatest = sums.max(1, initial=0.0).astype(np.float64)
    left = 1 - np.square(greatest) / (u - 1)
    # Where every unit's residual points the same way, nothing is left to estimate a scale from.
    with np.errstate(divide="ignore"):
        t: Floats = greatest / np.sqrt(np.maximum(left, 0.0))
    return t
