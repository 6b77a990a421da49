"""Orders in which something is dealt anew to models, and the p that this gives.

Knows orders and statistics; what is dealt, and what a statistic measures, is the caller's. All
tests are two-sided: statistics are given as sizes, and the larger speaks against the null.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import comb, factorial

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

MOST_EXACT = 20_000
"""Up to as many different deals all of them are tried; beyond, ``DRAWS`` random ones."""

DRAWS = 9_999
SEED = 0
ROUNDING = 1e-9


@dataclass(frozen=True)
class Deals:
    """``orders``: (b, n); in deal i, model j gets what belonged to model ``orders[i, j]``.

    ``exact``: the deals are all that there are, the observed one among them.
    """

    orders: Places
    exact: bool

    def p(self, n_reached: NDArray[np.int64]) -> Floats:
        """p of statistics that ``n_reached`` deals reach: exact, or with the observed one added.

        (1 + reached) / (1 + draws) keeps a random test's size (Phipson and Smyth 2010).
        """
        more = 0 if self.exact else 1
        p_values: Floats = (n_reached + more) / (len(self.orders) + more)
        return p_values

    @property
    def least(self) -> float:
        """The smallest p that so many deals can give to anything."""
        return 1 / (len(self.orders) + (0 if self.exact else 1))


def every_assignment(labels: Places) -> Deals | None:
    """Each different assignment of ``labels`` (n,) once; None where they are too many."""
    sizes = np.unique(labels, return_counts=True)[1]
    if n_assignments(sizes.tolist()) > MOST_EXACT:
        return None
    assignments = np.array(list(_assignments(np.sort(labels).tolist())), dtype=np.int64)
    orders = np.empty_like(assignments)
    grouped = np.broadcast_to(np.argsort(labels, kind="stable"), orders.shape)
    np.put_along_axis(orders, np.argsort(assignments, axis=1, kind="stable"), grouped, 1)
    return Deals(orders, exact=True)


def every_order(n: int) -> Deals | None:
    """Every order of n values that all count as different; None where they are too many."""
    if factorial(n) > MOST_EXACT:
        return None
    orders = np.array(list(itertools.permutations(range(n))), dtype=np.int64)
    return Deals(orders.reshape(factorial(n), n), exact=True)


def priorities(n: int, draws: int = DRAWS, seed: int = SEED) -> Floats:
    """(draws, n) random numbers; the ranks of any of the n among them are a random order."""
    return np.random.default_rng(seed).random((draws, n))


def n_assignments(sizes: Sequence[int]) -> int:
    """In how many ways models can be divided into clusters of ``sizes``."""
    ways, left = 1, sum(sizes)
    for size in sizes:
        ways *= comb(left, size)
        left -= size
    return ways


def smallest_cluster_p(n_in: int, n_out: int, deals: Deals) -> float:
    """The smallest two-sided p that ``n_in`` models against ``n_out`` can attain.

    One assignment of C(n, n_in) is the most extreme; between equally large clusters its mirror
    image is as extreme. NaN where a side is empty.
    """
    if n_in == 0 or n_out == 0:
        return float("nan")
    smallest = (2 if n_in == n_out else 1) / comb(n_in + n_out, n_in)
    return smallest if deals.exact else max(smallest, deals.least)


def smallest_order_p(n: int, deals: Deals) -> float:
    """A bound below every p of n values dealt in any order; NaN for fewer than two."""
    return deals.least if n > 1 else float("nan")


def max_t(observed: Floats, dealt: Floats, deals: Deals) -> Floats:
    """Family-wise p of ``observed`` (t,) sizes by their ``dealt`` (b, t) ones, step-down max-T.

    Westfall and Young 1993, Algorithm 4.1: from the largest on, each is compared with the
    largest of those that are not larger. The sizes must be on one scale. NaN takes no part.
    """
    corrected = np.full(len(observed), np.nan)
    tested = np.flatnonzero(np.isfinite(observed))
    if len(tested) == 0:
        return corrected
    order = tested[np.argsort(-observed[tested], kind="stable")]
    largest = np.maximum.accumulate(dealt[:, order[::-1]], axis=1)[:, ::-1]
    reached = np.count_nonzero(largest >= observed[order] - ROUNDING, axis=0)
    corrected[order] = np.maximum.accumulate(deals.p(reached))
    return corrected


def _assignments(labels: list[int]) -> Iterator[tuple[int, ...]]:
    """Every different order of sorted ``labels``."""
    if not labels:
        return iter([()])
    n, first = len(labels), labels[0]
    size = labels.count(first)

    def place(chosen: tuple[int, ...], rest: tuple[int, ...]) -> tuple[int, ...]:
        remaining = iter(rest)
        taken = set(chosen)
        return tuple(first if i in taken else next(remaining) for i in range(n))

    others = list(_assignments(labels[size:]))
    return itertools.chain.from_iterable(
        (place(chosen, rest) for rest in others)
        for chosen in itertools.combinations(range(n), size)
    )
