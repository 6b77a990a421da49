"""How clusters are numbered."""

from __future__ import annotations

import numpy as np

from lmc_track.analysis.verdict.division import Labels


def number_clusters(labels: Labels) -> Labels:
    """``labels`` (n,) renumbered from 0 by falling size, ties by the place of the first model."""
    _, first, inverse, sizes = np.unique(
        labels, return_index=True, return_inverse=True, return_counts=True
    )
    number = np.empty(len(sizes), dtype=np.int64)
    number[np.lexsort((first, -sizes))] = np.arange(len(sizes))
    return number[inverse]
