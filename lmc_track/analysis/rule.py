"""The rule for one cluster against more: three conditions, and the sentence that states them.

The rule was fixed on the trials in ``docs/results/rule-trials.md``. Every number it looks at
comes from held-out gaps; the division it judges was made from discovery gaps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lmc_track.analysis.partition import Floats, Labels

_WORDS = {2: "Two", 3: "Three", 4: "Four", 5: "Five", 6: "Six", 7: "Seven", 8: "Eight"}


@dataclass(frozen=True)
class Rule:
    """When a division counts.

    ``significance``: the greatest p. ``least_relative_gap``: the least mean gap between any two
    clusters, as a share of ``chance_headroom`` (nats), what the models gained over chance.
    """

    significance: float
    least_relative_gap: float
    chance_headroom: float


@dataclass(frozen=True)
class Evidence:
    """What held-out gaps say about a division of n models into clusters.

    Mean gaps in nats, over pairs of models: within clusters, between them, and ``nearest``, the
    least mean over pairs of clusters. ``p_value`` against permuted gaps.
    """

    sizes: tuple[int, ...]
    silhouette: float
    p_value: float
    gap_within: float
    gap_between: float
    gap_nearest: float


def gaps_of(gaps: Floats, labels: Labels) -> tuple[float, float, float]:
    """Mean gap within clusters, between them, and between the two clusters nearest each other.

    ``gaps`` (n, n) in nats, ``labels`` (n,) from 0. A mean over no pairs is NaN.
    """
    first, second = np.triu_indices(len(labels), 1)
    values, a, b = gaps[first, second], labels[first], labels[second]
    between = [
        _mean(values[((a == i) & (b == j)) | ((a == j) & (b == i))])
        for i in range(int(labels.max()) + 1)
        for j in range(i)
    ]
    return _mean(values[a == b]), _mean(values[a != b]), min(between, default=float("nan"))


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")


def relative(gap: float, rule: Rule) -> float | None:
    """``gap`` (nats) as a share of the way to chance; None when the models gained nothing."""
    return gap / rule.chance_headroom if rule.chance_headroom > 0 else None


def shortcomings(evidence: Evidence, rule: Rule) -> list[str]:
    """The conditions that the division fails, as clauses; empty when it counts.

    1. p at most ``significance``: so high a silhouette is rare among permuted gaps.
    2. Any two clusters on average at least ``least_relative_gap`` of the way to chance apart.
    3. The mean gap between clusters greater than within them.
    """
    failed = []
    if evidence.p_value > rule.significance:
        failed.append(
            f"its held-out silhouette, {evidence.silhouette:.2f}, is not rare among permuted "
            f"gap matrices (p = {evidence.p_value:.3g}, more than {rule.significance:g})"
        )
    share = relative(evidence.gap_nearest, rule)
    if share is None:
        failed.append("the models' mean held-out loss is no better than chance")
    elif share < rule.least_relative_gap:
        whose = "its clusters" if len(evidence.sizes) == 2 else "its two nearest clusters"
        failed.append(
            f"the mean held-out gap between {whose}, {evidence.gap_nearest:.2g} nats, is "
            f"{share:.0%} of the way to chance, less than {rule.least_relative_gap:.0%}"
        )
    if evidence.gap_between <= evidence.gap_within:
        failed.append(
            f"the mean held-out gap, {evidence.gap_between:.2g} nats between its clusters, is "
            f"no less within them, {evidence.gap_within:.2g}"
        )
    return failed


def decision(evidence: Evidence, rule: Rule, permutations: int) -> str:
    """One sentence: how many clusters there are, and the numbers that this rests on."""
    failed = shortcomings(evidence, rule)
    if failed:
        sizes = _listing([str(size) for size in evidence.sizes])
        return f"One cluster: of the best division, into {sizes} models, {_listing(failed)}."
    k = len(evidence.sizes)
    nearest = (
        "" if k == 2 else f", {evidence.gap_nearest:.2g} nats between the two nearest each other"
    )
    return (
        f"{_WORDS.get(k, str(k))} clusters: the held-out silhouette, {evidence.silhouette:.2f}, "
        f"is rare among {permutations:,} permuted gap matrices (p = {evidence.p_value:.3g}), and "
        f"the mean held-out gap is {evidence.gap_within:.2g} nats within clusters and "
        f"{evidence.gap_between:.2g} nats between them, "
        f"{evidence.gap_between / rule.chance_headroom:.0%} of the way to chance{nearest}."
    )


def _listing(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
