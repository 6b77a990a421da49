"""Clusters of linearly connected models, and the rule by which there is only one.

Two ways: the published one (Juneja et al., ICLR 2023), which always makes two clusters, and
ours, which chooses their number, finds memberships on discovery examples, and gives up one
cluster for more only on what held-out examples show.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from lmc_track.analysis.spectral import (
    Labels,
    Matrix,
    affinity,
    leading_eigenvectors,
    median_gap,
    partition,
    silhouette,
)

_FEWEST_MODELS = 4


@dataclass(frozen=True)
class Clustering:
    """``labels`` (n,) count clusters from 0 by falling size, ties by study order."""

    labels: NDArray[np.int64]
    n_clusters: int
    settings: dict[str, Any]
    statistics: dict[str, Any]


@dataclass(frozen=True)
class _Candidate:
    labels: Labels
    silhouette: float


def number_clusters(labels: NDArray[np.int64]) -> Labels:
    """``labels`` renumbered from 0 by falling size; of two as large the one met first is first."""
    values, first, counts = np.unique(labels, return_index=True, return_counts=True)
    order = sorted(range(len(values)), key=lambda c: (-counts[c], first[c]))
    number = {int(values[c]): rank for rank, c in enumerate(order)}
    return np.array([number[int(label)] for label in labels], dtype=np.int64)


def juneja2023(gaps: NDArray[np.float64]) -> Clustering:
    """The published clustering: affinity exp(-d^2 / 2), two clusters, seed 42.

    Raises:
        ValueError: a gap is missing.
    """
    _check(gaps)
    settings = {"delta": 1.0, "n_clusters": 2, "seed": 42}
    if len(gaps) < 3:
        labels = np.arange(len(gaps), dtype=np.int64)
    else:
        from sklearn.cluster import SpectralClustering

        model = SpectralClustering(n_clusters=2, affinity="precomputed", random_state=42)
        labels = number_clusters(model.fit_predict(affinity(gaps, 1.0)).astype(np.int64))
    statistics = {"delta": 1.0, **_mean_gaps(gaps, labels)}
    return Clustering(labels, int(labels.max(initial=0)) + 1, settings, statistics)


def spectral(
    discovery_gaps: NDArray[np.float64],
    held_out_gaps: NDArray[np.float64],
    *,
    chance_headroom: float,
    max_clusters: int = 4,
    permutations: int = 999,
    significance: float = 0.05,
    least_relative_gap: float = 0.5,
    seed: int = 0,
) -> Clustering:
    """Spectral clusters of discovery gaps (n, n), judged by the held-out gaps (n, n), in nats.

    delta is the median of the discovery gaps that are not zero. For every k from 2 to
    ``max_clusters`` the models are divided on discovery gaps; the k with the best silhouette
    on held-out gaps is the candidate. It is taken when both hold, and else there is one
    cluster:

    * p <= ``significance``: the share of gap matrices, their pairs permuted in the same way in
      both halves and searched through in the same way, with as good a silhouette;
    * the mean held-out gap between its clusters is at least ``least_relative_gap`` of
      ``chance_headroom``, the entropy of the labels less the models' mean loss.

    Raises:
        ValueError: a gap is missing.
    """
    _check(discovery_gaps)
    _check(held_out_gaps)
    settings = {
        "max_clusters": max_clusters,
        "significance": significance,
        "permutations": permutations,
        "least_relative_gap": least_relative_gap,
        "seed": seed,
    }
    n, delta = len(discovery_gaps), median_gap(discovery_gaps)
    most = min(max_clusters, n - 1)
    if n < _FEWEST_MODELS or delta == 0 or most < 2:
        if n < _FEWEST_MODELS:
            why = f"{n} model{'s are' if n != 1 else ' is'} too few to divide"
        elif delta == 0:
            why = "all gaps are zero"
        else:
            why = "at most one cluster was asked for"
        return _single(n, held_out_gaps, settings, delta, f"One cluster: {why}.")
    best = _search(discovery_gaps, held_out_gaps, most)
    p_value = _permutation_p(
        discovery_gaps, held_out_gaps, most, best.silhouette, permutations, seed
    )
    labels = number_clusters(best.labels)
    gaps = _mean_gaps(held_out_gaps, labels)
    between = gaps["mean_gap_between"]
    relative = between / chance_headroom if between is not None and chance_headroom > 0 else 0.0
    found = int(labels.max()) + 1
    significant, wide = p_value <= significance, relative >= least_relative_gap
    evidence = (
        f"held-out silhouette {best.silhouette:.2f}, p {_p(p_value, permutations)} by permuted "
        f"gaps; gaps between reach {relative:.0%} of the way to chance"
    )
    if significant and wide:
        decision = f"{found} clusters: {evidence}."
    elif not significant:
        decision = (
            f"One cluster: a division into {found} is no better than chance would make it "
            f"({evidence})."
        )
    else:
        decision = (
            f"One cluster: a division into {found} shows gaps too small to count, less than "
            f"{least_relative_gap:.0%} of the way to chance ({evidence})."
        )
    taken = significant and wide
    return Clustering(
        labels if taken else np.zeros(n, dtype=np.int64),
        found if taken else 1,
        settings,
        {
            "n_clusters": found if taken else 1,
            "delta": delta,
            "silhouette": best.silhouette,
            "p_value": p_value,
            "permutations": permutations,
            **gaps,
            "relative_gap_between": relative,
            "decision": decision,
        },
    )


def _search(discovery: Matrix, held_out: Matrix, most: int) -> _Candidate:
    """The division with the best held-out silhouette; fewer clusters where two are equal."""
    vectors = leading_eigenvectors(discovery, median_gap(discovery), most)
    best: _Candidate | None = None
    for k in range(2, most + 1):
        labels = partition(vectors, k)
        score = silhouette(held_out, labels)
        if best is None or score > best.silhouette:
            best = _Candidate(labels, score)
    assert best is not None
    return best


def _permutation_p(
    discovery: Matrix, held_out: Matrix, most: int, observed: float, permutations: int, seed: int
) -> float:
    """(1 + matrices at least as good) / (1 + matrices), the whole search repeated on each."""
    generator = np.random.default_rng(seed)
    above = np.triu_indices(len(discovery), 1)
    first, second = discovery[above], held_out[above]
    as_good = 0
    # Matrices this small are decomposed faster by one thread than by several.
    with threadpool_limits(1):
        for _ in range(permutations):
            order = generator.permutation(len(first))
            permuted = _search(
                _symmetric(first[order], len(discovery)),
                _symmetric(second[order], len(held_out)),
                most,
            )
            as_good += permuted.silhouette >= observed
    return (1 + as_good) / (1 + permutations)


def _symmetric(values: Matrix, n: int) -> Matrix:
    matrix = np.zeros((n, n))
    matrix[np.triu_indices(n, 1)] = values
    return matrix + matrix.T


def _mean_gaps(gaps: Matrix, labels: Labels) -> dict[str, float | None]:
    above = np.triu_indices(len(gaps), 1)
    same = (labels[:, None] == labels[None, :])[above]
    values = gaps[above]
    return {
        "mean_gap_within": float(values[same].mean()) if same.any() else None,
        "mean_gap_between": float(values[~same].mean()) if (~same).any() else None,
    }


def _single(
    n: int, held_out: Matrix, settings: dict[str, Any], delta: float, decision: str
) -> Clustering:
    labels = np.zeros(n, dtype=np.int64)
    return Clustering(
        labels,
        1,
        settings,
        {
            "n_clusters": 1,
            "delta": delta,
            "silhouette": None,
            "p_value": None,
            "permutations": settings["permutations"],
            **_mean_gaps(held_out, labels),
            "relative_gap_between": None,
            "decision": decision,
        },
    )


def _p(value: float, permutations: int) -> str:
    least = 1 / (permutations + 1)
    return f"≤ {least:.3f}" if value <= least else f"{value:.3f}"


def _check(gaps: Matrix) -> None:
    if gaps.ndim != 2 or gaps.shape[0] != gaps.shape[1]:
        raise ValueError(f"gaps must be a square matrix, not {gaps.shape}")
    lacking = int(np.isnan(gaps[np.triu_indices(len(gaps), 1)]).sum())
    if lacking:
        raise ValueError(f"{lacking} pairs of models have no gap")
