"""Spectral partitions of models from their gaps, computed for many gap matrices at once.

Knows matrices and labels. What counts as a cluster is decided in ``clustering``; that observed
and permuted matrices go through this same code is what makes the permutation test fair.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


def median_gap(gaps: Floats) -> float:
    """δ: the median of the non-zero gaps of ``gaps`` (n, n), in nats; NaN when all are zero."""
    pairs = gaps[np.triu_indices(len(gaps), 1)]
    return float(np.median(pairs[pairs > 0])) if np.any(pairs > 0) else float("nan")


def affinity(gaps: Floats, delta: float) -> Floats:
    """exp(−d²/2δ²) for gaps d (…, n, n) and scale ``delta`` in nats (Juneja et al. 2023).

    Raises:
        ValueError: ``delta`` is not above 0.
    """
    if not delta > 0:
        raise ValueError(f"delta must be above 0, not {delta}")
    scaled: Floats = np.exp(-0.5 * np.square(gaps / delta))
    return scaled


def spectral_embedding(affinities: Floats) -> Floats:
    """Eigenvectors of D^−½ A D^−½ by falling eigenvalue, (…, n, n), one in each column.

    D is the diagonal of row sums; the first k columns embed the n models for k clusters
    (Ng, Jordan, Weiss 2001).
    """
    scale = 1 / np.sqrt(affinities.sum(-1))
    _, vectors = np.linalg.eigh(affinities * scale[..., :, None] * scale[..., None, :])
    falling: Floats = vectors[..., ::-1]
    return falling


def partition(embedding: Floats, k: int) -> Labels:
    """Labels (b, n) of each of b embeddings (b, n, m), m ≥ ``k``, into at most ``k`` clusters.

    The k rows that a pivoted QR picks stand for the clusters; after the rotation that takes
    them closest to the axes, each model goes to its largest coordinate (CPQR, Damle, Minden,
    Ying 2019). Without random starts the outcome does not depend on a seed or on model order.
    """
    rows = embedding[..., :k]
    batch = np.arange(len(rows))
    residual = rows.copy()
    pivots = np.empty((len(rows), k), dtype=np.int64)
    for step in range(k):
        norms = np.einsum("bnk,bnk->bn", residual, residual)
        pivots[:, step] = norms.argmax(-1)
        direction = residual[batch, pivots[:, step]]
        length = np.sqrt(np.einsum("bk,bk->b", direction, direction))
        direction = direction / np.maximum(length, np.finfo(np.float64).tiny)[:, None]
        along = np.einsum("bnk,bk->bn", residual, direction)
        residual = residual - along[..., None] * direction[:, None, :]
    chosen = rows[batch[:, None], pivots]
    left, _, right = np.linalg.svd(np.swapaxes(chosen, -1, -2))
    coordinates = np.abs(rows @ (left @ right))
    return coordinates.argmax(-1)


def silhouette(distances: Floats, labels: Labels, k: int) -> Floats:
    """Mean silhouette (b,) of labels (b, n) in 0 … k−1 over distances (b, n, n).

    A model alone in its cluster counts 0, as do models at distance 0 from everything; labels
    that are all equal give −1 (Rousseeuw 1987).
    """
    member = np.eye(k)[labels]
    sizes = member.sum(-2)
    sums = distances @ member
    own = np.take_along_axis(sizes, labels, -1)
    inner = np.take_along_axis(sums, labels[..., None], -1)[..., 0]
    inner = inner / np.maximum(own - 1, 1)
    means = sums / np.maximum(sizes, 1)[..., None, :]
    outside = (member == 0) & (sizes > 0)[..., None, :]
    outer = np.where(outside, means, np.inf).min(-1)
    larger = np.maximum(inner, outer)
    divided = np.isfinite(outer)
    usable = divided & (larger > 0) & (own > 1)
    values = np.divide(outer - inner, larger, out=np.zeros_like(inner), where=usable)
    return np.where(divided.all(-1), values.mean(-1), -1.0)
