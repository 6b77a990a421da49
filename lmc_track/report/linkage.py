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

    @property
    def corners(self) -> list[tuple[float, float]]:
        """(place, tau) from the foot of the left stem to that of the right."""
        (left, right), (low, high) = self.places, self.low
        return [(left, low), (left, self.tau), (right, self.tau), (right, high)]


def read_merges(tree: pl.DataFrame) -> list[Merge]:
    """The merges of a ``merge_tree``; those at an unknown τ are left out."""
    columns = ("tau", "first_a", "first_b")
    return [Merge(*row) for row in tree.drop_nulls("tau").select(columns).iter_rows()]


@dataclass(frozen=True)
class _Part:
    """A component: its leaves as they should lie, and the cluster and place of each."""

    leaves: tuple[str, ...]
    ranks: tuple[tuple[int, int], ...]

    @property
    def middle(self) -> tuple[float, float]:
        n = len(self.ranks)
        return sum(c for c, _ in self.ranks) / n, sum(p for _, p in self.ranks) / n


def leaf_order(
    merges: Sequence[Merge], names: Sequence[str], cluster_of: Mapping[str, int | None]
) -> list[str]:
    """``names`` by cluster, those without one last, and within a cluster as the tree has them.

    ``names`` are in study order. Where every cluster is a part of the tree its lines do not cross.
    """
    clusters = [cluster_of.get(name) for name in names]
    last = 1 + max((c for c in clusters if c is not None), default=-1)
    place = {name: k for k, name in enumerate(names)}
    rank = {
        name: (last if cluster is None else cluster, place[name])
        for name, cluster in zip(names, clusters, strict=True)
    }
    parts = {name: _Part((name,), (rank[name],)) for name in names}
    for merge in merges:
        if merge.first not in parts or merge.second not in parts:
            continue
        a, b = parts.pop(merge.first), parts.pop(merge.second)
        low, high = (a, b) if a.middle <= b.middle else (b, a)
        first = min(merge.first, merge.second, key=place.__getitem__)
        parts[first] = _Part(low.leaves + high.leaves, low.ranks + high.ranks)
    ordered = [
        name
        for part in sorted(parts.values(), key=lambda part: part.middle)
        for name in part.leaves
    ]
    return sorted(ordered, key=lambda name: rank[name][0])


def branches(
    merges: Sequence[Merge], order: Sequence[str], cluster_of: Mapping[str, int | None]
) -> Iterator[Branch]:
    """The tree's brackets from the lowest up; a place is the index of a model in ``order``."""
    tops = {name: (float(k), 0.0, cluster_of.get(name)) for k, name in enumerate(order)}
    for merge in merges:
        a, b = merge.first, merge.second
        if a not in tops or b not in tops:
            continue
        (left, low, one), (right, high, other) = sorted((tops[a], tops[b]), key=lambda top: top[0])
        cluster = one if one == other else None
        yield Branch((left, right), (low, high), merge.tau, cluster)
        # Either name may be the joined component's own in later rows.
        tops[a] = tops[b] = ((left + right) / 2, merge.tau, cluster)
