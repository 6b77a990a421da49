"""The rule for one cluster against more: four conditions, and the sentence that states them.

The rule was fixed on the trials in ``docs/results/rule-trials.md``. Every number it looks at
comes from held-out gaps; the division it judges was made from discovery gaps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lmc_track.analysis.partition import Floats, Labels

# Nats. A coin that is right 66 times in 100 and says so gains as much over an even one.
LEAST_HEADROOM = 0.05

_WORDS = {2: "Two", 3: "Three", 4: "Four", 5: "Five", 6: "Six", 7: "Seven", 8: "Eight"}


@dataclass(frozen=True)
class Rule:
    """When a division counts.

    ``significance``: the greatest p. ``least_relative_gap``: the least mean gap between any two
    clusters, as a share of ``chance_headroom`` (nats), what the models gained over chance; where
    that is less than ``least_headroom`` (nats) no gap has a scale to be judged by.
    """

    significance: float
    least_relative_gap: float
    chance_headroom: float
    least_headroom: float = LEAST_HEADROOM

    def relative(self, gap: float) -> float | None:
        """``gap`` (nats) as a share of the way to chance; None when the models gained nothing."""
        return gap / self.chance_headroom if self.chance_headroom > 0 else None


@dataclass(frozen=True)
class ClusterGaps:
    """Mean gaps in nats over pairs of models: within clusters, between them, and by cluster.

    ``by_cluster``: (k, k), the diagonal within each cluster. A mean over no pairs is NaN.
    """

    within: float
    between: float
    by_cluster: Floats

    @property
    def nearest(self) -> float:
        """The mean gap between the two clusters that are nearest each other."""
        return float(np.min(self._to_others()))

    def loosest(self) -> tuple[float, float]:
        """Of the cluster that holds together least: mean gap within, and to its nearest other.

        A cluster of one model, without a gap within, holds together.
        """
        within = np.nan_to_num(np.diag(self.by_cluster))
        to_others = self._to_others().min(1)
        cluster = int(np.argmax(within - to_others))
        return float(within[cluster]), float(to_others[cluster])

    def _to_others(self) -> Floats:
        return np.where(np.eye(len(self.by_cluster), dtype=bool), np.inf, self.by_cluster)


def gaps_by_cluster(gaps: Floats, labels: Labels) -> ClusterGaps:
    """Mean ``gaps`` (n, n) in nats of models with ``labels`` (n,), which count from 0."""
    first, second = np.triu_indices(len(labels), 1)
    values, a, b = gaps[first, second], labels[first], labels[second]
    k = int(labels.max()) + 1
    by_cluster = np.array(
        [
            [_mean(values[((a == i) & (b == j)) | ((a == j) & (b == i))]) for j in range(k)]
            for i in range(k)
        ]
    )
    return ClusterGaps(_mean(values[a == b]), _mean(values[a != b]), by_cluster)


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")


@dataclass(frozen=True)
class Evidence:
    """What held-out gaps say about a division into clusters of ``sizes``.

    ``p_value``: of the mean ``silhouette``, against permuted gap matrices. ``p_noise``: of the
    mean gap between clusters minus that within, against the noise of measurement; None where
    single examples' losses are not known.
    """

    sizes: tuple[int, ...]
    silhouette: float
    p_value: float
    gaps: ClusterGaps
    p_noise: float | None = None


def shortcomings(evidence: Evidence, rule: Rule) -> list[str]:
    """The conditions that the division fails, as clauses; empty when it counts.

    1. p at most ``significance``: so high a silhouette is rare among permuted gaps.
    2. Any two clusters on average at least ``least_relative_gap`` of the way to chance apart,
       of models that are at least ``least_headroom`` nats away from it.
    3. Every cluster holds together: its mean gap within is less than to any other cluster.
    4. ``p_noise`` at most ``significance``, where it is known: paths without gaps, measured on
       so few examples, would rarely seem so divided.
    """
    failed = []
    if evidence.p_value > rule.significance:
        failed.append(
            f"its held-out silhouette, {evidence.silhouette:.2f}, is not rare among permuted "
            f"gap matrices (p = {evidence.p_value:.3g}, more than {rule.significance:g})"
        )
    nearest = evidence.gaps.nearest
    share = rule.relative(nearest)
    if share is None:
        failed.append("the models' mean held-out loss is no better than chance")
    elif rule.chance_headroom < rule.least_headroom:
        failed.append(
            f"the models' mean held-out loss is only {rule.chance_headroom:.2g} nats better than "
            f"chance, and gaps are not judged where that is less than {rule.least_headroom:g}"
        )
    elif share < rule.least_relative_gap:
        whose = "its clusters" if len(evidence.sizes) == 2 else "its two nearest clusters"
        failed.append(
            f"the mean held-out gap between {whose}, {nearest:.2g} nats, is {share:.0%} of the "
            f"way to chance, less than {rule.least_relative_gap:.0%}"
        )
    within, to_other = evidence.gaps.loosest()
    if within >= to_other:
        failed.append(
            f"the mean held-out gap within one of its clusters, {within:.2g} nats, is no less "
            f"than from there to another, {to_other:.2g} nats"
        )
    if evidence.p_noise is not None and evidence.p_noise > rule.significance:
        failed.append(
            f"noise of measurement alone makes such gaps between clusters "
            f"(p = {evidence.p_noise:.3g}, more than {rule.significance:g})"
        )
    return failed


def decision(evidence: Evidence, rule: Rule, permutations: int) -> str:
    """One sentence: how many clusters there are, and the numbers that this rests on."""
    failed = shortcomings(evidence, rule)
    if failed:
        sizes = _listing([str(size) for size in evidence.sizes])
        return f"One cluster: of the best division, into {sizes} models, {_listing(failed)}."
    k, gaps = len(evidence.sizes), evidence.gaps
    nearest = "" if k == 2 else f" ({gaps.nearest:.2g} nats between the two nearest each other)"
    noise = (
        ""
        if evidence.p_noise is None
        else f"; noise of measurement does not explain it (p = {evidence.p_noise:.3g})"
    )
    return (
        f"{_WORDS.get(k, str(k))} clusters: the held-out silhouette, {evidence.silhouette:.2f}, "
        f"is rare among {permutations:,} permuted gap matrices (p = {evidence.p_value:.3g}), and "
        f"the mean held-out gap is {gaps.within:.2g} nats within clusters and "
        f"{gaps.between:.2g} nats between them, {rule.relative(gaps.between):.0%} of the way to "
        f"chance{nearest}{noise}."
    )


def _listing(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
