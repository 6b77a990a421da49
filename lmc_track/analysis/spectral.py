"""Spectral clustering of models by their gaps, small enough to be repeated under permutation.

Ng, Jordan and Weiss (2001): the rows of the leading eigenvectors of D^(-1/2) A D^(-1/2), scaled
to unit length, clustered by k-means; A is the affinity of Juneja et al. (2023).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]

_KMEANS_STEPS = 50


def affinity(gaps: Matrix, delta: float) -> Matrix:
    """exp(-d^2 / 2 delta^2) of the gaps d, shape (n, n), diagonal 1."""
    values: Matrix = np.exp(-(gaps**2) / (2 * delta**2))
    np.fill_diagonal(values, 1.0)
    return values


def median_gap(gaps: Matrix) -> float:
    """delta: the median of the gaps that are not zero; 0 where all are."""
    above = gaps[np.triu_indices(len(gaps), 1)]
    above = above[above > 0]
    return float(np.median(above)) if len(above) else 0.0


def leading_eigenvectors(gaps: Matrix, delta: float, most: int) -> Matrix:
    """The ``most`` leading eigenvectors of the normalised affinity as columns, shape (n, most)."""
    weights = affinity(gaps, delta)
    scale = 1 / np.sqrt(weights.sum(axis=1))
    _, vectors = np.linalg.eigh(scale[:, None] * weights * scale[None, :])
    leading: Matrix = vectors[:, ::-1][:, :most]
    return leading


def partition(eigenvectors: Matrix, k: int) -> Labels:
    """Labels (n,) of ``k`` clusters from the first ``k`` eigenvectors."""
    rows = eigenvectors[:, :k]
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return _kmeans(rows / np.where(lengths > 0, lengths, 1.0), k)


def _kmeans(rows: Matrix, k: int) -> Labels:
    """Lloyd's algorithm from centres spread by farthest-first choice: no chance in it."""
    centres = [rows[int(np.argmax(((rows - rows.mean(axis=0)) ** 2).sum(axis=1)))]]
    while len(centres) < k:
        apart = ((rows[:, None] - np.array(centres)[None]) ** 2).sum(axis=2).min(axis=1)
        centres.append(rows[int(np.argmax(apart))])
    means = np.array(centres)
    labels = np.full(len(rows), -1)
    for _ in range(_KMEANS_STEPS):
        nearest = ((rows[:, None] - means[None]) ** 2).sum(axis=2).argmin(axis=1)
        if np.array_equal(nearest, labels):
            break
        labels = nearest
        means = np.array(
            [rows[labels == c].mean(axis=0) if (labels == c).any() else means[c] for c in range(k)]
        )
    return labels.astype(np.int64)


def silhouette(gaps: Matrix, labels: Labels) -> float:
    """Mean silhouette (Rousseeuw 1987) with the gaps as distances; -1 for a single cluster.

    A model alone in its cluster counts 0.
    """
    k = int(labels.max()) + 1
    member = np.eye(k)[labels]
    sizes = member.sum(axis=0)
    if (sizes > 0).sum() < 2:
        return -1.0
    sums = gaps @ member
    own = sizes[labels]
    rows = np.arange(len(labels))
    inside = sums[rows, labels] / np.maximum(own - 1, 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(sizes > 0, sums / sizes, np.inf)
    means[rows, labels] = np.inf
    outside = means.min(axis=1)
    larger = np.maximum(inside, outside)
    scores = np.where(
        (own > 1) & (larger > 0), (outside - inside) / np.where(larger > 0, larger, 1), 0
    )
    return float(scores.mean())
