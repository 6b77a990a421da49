"""How much of a division stays when examples are drawn anew, or models left out.

A resample is divided as the models were, into as many clusters. Two numbers say
what stayed: the adjusted Rand index to the division, and for each pair of models the share of
resamples in which the two are in one cluster.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from lmc_track.analysis.clustering import Floats, Labels
from lmc_track.analysis.verdict.division import divided

SHARE_LEFT_OUT = 0.2
_LOW = 0.05


@dataclass(frozen=True)
class Stability:
    """``rand``: (b,), the adjusted Rand index of each resample to the division.

    ``together``: (n, n), of the resamples that have both models the share in which they are in
    one cluster; NaN where none has both.
    """

    rand: Floats
    together: Floats

    @property
    def mean(self) -> float:
        return float(self.rand.mean())

    @property
    def low(self) -> float:
        """The 5 % quantile of ``rand``."""
        return float(np.quantile(self.rand, _LOW))


def divide(gaps: Floats, k: int) -> Labels:
    """Divisions (b, n) of ``gaps`` (b, n, n) into ``k`` clusters where there is one, as measured
    gaps are divided; without any gap there is one cluster."""
    return np.array([divided(matrix, k) for matrix in gaps])


def by_examples(divisions: Labels, labels: Labels) -> Stability:
    """The division ``labels`` (n,) against ``divisions`` (b, n) of gaps on resampled examples."""
    everyone = np.tile(np.arange(len(labels)), (len(divisions), 1))
    return _compared(everyone, divisions, labels)


def by_models(gaps: Floats, labels: Labels, k: int, resamples: int, seed: list[int]) -> Stability:
    """The division ``labels`` (n,) of ``gaps`` (n, n) into ``k`` against those of fewer models.

    A fifth of the models, at least one, is left out at random, ``resamples`` times; in every way
    there is, where those are fewer.
    """
    kept = _kept(len(labels), k, resamples, seed)
    divisions = divide(gaps[kept[:, :, None], kept[:, None, :]], k)
    return _compared(kept, divisions, labels)


def adjusted_rand(one: Labels, other: Labels) -> Floats:
    """Adjusted Rand index (b,) of labels (b, n), which count from 0 (Hubert and Arabie 1985).

    1 where two divisions are the same, 0 on average where they have nothing to do with each
    other.
    """
    a, b = _member(one), _member(other)
    shared = _pairs(np.swapaxes(a, -1, -2) @ b).sum((-1, -2))
    in_one, in_other = _pairs(a.sum(-2)).sum(-1), _pairs(b.sum(-2)).sum(-1)
    expected = in_one * in_other / max(_pairs(np.array(one.shape[-1])), 1)
    most = (in_one + in_other) / 2
    # Where all is one cluster, or each its own, in both, they are the same.
    index: Floats = np.ones_like(shared)
    np.divide(shared - expected, most - expected, out=index, where=most > expected)
    return index


def _kept(n: int, k: int, resamples: int, seed: list[int]) -> Labels:
    """Which models each resample keeps: (b, size), in study order; at least ``k`` of them."""
    size = max(n - max(round(SHARE_LEFT_OUT * n), 1), k)
    if math.comb(n, size) <= resamples:
        return np.array(list(itertools.combinations(range(n), size)), dtype=np.int64)
    random = np.random.default_rng(seed)
    orders: Labels = random.permuted(np.tile(np.arange(n), (resamples, 1)), axis=1)
    return np.sort(orders[:, :size], axis=1)


def _compared(kept: Labels, divisions: Labels, labels: Labels) -> Stability:
    """``divisions`` (b, m) of the models ``kept`` (b, m) against ``labels`` (n,) of all."""
    b, n = len(kept), len(labels)
    member = _member(divisions)
    places = np.zeros((b, n, member.shape[-1]))
    places[np.arange(b)[:, None], kept] = member
    by_model = np.swapaxes(places, 0, 1).reshape(n, -1)
    present = places.sum(-1).T
    together, both = by_model @ by_model.T, present @ present.T
    share = np.divide(together, both, out=np.full((n, n), np.nan), where=both > 0)
    return Stability(adjusted_rand(divisions, labels[kept]), share)


def _member(labels: Labels) -> Floats:
    """1 where a model is in a cluster: (b, n, k)."""
    member: Floats = np.eye(int(labels.max()) + 1)[labels]
    return member


def _pairs(sizes: Floats) -> Floats:
    pairs: Floats = sizes * (sizes - 1) / 2
    return pairs
