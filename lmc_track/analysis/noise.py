"""One cluster against the noise of measurement: could paths that are all flat look divided so?

The null hypothesis is that no path has a gap, and that what was measured is what so few examples
make of it. The permutation test of ``search`` asks another question: whether gaps, be they real,
belong to no structure.
"""

from __future__ import annotations

import numpy as np

from lmc_track.analysis.partition import Floats, Labels, median_gaps
from lmc_track.analysis.search import best_divisions

_ROUNDING = 1e-9


def contrast(gaps: Floats, labels: Labels) -> Floats:
    """Mean gap between clusters minus mean gap within, in nats: (b,).

    ``gaps``: (b, n, n). ``labels``: (b, n). NaN where all pairs are between, or all within.
    """
    first, second = np.triu_indices(labels.shape[-1], 1)
    values = gaps[:, first, second]
    same = labels[:, first] == labels[:, second]
    with np.errstate(invalid="ignore"):
        within = (values * same).sum(-1) / same.sum(-1)
        between = (values * ~same).sum(-1) / (~same).sum(-1)
    result: Floats = between - within
    return result


def null_contrasts(discovery: Floats, held_out: Floats, max_clusters: int) -> Floats:
    """The contrast of the best division of each of b pairs of null gap matrices (b, n, n).

    Each pair is searched as the measured one was: δ, memberships and k from discovery gaps, the
    contrast from held-out ones. −∞ where nothing was found to divide.
    """
    delta = median_gaps(discovery)
    scale = np.where(np.isnan(delta), 1.0, delta)[:, None, None]
    best = best_divisions(discovery / scale, held_out / scale, 1.0, max_clusters)
    values = contrast(held_out, best.labels)
    return np.where(best.found & ~np.isnan(delta) & ~np.isnan(values), values, -np.inf)


def noise_p(observed: float, null: Floats) -> float:
    """p of the contrast ``observed`` (nats): (1 + reached) / (1 + b), for ``null`` ones (b,)."""
    return float((1 + np.sum(null >= observed - _ROUNDING)) / (1 + len(null)))
