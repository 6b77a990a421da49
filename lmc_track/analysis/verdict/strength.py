"""How far apart clusters are: apart from whether they exist, and without a bar.

The share of the way to chance is measured from the valley of the paths, the lowest loss on them,
and not from their ends: finetuned models are often surer of themselves than they should be, and
the loss falls between them before it rises.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lmc_track.analysis.clustering import Floats, Labels

# Nats. A coin that is right 66 times in 100 and says so gains as much over an even one.
LEAST_HEADROOM = 0.05

# The scale: from this share of the way to chance on, clusters are separated in that word.
SCALE = ((0.0, "weakly"), (0.05, "clearly"), (0.5, "wholly"))


@dataclass(frozen=True)
class Strength:
    """Mean gaps over pairs of models, within clusters and between them, in one unit.

    ``by_cluster``: (k, k), the diagonal within each cluster; a mean over no pairs is NaN.
    ``headroom``: from the valley of the paths to chance, in the same unit; None where unknown.
    """

    within: float
    between: float
    by_cluster: Floats
    headroom: float | None

    @property
    def ratio(self) -> float | None:
        """How many times the mean gap within that between is; None where none is within."""
        return self.between / self.within if self.within > 0 else None

    @property
    def nearest(self) -> float:
        """The mean gap between the two clusters that are nearest each other."""
        apart = self.by_cluster[~np.eye(len(self.by_cluster), dtype=bool)]
        return float(np.min(apart)) if len(apart) else float("nan")

    @property
    def share(self) -> float | None:
        """The mean gap between as a share of the headroom; None where that hardly exists."""
        if self.headroom is None or self.headroom < LEAST_HEADROOM:
            return None
        return self.between / self.headroom

    @property
    def word(self) -> str | None:
        """The word of ``SCALE`` for the share."""
        share = self.share
        if share is None or np.isnan(share):
            return None
        return [word for least, word in SCALE if share >= least][-1]


def strength(gaps: Floats, labels: Labels, headroom: float | None = None) -> Strength:
    """The strength of a division of ``gaps`` (n, n) by ``labels`` (n,), which count from 0."""
    first, second = np.triu_indices(len(labels), 1)
    values, a, b = gaps[first, second], labels[first], labels[second]
    k = int(labels.max()) + 1
    by_cluster = np.array(
        [
            [_mean(values[((a == i) & (b == j)) | ((a == j) & (b == i))]) for j in range(k)]
            for i in range(k)
        ]
    )
    return Strength(_mean(values[a == b]), _mean(values[a != b]), by_cluster, headroom)


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")
