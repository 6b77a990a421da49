"""Clusters of models, of which there may be one only: what every clustering says.

Knows matrices of gaps, in study order. It does not know where they come from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

APART = -1
"""The label of a single model that was set apart and is in no cluster."""


@dataclass(frozen=True)
class Clustering:
    """Clusters of n models.

    ``labels``: (n,) in study order; clusters are numbered from 0 by falling size, ties by the
    place of their first model; ``APART`` is no cluster. ``settings``: what was asked for.
    ``statistics``: what was measured; a value that is not defined is None.

    ``embedding``: (n, d), places of the models that their gaps give; ``centroid_distances``:
    (n, n_clusters), how far each is there from the mean place of cluster 0, 1, ….
    ``together_by_examples``, ``together_by_models``: (n, n), the shares of resamples in which two
    models are in one cluster. None where there is no such thing.
    """

    labels: Labels
    n_clusters: int
    settings: dict[str, Any]
    statistics: dict[str, Any]
    embedding: Floats | None = None
    centroid_distances: Floats | None = None
    together_by_examples: Floats | None = None
    together_by_models: Floats | None = None


def number_clusters(labels: Labels) -> Labels:
    """``labels`` (n,) renumbered from 0 by falling size, ties by the place of the first model.

    Models that are set apart stay so.
    """
    placed = labels != APART
    _, first, inverse, sizes = np.unique(
        labels[placed], return_index=True, return_inverse=True, return_counts=True
    )
    number = np.empty(len(sizes), dtype=np.int64)
    number[np.lexsort((first, -sizes))] = np.arange(len(sizes))
    renumbered = np.full(len(labels), APART, dtype=np.int64)
    renumbered[placed] = number[inverse]
    return renumbered


def checked_gaps(gaps: ArrayLike, name: str) -> Floats:
    """``gaps`` as a matrix (n, n) of finite gaps; ``name`` is what an error calls them.

    Raises:
        ValueError: it is not square and symmetric, a pair has no gap, or one is negative.
    """
    try:
        matrix = np.array(gaps, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} is not a matrix of numbers: give gaps as (n, n)") from None
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"{name} is of shape {matrix.shape}: give gaps as a square matrix (n, n)")
    n = len(matrix)
    if n == 0:
        raise ValueError(f"{name} is of no models: give the gaps of at least one")
    upper, lower = matrix[np.triu_indices(n, 1)], matrix.T[np.triu_indices(n, 1)]
    missing = int((np.isnan(upper) | np.isnan(lower)).sum())
    if missing:
        raise ValueError(
            f"{missing} of {len(upper)} pairs of models have no gap in {name}: measure all pairs, "
            "or leave out a model"
        )
    if not np.isfinite(matrix).all():
        raise ValueError(f"{name} has gaps that are not finite: gaps must be numbers")
    if not np.allclose(upper, lower, rtol=1e-9, atol=1e-12):
        raise ValueError(f"{name} is not symmetric: the gap of a pair is the same both ways")
    if np.abs(np.diag(matrix)).max() > 1e-12:
        raise ValueError(f"{name} has gaps between a model and itself: the diagonal must be 0")
    if (upper < -1e-12).any():
        raise ValueError(f"{name} has negative gaps: a gap is at least 0")
    matrix = np.maximum((matrix + matrix.T) / 2, 0)
    np.fill_diagonal(matrix, 0)
    return matrix
