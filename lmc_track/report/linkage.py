"""The merge tree of the gaps as figures draw it: an order of the models, and the tree's lines.

Knows the columns of ``merge_tree``, whose rows are single linkage's merges by rising τ. Refuses to
know how gaps come about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Merge:
    """Two components become one at ``tau`` nats; each is named by its first model."""

    tau: float
    first: str
    second: str


@dataclass(frozen=True)
class Branch:
    """A bracket of the tree: two stems from ``low`` up to ``tau``, joined by a bar.

    ``places`` and ``low`` are of the left and of the right stem. ``cluster`` is the one of all
    models below, or None where they are of several.
    """

    places: tuple[float, float]
    low: tuple[float, float]
    tau: float
    cluster: int | None


def read_merges(tree: pl.DataFrame) -> list[Merge]:
    """The merges of a ``merge_tree``; those at an unknown τ are left out."""
    columns = ("tau", "first_a", "first_b")
    return [Merge(*row) for row in tree.drop_nulls("tau").select(columns).iter_rows()]


def leaf_order(
    merges: Sequence[Merge], names: Sequence[str], cluster_of: Mapping[str, int | None]
) -> list[str]:
    """``names`` by cluster, those without one last, and within a cluster as the tree has them.

    Where every cluster is a part of the tree its lines do not cross.
    """
    leaves = {name: [name] for name in names}
    for merge in merges:
        if merge.first in leaves and merge.second in leaves:
            leaves[merge.first] += leaves.pop(merge.second)
    in_tree = [name for members in leaves.values() for name in members]
    clusters = [cluster_of.get(name) for name in in_tree]
    order = sorted(range(len(in_tree)), key=lambda k: (clusters[k] is None, clusters[k] or 0, k))
    return [in_tree[k] for k in order]


def branches(
    merges: Sequence[Merge], order: Sequence[str], cluster_of: Mapping[str, int | None]
) -> Iterator[Branch]:
    """The tree's brackets from the lowest up; a place is the index of a model in ``order``."""
    place = {name: float(k) for k, name in enumerate(order)}
    height = dict.fromkeys(order, 0.0)
    cluster = {name: cluster_of.get(name) for name in order}
    for merge in merges:
        a, b = merge.first, merge.second
        if a not in place or b not in place:
            continue
        one = cluster[a] if cluster[a] == cluster[b] else None
        ends = (a, b) if place[a] <= place[b] else (b, a)
        yield Branch(
            places=(place[ends[0]], place[ends[1]]),
            low=(height[ends[0]], height[ends[1]]),
            tau=merge.tau,
            cluster=one,
        )
        place[a], height[a], cluster[a] = (place[a] + place[b]) / 2, merge.tau, one
