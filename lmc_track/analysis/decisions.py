"""Which gaps are above a tolerance and which are not, with false discoveries kept rare.

At a tolerance τ (nats) a pair of models is *separated* where its gap is shown to be above τ,
*connected* where it is shown to be at most τ, and *undecided* otherwise. What is shown comes from
``analysis.bounds``; ``docs/uncertainty.md`` says why the p are what they are. SQL computes the
same (``queries/views/decided_pairs.sql``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lmc_track.analysis.bounds import GapBounds

Floats = NDArray[np.float64]

SEPARATED, CONNECTED, UNDECIDED = "separated", "connected", "undecided"

# With fewer draws beyond t than these, how many there are is mostly chance.
_ENOUGH_DRAWS = 10


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
    """Decide every pair at ``tau`` nats; of those decided, a share of at most ``q`` is wrong.

    p = min(1, 2 · min(p_separated, p_connected)), adjusted by ``benjamini_yekutieli``.
    """
    apart, joined = p_separated(bounds, tau), p_connected(bounds, tau)
    p = np.minimum(2 * np.minimum(apart, joined), 1.0)
    adjusted = benjamini_yekutieli(p)
    said = np.where(apart < joined, SEPARATED, np.where(joined < apart, CONNECTED, UNDECIDED))
    return Decisions(p, adjusted, np.where(adjusted <= q, said, UNDECIDED))


def p_separated(bounds: GapBounds, tau: float) -> Floats:
    """p (p,) of the held-out contrast, were the gap at most ``tau``; 1 where there is none.

    P(T > (estimate − τ) / standard error) for Student's T with held-out units − 1 degrees.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (bounds.estimate - tau) / bounds.standard_error
    exact = np.where(bounds.estimate > tau, np.inf, -np.inf)
    t = np.where(bounds.standard_error > 0, t, exact)
    return student_tail(
        np.where(np.isnan(bounds.estimate), -np.inf, t), bounds.n_held_out_units - 1
    )


def p_connected(bounds: GapBounds, tau: float) -> Floats:
    """p (p,) of the band, were the gap above ``tau``: how often max |t| is as wide as fits.

    The widest band whose curves all have gaps of at most τ is t = min over lines of
    (τ − height) / error. Where at least ten draws reach t, p = (1 + how many do) / (1 + draws).
    Where fewer do, the union bound Σ P(|T| > t) over the points, Student's T with units − 1
    degrees, is taken if it is less. 1 where t is negative, or so many draws reach it that all
    that were kept do.
    """
    t = bounds.lines.until(tau)
    reached = (bounds.draws.astype(np.float64) >= t[:, None]).sum(1)
    drawn = (1 + reached) / (1 + bounds.n_draws)
    drawn = np.where(reached < bounds.draws.shape[1], drawn, 1.0)
    union = bounds.n_uncertain * 2 * student_tail(t, bounds.n_units - 1)
    p = np.where(reached < _ENOUGH_DRAWS, np.minimum(drawn, union), drawn)
    return np.where(t >= 0, p, 1.0)


def student_tail(t: Floats, df: int) -> Floats:
    """P(T > t) for Student's T with ``df`` degrees of freedom."""
    from scipy.special import stdtr

    tail: Floats = np.where(np.isinf(t), np.where(t > 0, 0.0, 1.0), stdtr(df, -t))
    return tail


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
