"""Mantel's test: whether pairs of models that are far apart in one way are so in another.

Knows matrices of n models in which pairs may be missing. Pairs are not independent of each
other, models are: what is dealt anew is which model has which row and column.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lmc_track.analysis.association import LEAST_SPREAD
from lmc_track.analysis.permutation import (
    ROUNDING,
    SEED,
    Deals,
    Floats,
    Places,
    every_order,
    max_t,
    priorities,
    smallest_order_p,
)

RELABELLINGS = 1_999
# What is relabelled at once stays in a processor's cache.
_NUMBERS_AT_ONCE = 1 << 18


@dataclass(frozen=True)
class MantelTests:
    """Of r matrices against one; all (r,), NaN where undefined.

    ``n_pairs`` known in both; ``r``: Pearson's correlation over them; ``p_value``: two-sided;
    ``p_corrected``: among all r, step-down max-T. ``smallest_p``: no p can be less.
    """

    n_pairs: Places
    r: Floats
    p_value: Floats
    p_corrected: Floats
    smallest_p: Floats


def mantel(
    gaps: Floats,
    others: Floats,
    *,
    draws: int = RELABELLINGS,
    seed: int = SEED,
) -> MantelTests:
    """Correlate ``gaps`` (n, n) with each of ``others`` (r, n, n), symmetric, NaN if missing.

    Mantel 1967: models are relabelled in one of the two matrices, by every order where these are
    at most 20,000, otherwise by random ones. Each relabelling uses the pairs that are known in
    both matrices then. For the family, r is divided by its root mean square over relabellings.
    """
    n = len(gaps)
    first, second = np.triu_indices(n, 1)
    deals = every_order(n) or Deals(np.argsort(priorities(n, draws, seed), axis=1), exact=False)
    pairs = _Pairs(others[:, first, second])
    observed, n_pairs = pairs.correlations(gaps[first, second][None])
    r = observed[0]
    at_once = max(1, _NUMBERS_AT_ONCE // max(len(first), 1))
    sizes = np.empty((len(deals.orders), len(others)))
    for start in range(0, len(sizes), at_once):
        orders = deals.orders[start : start + at_once]
        relabelled = gaps[orders[:, first], orders[:, second]]
        sizes[start : start + at_once] = np.abs(np.nan_to_num(pairs.correlations(relabelled)[0]))
    reached = np.count_nonzero(sizes >= np.abs(r) - ROUNDING, axis=0)
    defined = np.isfinite(r)
    spread = np.sqrt(np.square(sizes).mean(0))
    scale = np.where(defined & (spread > 0), spread, 1.0)
    return MantelTests(
        n_pairs[0].astype(np.int64),
        r,
        np.where(defined, deals.p(reached), np.nan),
        max_t(np.abs(r) / scale, sizes / scale, deals),
        np.where(defined, smallest_order_p(n, deals), np.nan),
    )


class _Pairs:
    """Values of pairs (r, p), NaN where missing, to be correlated with many others."""

    def __init__(self, values: Floats) -> None:
        self._known = np.isfinite(values).astype(np.float64)
        n = np.maximum(self._known.sum(1, keepdims=True), 1)
        # Less their mean, so that sums of squares lose no digits.
        from_mean = np.where(self._known > 0, values - np.nansum(values, 1, keepdims=True) / n, 0.0)
        self._values = from_mean
        self._whole = bool(self._known.all())

    def correlations(self, against: Floats) -> tuple[Floats, Floats]:
        """(b, r) correlations with ``against`` (b, p), and over how many pairs."""
        known = np.isfinite(against)
        y = np.where(known, against, 0.0)
        y = np.where(known, y - y.sum(1, keepdims=True) / np.maximum(known.sum(1), 1)[:, None], 0)
        x = self._values
        n_pairs: Floats
        if self._whole and known.all():
            n_pairs = np.full((len(y), len(x)), float(y.shape[1]))
            sum_x, sum_y = np.zeros_like(n_pairs), np.zeros_like(n_pairs)
            square_x = np.broadcast_to(np.square(x).sum(1), n_pairs.shape)
            square_y = np.broadcast_to(np.square(y).sum(1)[:, None], n_pairs.shape)
        else:
            mask = known.astype(np.float64)
            n_pairs = mask @ self._known.T
            sum_x, sum_y = mask @ x.T, y @ self._known.T
            square_x, square_y = mask @ np.square(x).T, np.square(y) @ self._known.T
        n = np.maximum(n_pairs, 1)
        left_x, left_y = square_x - sum_x**2 / n, square_y - sum_y**2 / n
        usable = (n_pairs > 2) & (np.minimum(left_x, left_y) > n * LEAST_SPREAD**2)
        r = np.full(n_pairs.shape, np.nan)
        product = y @ x.T - sum_x * sum_y / n
        np.divide(product, np.sqrt(np.where(usable, left_x * left_y, 1)), out=r, where=usable)
        return np.clip(r, -1, 1), n_pairs
