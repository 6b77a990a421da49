"""What speaks for each number of clusters: eigengap and silhouettes, one row a k.

k is chosen by the discovery silhouette (``search``). The eigengap is recorded beside it, as a
second opinion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lmc_track.analysis.partition import (
    Embedding,
    Floats,
    cluster_sizes,
    partition,
    silhouette,
)
from lmc_track.analysis.search import is_usable, numbers_tried


@dataclass(frozen=True)
class Choice:
    """Models divided into ``k`` clusters.

    ``eigenvalue``: the k-th of D^−½ A D^−½. ``eigengap``: it minus the next. Silhouettes and
    sizes (falling) are those of the division, None for one cluster. ``usable``: whether two
    clusters have two models or more.
    """

    k: int
    eigenvalue: float
    eigengap: float
    discovery_silhouette: float | None
    held_out_silhouette: float | None
    sizes: tuple[int, ...]
    usable: bool


def choices(
    embedding: Embedding, discovery: Floats, held_out: Floats, max_clusters: int
) -> list[Choice]:
    """One cluster and every k tried on gaps (n, n), of which ``embedding`` (b = 1) is."""
    values, n = embedding.values[0], len(discovery)
    found = [Choice(1, float(values[0]), float(values[0] - values[1]), None, None, (n,), False)]
    for k in numbers_tried(n, max_clusters):
        labels = partition(embedding, k)
        found.append(
            Choice(
                k,
                float(values[k - 1]),
                float(values[k - 1] - values[k]),
                float(silhouette(discovery[None], labels, k)[0]),
                float(silhouette(held_out[None], labels, k)[0]),
                tuple(sorted((int(size) for size in cluster_sizes(labels, k)[0]), reverse=True)),
                bool(is_usable(labels, k)[0]),
            )
        )
    return found


def eigengap_choice(found: list[Choice]) -> int | None:
    """The k of the greatest eigengap among those tried, the smallest of equals; None of none.

    One cluster is not among them. With δ the median gap, affinities between clusters are never
    small, and the gap after the first eigenvalue is the greatest even of clear clusters.
    """
    tried = [choice for choice in found if choice.k > 1]
    if not tried:
        return None
    return tried[int(np.argmax([round(choice.eigengap, 9) for choice in tried]))].k
