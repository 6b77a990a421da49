"""Clusters of linearly connected models: the published procedure, and one that may find none.

Knows matrices of gaps, in study order. It does not know where they come from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from lmc_track.analysis.partition import Floats, Labels, affinity, median_gap
from lmc_track.analysis.rule import (
    LEAST_HEADROOM,
    Evidence,
    Rule,
    decision,
    gaps_by_cluster,
    shortcomings,
)
from lmc_track.analysis.search import best_divisions, permutation_p

FEWEST_MODELS = 4


@dataclass(frozen=True)
class Clustering:
    """Clusters of n models.

    ``labels``: (n,) in study order; clusters are numbered from 0 by falling size, ties by the
    place of their first model. ``settings``: what was asked for. ``statistics``: what was
    measured; a value that is not defined is None.
    """

    labels: Labels
    n_clusters: int
    settings: dict[str, Any]
    statistics: dict[str, Any]


def number_clusters(labels: Labels) -> Labels:
    """``labels`` (n,) renumbered from 0 by falling size, ties by the place of the first model."""
    _, first, inverse, sizes = np.unique(
        labels, return_index=True, return_inverse=True, return_counts=True
    )
    number = np.empty(len(sizes), dtype=np.int64)
    number[np.lexsort((first, -sizes))] = np.arange(len(sizes))
    return number[inverse]


def juneja2023(gaps: Floats) -> Clustering:
    """The published procedure: spectral clustering with δ = 1 nat into k = 2, seed 42.

    ``gaps``: (n, n) in nats. It makes two clusters of whatever there is, and tests nothing;
    fewer than two models, or gaps that are all zero, are one cluster.

    Raises:
        ValueError: a gap is missing, or ``gaps`` is no matrix of gaps.
    """
    from sklearn.cluster import SpectralClustering

    _check(gaps)
    n = len(gaps)
    labels = np.zeros(n, dtype=np.int64)
    if n == 2 and gaps.any():
        labels = np.arange(2)
    elif gaps.any():
        model = SpectralClustering(n_clusters=2, affinity="precomputed", random_state=42)
        labels = number_clusters(model.fit_predict(affinity(gaps, 1.0)))
    mean = gaps_by_cluster(gaps, labels)
    n_clusters = int(labels.max()) + 1
    return Clustering(
        labels,
        n_clusters,
        settings={"delta": 1.0, "n_clusters": 2, "seed": 42},
        statistics={
            "n_clusters": n_clusters,
            "delta": 1.0,
            "mean_gap_within": _defined(mean.within),
            "mean_gap_between": _defined(mean.between),
        },
    )


def spectral(
    discovery_gaps: Floats,
    held_out_gaps: Floats,
    *,
    chance_headroom: float,
    max_clusters: int = 4,
    permutations: int = 999,
    significance: float = 0.05,
    least_relative_gap: float = 0.5,
    least_headroom: float = LEAST_HEADROOM,
    seed: int = 0,
) -> Clustering:
    """Clusters by a spectral division that held-out gaps bear out, else one cluster.

    ``discovery_gaps``, ``held_out_gaps``: (n, n) in nats, of the same models in study order.
    δ (the median non-zero gap), memberships and k come from discovery gaps alone; silhouette,
    p and mean gaps are those of held-out gaps. ``chance_headroom``: the models' mean held-out
    loss below the entropy of the labels, in nats. The conditions are in ``rule``.

    When they are not met there is one cluster, and the statistics are those of the best
    division, so that a reader sees what was rejected; ``decision`` says why in one sentence.

    Raises:
        ValueError: a gap is missing, or an argument is no matrix of gaps.
    """
    _check(discovery_gaps, held_out_gaps)
    settings = {
        "max_clusters": max_clusters,
        "permutations": permutations,
        "significance": significance,
        "least_relative_gap": least_relative_gap,
        "least_headroom": least_headroom,
        "seed": seed,
    }
    n, delta = len(discovery_gaps), median_gap(discovery_gaps)
    whole = np.zeros(n, dtype=np.int64)
    reason = _undividable(n, delta, max_clusters)
    if reason:
        return Clustering(
            whole, 1, settings, _without_division(held_out_gaps, settings, delta, reason)
        )
    # Matrices this small are decomposed faster by one thread than by several.
    with threadpool_limits(1):
        best = best_divisions(discovery_gaps[None], held_out_gaps[None], delta, max_clusters)
        if not best.found[0]:
            reason = "One cluster: no division has two clusters of two models or more."
            return Clustering(
                whole, 1, settings, _without_division(held_out_gaps, settings, delta, reason)
            )
        silhouette = float(best.held_out_silhouette[0])
        p_value = permutation_p(
            discovery_gaps,
            held_out_gaps,
            silhouette,
            delta=delta,
            max_clusters=max_clusters,
            permutations=permutations,
            seed=seed,
        )
    candidate = number_clusters(best.labels[0])
    evidence = Evidence(
        tuple(int(size) for size in np.bincount(candidate)),
        silhouette,
        p_value,
        gaps_by_cluster(held_out_gaps, candidate),
    )
    rule = Rule(significance, least_relative_gap, chance_headroom, least_headroom)
    labels = whole if shortcomings(evidence, rule) else candidate
    statistics = {
        "n_clusters": int(labels.max()) + 1,
        "delta": delta,
        "silhouette": silhouette,
        "p_value": p_value,
        "permutations": permutations,
        "mean_gap_within": evidence.gaps.within,
        "mean_gap_between": evidence.gaps.between,
        "relative_gap_between": rule.relative(evidence.gaps.between),
        "decision": decision(evidence, rule, permutations),
    }
    return Clustering(labels, int(labels.max()) + 1, settings, statistics)


def _without_division(
    held_out_gaps: Floats, settings: dict[str, Any], delta: float, reason: str
) -> dict[str, Any]:
    """Statistics of one cluster where there was no division to judge."""
    pairs = held_out_gaps[np.triu_indices(len(held_out_gaps), 1)]
    return {
        "n_clusters": 1,
        "delta": _defined(delta),
        "silhouette": None,
        "p_value": None,
        "permutations": settings["permutations"],
        "mean_gap_within": float(pairs.mean()) if len(pairs) else None,
        "mean_gap_between": None,
        "relative_gap_between": None,
        "decision": reason,
    }


def _defined(value: float) -> float | None:
    return None if np.isnan(value) else value


def _undividable(n: int, delta: float, max_clusters: int) -> str:
    """Why there is nothing to divide; empty when there is."""
    if n < FEWEST_MODELS:
        return (
            f"One cluster: {n} {'model is' if n == 1 else 'models are'} too few to divide, which "
            f"takes at least {FEWEST_MODELS}."
        )
    if np.isnan(delta):
        return "One cluster: all gaps between the models are zero on discovery examples."
    if max_clusters < 2:
        return "One cluster: no more than one was asked for."
    return ""


def _check(*matrices: Floats) -> None:
    shape = (len(matrices[0]), len(matrices[0]))
    if shape[0] == 0:
        raise ValueError("there are no models")
    if any(gaps.shape != shape for gaps in matrices):
        shapes = " and ".join(str(gaps.shape) for gaps in matrices)
        raise ValueError(f"gaps must be square matrices of the same models, not {shapes}")
    upper = np.triu_indices(shape[0], 1)
    missing = int(np.isnan(np.array([gaps[upper] for gaps in matrices])).any(0).sum())
    if missing:
        raise ValueError(f"{missing} of {len(upper[0])} pairs of models have no gap")
    for gaps in matrices:
        if not np.array_equal(gaps, gaps.T) or np.diag(gaps).any():
            raise ValueError("gaps must be symmetric, and 0 between a model and itself")
        if not np.isfinite(gaps).all() or (gaps < 0).any():
            raise ValueError("gaps must be finite and at least 0")
