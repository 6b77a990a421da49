"""How often the intervals of mean gaps within and between clusters hold the true mean.

    python benchmarks/intervals.py --draws 2000

prints a table in Markdown. Models have effects, so that the pairs of one model are alike; the
standard error is the jackknife over models that the query ``gap_summary`` computes, and the
columns differ in the degrees of freedom of Student's t.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

SIZES = ((8, 8), (13, 3), (44, 4), (88, 12))
WITHIN, BETWEEN = 0.3, 0.6
_NUMBERS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Effects:
    """How models spread: ``spread`` of their effects as a share of the mean gap, that of the
    smaller cluster ``minority`` times as much; added to gaps, or as factors e^effect of mean 1."""

    name: str
    minority: float = 1.0
    as_factors: bool = False
    spread: float = 0.3


KINDS = (
    Effects("added, normal"),
    Effects("added, smaller cluster 3 ×", minority=3),
    Effects("added, smaller cluster 1/3 ×", minority=1 / 3),
    Effects("factors, log-normal", as_factors=True),
    Effects("factors, smaller cluster 3 ×", minority=3, as_factors=True),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--draws", type=int, default=2000)
    draws = parser.parse_args().draws
    error = np.sqrt(0.95 * 0.05 / draws)
    print(f"{draws:,} draws a row; Monte-Carlo standard error {error:.3f}.\n")
    print("| models | effects of models | within: n − 1 | between: n − 1 | smaller − 1 | Welch |")
    print("|---|---|---|---|---|---|")
    random = np.random.default_rng(0)
    for sizes in SIZES:
        for effects in KINDS:
            shares = coverage(sizes, effects, draws, random)
            cells = " | ".join(f"{share:.3f}" for share in shares)
            print(f"| {sizes[0]} + {sizes[1]} | {effects.name} | {cells} |", flush=True)


def coverage(
    sizes: tuple[int, ...], effects: Effects, draws: int, random: np.random.Generator
) -> Floats:
    """Shares of draws in which the 95% interval holds the mean: of pairs within clusters with
    n − 1 degrees of freedom; of pairs between with n − 1, with those of the smaller cluster, and
    with Welch's, from what each cluster adds to the variance."""
    n = sum(sizes)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    same = labels[:, None] == labels
    within = same & ~np.eye(n, dtype=bool)
    held = np.zeros(4)
    at_once = max(1, _NUMBERS_AT_ONCE // n**2)
    for start in range(0, draws, at_once):
        gaps = _gaps(labels, effects, min(at_once, draws - start), random)
        off, parts = _jackknife(gaps, within, labels, WITHIN)
        held[0] += _holds(off, parts, n - 1)
        off, parts = _jackknife(gaps, ~same, labels, BETWEEN)
        free = np.array(sizes) - 1
        welch = parts.sum(1) ** 2 / (parts**2 / free).sum(1)
        for k, degrees in enumerate((n - 1, free.min(), welch), start=1):
            held[k] += _holds(off, parts, degrees)
    return held / draws


def _gaps(
    labels: NDArray[np.int64], effects: Effects, draws: int, random: np.random.Generator
) -> Floats:
    """(draws, n, n) gaps of means ``WITHIN`` and ``BETWEEN``, with noise of single pairs."""
    n = len(labels)
    mean = np.where(labels[:, None] == labels, WITHIN, BETWEEN)
    spread = np.where(labels == labels.max(), effects.minority, 1.0) * effects.spread
    model = random.normal(size=(draws, n)) * spread
    noise = np.triu(random.normal(size=(draws, n, n)), 1) * effects.spread
    both = model[:, :, None] + model[:, None, :] + noise + noise.transpose(0, 2, 1)
    if not effects.as_factors:
        return mean + WITHIN * both
    variance = spread[:, None] ** 2 + spread**2 + effects.spread**2
    gaps: Floats = mean * np.exp(both - variance / 2)
    return gaps


def _jackknife(
    gaps: Floats, pairs: Mask, labels: NDArray[np.int64], truth: float
) -> tuple[Floats, Floats]:
    """How far the means over ``pairs`` are off (draws,), and what the models of each cluster add
    to the jackknife's variance (draws, clusters)."""
    n = len(labels)
    of_model, n_of_model = np.where(pairs, gaps, 0.0).sum(2), pairs.sum(1)
    total, n_pairs = of_model.sum(1) / 2, pairs.sum() / 2
    mean = total / n_pairs
    without = (total[:, None] - of_model) / (n_pairs - n_of_model)
    squares = (n - 1) / n * (without - mean[:, None]) ** 2
    members = labels[:, None] == np.arange(labels.max() + 1)
    return mean - truth, squares @ members


def _holds(off: Floats, parts: Floats, degrees_of_freedom: Floats | int) -> int:
    reach = stdtrit(degrees_of_freedom, 0.975) * np.sqrt(parts.sum(1))
    return int(np.count_nonzero(np.abs(off) <= reach))


if __name__ == "__main__":
    main()
