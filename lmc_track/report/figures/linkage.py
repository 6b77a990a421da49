"""Single linkage as lines to draw: which joins stand where, over leaves in a given order.

Reads the rows of the query ``merge_tree``; refuses to know how they are computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

Line = list[tuple[float, float]]
"""Corners (place among the leaves, tau) of one join."""


@dataclass(frozen=True)
class _Part:
    """A component: its leaves as they should lie, and the cluster and place of each."""

    leaves: tuple[str, ...]
    ranks: tuple[tuple[int, int], ...]

    @property
    def middle(self) -> tuple[float, float]:
        n = len(self.ranks)
        return sum(c for c, _ in self.ranks) / n, sum(p for _, p in self.ranks) / n


def leaf_order(merges: pl.DataFrame, models: Sequence[tuple[str, int | None]]) -> list[str]:
    """Names of ``models`` by cluster, and within a cluster so that joins do not cross.

    ``models``: (name, cluster) in study order; those without a cluster come last.
    """
    last = 1 + max((c for _, c in models if c is not None), default=-1)
    place = {name: k for k, (name, _) in enumerate(models)}
    rank = {name: (last if c is None else c, place[name]) for name, c in models}
    parts = {name: _Part((name,), (rank[name],)) for name, _ in models}
    for first_a, first_b in merges.select("first_a", "first_b").iter_rows():
        a, b = parts.pop(first_a), parts.pop(first_b)
        low, high = (a, b) if a.middle <= b.middle else (b, a)
        first = min(first_a, first_b, key=place.__getitem__)
        parts[first] = _Part(low.leaves + high.leaves, low.ranks + high.ranks)
    ordered = [
        name
        for part in sorted(parts.values(), key=lambda part: part.middle)
        for name in part.leaves
    ]
    return sorted(ordered, key=lambda name: rank[name][0])


def join_lines(merges: pl.DataFrame, order: Sequence[str]) -> list[Line]:
    """One line a merge, from component to component at the height of its tau.

    Leaves stand at 0, 1, … in ``order``. Where missing pairs leave components apart they stay so.
    """
    study_order = {name: k for k, name in enumerate(order)}
    tops: dict[str, tuple[float, float]] = {name: (k, 0.0) for name, k in study_order.items()}
    lines: list[Line] = []
    for first_a, first_b, tau in merges.select("first_a", "first_b", "tau").iter_rows():
        (xa, ya), (xb, yb) = tops[first_a], tops[first_b]
        lines.append([(xa, ya), (xa, tau), (xb, tau), (xb, yb)])
        # Either name may be the joined component's own in later rows.
        tops[first_a] = tops[first_b] = ((xa + xb) / 2, tau)
    return lines
