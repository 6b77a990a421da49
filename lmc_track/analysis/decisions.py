"""Which gaps are above a tolerance and which are not, with false discoveries kept rare.

At a tolerance τ (share of examples, or nats) a pair of models is *separated* where its gap is
shown to be above τ, *connected* where it is shown to be at most τ, and *undecided* otherwise. What
is shown comes from ``analysis.bounds``; ``docs/uncertainty.md`` says why the p are what they are.
SQL computes the same (``queries/views/decided_pairs.sql``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lmc_track.analysis.bounds import TAILS, GapBounds

Floats = NDArray[np.float64]

SEPARATED, CONNECTED, UNDECIDED = "separated", "connected", "undecided"


@dataclass(frozen=True)
class Decisions:
    """What is said of p pairs, all (p,).

    ``p``: two-sided, to be read for one pair by itself. ``p_adjusted``: over all p pairs.
    ``decision``: separated, connected or undecided.
    """

    p: Floats
    p_adjusted: Floats
    decision: NDArray[np.str_]


def decide(bounds: GapBounds, tau: float, q: float = 0.05) -> Decisions:
    """Decide every pair at ``tau``; of those decided, a share of at most ``q`` is wrong.

    p = min(1, 2 · min(p_separated, p_connected)), adjusted by ``benjamini_yekutieli``.
    """
    apart, joined = p_separated(bounds, tau), p_connected(bounds, tau)
    p = np.minimum(2 * np.minimum(apart, joined), 1.0)
    adjusted = benjamini_yekutieli(p)
    said = np.where(apart < joined, SEPARATED, np.where(joined < apart, CONNECTED, UNDECIDED))
    return Decisions(p, adjusted, np.where(adjusted <= q, said, UNDECIDED))


def p_separated(bounds: GapBounds, tau: float) -> Floats:
    """p (p,), were the gap at most ``tau``: the smallest of ``TAILS`` whose lower bound is above.

    1 where none is.
    """
    return _smallest_tail((bounds.lowers > tau).sum(1))


def p_connected(bounds: GapBounds, tau: float) -> Floats:
    """p (p,), were the gap above ``tau``: the smallest of ``TAILS`` whose upper bound is not.

    1 where all are.
    """
    return _smallest_tail((bounds.uppers <= tau).sum(1))


def _smallest_tail(reached: NDArray[np.int64]) -> Floats:
    """Bounds move outwards as tails fall, so the first ``reached`` of them do."""
    p: Floats = np.append(1.0, TAILS)[reached]
    return p


def examples_needed(bounds: GapBounds, tau: float, q: float = 0.05) -> Floats:
    """How many examples (p,) would decide each pair, were they like those at hand.

    The pair is decided by itself where all others are as well: at the tail
    q / (2 (1 + 1/2 + … + 1/p)), the greatest that ``benjamini_yekutieli`` lets pass. n' examples
    of the same mean and variance show that the gap is at most τ where

        n' (τ − height) = z √(n' variance + jump²) + jump (z² + 2) / 3,

    with z such that today's n give today's upper bound; a gap above τ where the lower bound's
    distance from the estimate has shrunk with the root of n'. The lesser of both; NaN where the
    height is not below τ and the estimate not above it.
    """
    m = len(bounds.paths)
    tail = q / (2 * np.sum(1 / np.arange(1, m + 1)))
    place = int(np.clip(np.ceil(-8 * np.log10(tail)) - 3, 0, len(TAILS) - 1))
    n, jump = bounds.n_examples, bounds.jump
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(n * bounds.variance + jump**2)
        room = n * (bounds.uppers[:, place] - bounds.height) - 2 * jump / 3
        z = 2 * room / (root + np.sqrt(root**2 + 4 / 3 * jump * room))
        short = tau - bounds.height
        offset = jump * (z**2 + 2) / 3
        b = 2 * short * offset + z**2 * bounds.variance
        discriminant = b**2 - 4 * short**2 * (offset**2 - (z * jump) ** 2)
        joined = (b + np.sqrt(discriminant)) / (2 * short**2)
        above = bounds.estimate - tau
        apart = n * np.square((bounds.estimate - bounds.lowers[:, place]) / above)
    joined = np.where(short > 0, joined, np.nan)
    apart = np.where(above > 0, apart, np.nan)
    needed: Floats = np.maximum(np.ceil(np.fmin(joined, apart)), n)
    return needed


def benjamini_yekutieli(p: Floats) -> Floats:
    """p (m,) adjusted so that those of at most q hold with a false discovery rate of at most q.

    The i-th smallest becomes the least p_(j) · m · (1 + 1/2 + … + 1/m) / j over j ≥ i, at most 1
    (Benjamini and Yekutieli 2001), which holds however the p depend on each other.
    """
    m = len(p)
    order = np.argsort(p, kind="stable")
    ranks = np.arange(1, m + 1)
    raised = p[order] * (m * np.sum(1 / ranks)) / ranks
    adjusted = np.empty(m)
    adjusted[order] = np.minimum(np.minimum.accumulate(raised[::-1])[::-1], 1.0)
    return adjusted
