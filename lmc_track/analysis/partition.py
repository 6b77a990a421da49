"""Spectral partitions of models from their gaps, for many gap matrices at once.

Knows matrices and labels. Observed and permuted gap matrices go through this same code, which
is what makes the permutation test fair; what counts as a cluster is decided in ``rule``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

_MOST_ROUNDS = 30


def median_gap(gaps: Floats) -> float:
    """δ: the median of the non-zero gaps in ``gaps`` (n, n), in nats; NaN when all are zero."""
    return float(median_gaps(gaps[None])[0])


def median_gaps(gaps: Floats) -> Floats:
    """δ of each of ``gaps`` (b, n, n), as ``median_gap``: (b,)."""
    first, second = np.triu_indices(gaps.shape[-1], 1)
    return np.array([_median(pairs) for pairs in gaps[:, first, second]])


def _median(pairs: Floats) -> float:
    return float(np.median(pairs[pairs > 0])) if np.any(pairs > 0) else float("nan")


def affinity(gaps: Floats, delta: float) -> Floats:
    """exp(−d²/2δ²) of gaps d (…, n, n), with the scale ``delta`` in nats (Juneja et al. 2023).

    Raises:
        ValueError: ``delta`` is not above 0.
    """
    if not delta > 0:
        raise ValueError(f"delta must be above 0, not {delta}")
    affinities: Floats = np.exp(-0.5 * np.square(gaps / delta))
    return affinities


@dataclass(frozen=True)
class Embedding:
    """Eigenvectors of D^−½ A D^−½ by falling eigenvalue, for affinities A with row sums D.

    ``vectors``: (b, n, n), one vector in each column, the first k of which embed n models for k
    clusters. ``values``: the eigenvalues, (b, n). ``degrees``: D, (b, n).
    """

    vectors: Floats
    values: Floats
    degrees: Floats

    def places(self, k: int) -> Floats:
        """Where the models are for k clusters: the rows of D^−½ u, (b, n, k)."""
        places: Floats = self.vectors[..., :k] / np.sqrt(self.degrees)[..., None]
        return places


def spectral_embedding(affinities: Floats) -> Embedding:
    """The embedding of ``affinities`` (b, n, n) (Shi and Malik 2000; Ng, Jordan, Weiss 2001)."""
    degrees = affinities.sum(-1)
    scale = 1 / np.sqrt(degrees)
    values, vectors = np.linalg.eigh(affinities * scale[:, :, None] * scale[:, None, :])
    return Embedding(vectors[..., ::-1], values[..., ::-1], degrees)


def partition(embedding: Embedding, k: int) -> Labels:
    """Labels (b, n) of the embedded models: at most ``k`` clusters, numbered from 0.

    k-means on D^−½ u, as scikit-learn's spectral clustering, but begun from the partition of a
    pivoted QR instead of at random: it needs no seed, and does not depend on the order of the
    models.
    """
    return _k_means(embedding.places(k), _pivoted_qr(embedding.vectors[..., :k], k), k)


def _pivoted_qr(rows: Floats, k: int) -> Labels:
    """The partition of orthonormal ``rows`` (b, n, k) by CPQR (Damle, Minden, Ying 2019).

    The k rows that a pivoted QR picks stand for the clusters; after the rotation that takes
    them closest to the axes each model belongs to its largest coordinate.
    """
    batch = np.arange(len(rows))
    residual = rows.copy()
    pivots = np.empty((len(rows), k), dtype=np.int64)
    for step in range(k):
        pivots[:, step] = np.einsum("bnk,bnk->bn", residual, residual).argmax(-1)
        pivot = residual[batch, pivots[:, step]]
        length = np.linalg.norm(pivot, axis=-1, keepdims=True)
        direction = pivot / np.maximum(length, np.finfo(np.float64).tiny)
        along = np.einsum("bnk,bk->bn", residual, direction)
        residual -= along[..., None] * direction[:, None, :]
    chosen = rows[batch[:, None], pivots]
    left, _, right = np.linalg.svd(np.swapaxes(chosen, -1, -2))
    labels: Labels = np.abs(rows @ (left @ right)).argmax(-1)
    return labels


def _k_means(points: Floats, labels: Labels, k: int) -> Labels:
    """Lloyd's rounds on ``points`` (b, n, k) from ``labels``; a cluster that empties stays so."""
    for _ in range(_MOST_ROUNDS):
        member = np.eye(k)[labels]
        sizes = member.sum(-2)
        centres = np.swapaxes(member, -1, -2) @ points / np.maximum(sizes, 1)[..., None]
        distances = np.square(points[:, :, None, :] - centres[:, None, :, :]).sum(-1)
        distances[np.broadcast_to((sizes == 0)[:, None, :], distances.shape)] = np.inf
        nearest: Labels = distances.argmin(-1)
        if np.array_equal(nearest, labels):
            break
        labels = nearest
    return labels


def cluster_sizes(labels: Labels, k: int) -> Labels:
    """How many models of labels (b, n) each of the clusters 0 … k−1 has: (b, k)."""
    sizes: Labels = (labels[..., None] == np.arange(k)).sum(-2)
    return sizes


def silhouette(distances: Floats, labels: Labels, k: int) -> Floats:
    """Mean silhouette (b,) of labels (b, n) in 0 … k−1 over distances (b, n, n).

    Rousseeuw 1987: (b − a) / max(a, b), with a the mean distance to the model's own cluster and
    b that to the nearest other one. A model alone in its cluster counts 0, as does one whose
    distances are all 0. Labels that are all equal give −1.
    """
    member = np.eye(k)[labels]
    sizes = member.sum(-2)
    sums = distances @ member
    own = np.take_along_axis(sizes, labels, -1)
    inner = np.take_along_axis(sums, labels[..., None], -1)[..., 0] / np.maximum(own - 1, 1)
    other = (member == 0) & (sizes > 0)[:, None, :]
    outer = np.where(other, sums / np.maximum(sizes, 1)[:, None, :], np.inf).min(-1)
    larger = np.maximum(inner, outer)
    usable = np.isfinite(outer) & (larger > 0) & (own > 1)
    values = np.zeros_like(inner)
    np.divide(outer - inner, larger, out=values, where=usable)
    return np.where(np.isfinite(outer).all(-1), values.mean(-1), -1.0)
