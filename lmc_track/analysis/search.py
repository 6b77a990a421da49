"""The search for a division of the models, and how it fares on permuted gaps.

A division is made from discovery gaps and scored on held-out ones. The null hypothesis is that
gaps belong to no structure among the models: any pair could have had any pair's gap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lmc_track.analysis.partition import (
    Floats,
    Labels,
    affinity,
    cluster_sizes,
    partition,
    silhouette,
    spectral_embedding,
)

SMALLEST_CLUSTER = 2
_MATRIX_ENTRIES = 1 << 20
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Divisions:
    """The best division of each of b pairs of gap matrices.

    ``labels``: (b, n), of a division into ``k`` (b,). ``held_out_silhouette``: (b,), −1 where
    ``found`` (b,) is false, because no division had two clusters of ``SMALLEST_CLUSTER`` models.
    """

    labels: Labels
    k: Labels
    held_out_silhouette: Floats
    found: NDArray[np.bool_]


def numbers_tried(n: int, max_clusters: int) -> range:
    """The numbers of clusters that ``n`` models are divided into."""
    return range(2, min(max_clusters, n - 2) + 1)


def is_usable(labels: Labels, k: int) -> NDArray[np.bool_]:
    """Whether two clusters of labels (b, n) have ``SMALLEST_CLUSTER`` models or more: (b,)."""
    usable: NDArray[np.bool_] = (cluster_sizes(labels, k) >= SMALLEST_CLUSTER).sum(-1) >= 2
    return usable


def best_divisions(
    discovery: Floats, held_out: Floats, delta: float, max_clusters: int
) -> Divisions:
    """Divide n models by ``discovery`` gaps (b, n, n); score by ``held_out`` ones (b, n, n).

    Of the spectral partitions into 2 … ``max_clusters`` clusters, the one with the greatest
    discovery silhouette is best. Partitions without two clusters of at least two models are
    passed over: one model apart has no gap within, so nothing shows it to be of a kind.
    """
    embedding = spectral_embedding(affinity(discovery, delta))
    b, n = embedding.degrees.shape
    labels = np.zeros((b, n), dtype=np.int64)
    number = np.ones(b, dtype=np.int64)
    chosen_by, scores = np.full(b, -np.inf), np.full(b, -1.0)
    for k in numbers_tried(n, max_clusters):
        candidate = partition(embedding, k)
        value = np.where(is_usable(candidate, k), silhouette(discovery, candidate, k), -np.inf)
        better = value > chosen_by + _ROUNDING
        labels[better] = candidate[better]
        scores[better] = silhouette(held_out[better], candidate[better], k)
        chosen_by[better], number[better] = value[better], k
    return Divisions(labels, number, scores, np.isfinite(chosen_by))


def permutation_p(
    discovery: Floats,
    held_out: Floats,
    observed: float,
    *,
    delta: float,
    max_clusters: int,
    permutations: int,
    seed: int,
) -> float:
    """p of the held-out silhouette ``observed``: (1 + reached) / (1 + ``permutations``).

    Each permutation deals the gaps of the pairs anew, one order for both halves, so that a
    pair's two gaps stay together, and repeats the whole search, the choice of k included.
    ``discovery`` and ``held_out``: (n, n) in nats.
    """
    n = len(discovery)
    upper = np.triu_indices(n, 1)
    random = np.random.default_rng(seed)
    reached = 0
    at_once = max(1, _MATRIX_ENTRIES // n**2)
    for start in range(0, permutations, at_once):
        count = min(at_once, permutations - start)
        orders = random.permuted(np.tile(np.arange(len(upper[0])), (count, 1)), axis=1)
        halves = []
        for gaps in (discovery, held_out):
            dealt = np.zeros((count, n, n))
            dealt[:, upper[0], upper[1]] = gaps[upper][orders]
            halves.append(dealt + np.swapaxes(dealt, -1, -2))
        scores = best_divisions(halves[0], halves[1], delta, max_clusters).held_out_silhouette
        reached += int(np.sum(scores >= observed - _ROUNDING))
    return (1 + reached) / (1 + permutations)
