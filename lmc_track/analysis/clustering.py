"""Clusters of linearly connected models, of which there may be one only.

Knows matrices of gaps, in study order, and losses of single examples. It does not know where they
come from.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from lmc_track.analysis.choices import choices, eigengap_choice
from lmc_track.analysis.noise import contrast, noise_p, null_contrasts
from lmc_track.analysis.partition import (
    Embedding,
    Floats,
    Labels,
    affinity,
    median_gap,
    spectral_embedding,
)
from lmc_track.analysis.resampling import PathLosses, resampled_gaps
from lmc_track.analysis.rule import (
    LEAST_HEADROOM,
    Evidence,
    Rule,
    decision,
    gaps_by_cluster,
    shortcomings,
)
from lmc_track.analysis.search import Divisions, best_divisions, permutation_p
from lmc_track.analysis.stability import Stability, by_examples, by_models, divide

FEWEST_MODELS = 4
_HIGH = 0.95


@dataclass(frozen=True)
class Clustering:
    """Clusters of n models.

    ``labels``: (n,) in study order; clusters are numbered from 0 by falling size, ties by the
    place of their first model. ``settings``: what was asked for. ``statistics``: what was
    measured; a value that is not defined is None.

    ``embedding``: (n, k), the models' places in the spectral embedding for k clusters;
    ``centroid_distances``: (n, n_clusters), how far each is there from the mean place of cluster
    0, 1, …. ``together_by_examples``, ``together_by_models``: (n, n), the shares of resamples in
    which two models are in one cluster. None where there is no such thing.
    """

    labels: Labels
    n_clusters: int
    settings: dict[str, Any]
    statistics: dict[str, Any]
    embedding: Floats | None = None
    centroid_distances: Floats | None = None
    together_by_examples: Floats | None = None
    together_by_models: Floats | None = None


@dataclass(frozen=True)
class _Resampled:
    """What resamples say of a division; ``noise`` and ``examples`` need single examples' losses."""

    models: Stability
    examples: Stability | None
    noise: Floats | None


def number_clusters(labels: Labels) -> Labels:
    """``labels`` (n,) renumbered from 0 by falling size, ties by the place of the first model."""
    _, first, inverse, sizes = np.unique(
        labels, return_index=True, return_inverse=True, return_counts=True
    )
    number = np.empty(len(sizes), dtype=np.int64)
    number[np.lexsort((first, -sizes))] = np.arange(len(sizes))
    return number[inverse]


def spectral(
    discovery_gaps: Floats,
    held_out_gaps: Floats,
    *,
    chance_headroom: float,
    losses: tuple[PathLosses, PathLosses] | None = None,
    max_clusters: int = 4,
    permutations: int = 999,
    resamples: int = 199,
    significance: float = 0.05,
    least_relative_gap: float = 0.5,
    least_headroom: float = LEAST_HEADROOM,
    seed: int = 0,
) -> Clustering:
    """Clusters by a spectral division that held-out gaps bear out, else one cluster.

    ``discovery_gaps``, ``held_out_gaps``: (n, n) in nats, of the same models in study order.
    δ (the median non-zero gap), memberships and k come from discovery gaps alone; silhouette,
    p and mean gaps are those of held-out gaps. ``chance_headroom``: the models' mean held-out
    loss below the entropy of the labels, in nats. ``losses``: those of single discovery and
    held-out examples, without which, or with fewer than two units to resample in a half, nothing
    is known of noise and of stability under other examples. The conditions are in ``rule``.

    When they are not met there is one cluster, and the statistics, the embedding and what is said
    of stability are those of the best division, so that a reader sees what was rejected;
    ``decision`` says why in one sentence.

    Raises:
        ValueError: a gap is missing, or an argument is no matrix of gaps.
    """
    check_gaps(discovery_gaps, held_out_gaps)
    settings = {
        "max_clusters": max_clusters,
        "permutations": permutations,
        "resamples": resamples,
        "significance": significance,
        "least_relative_gap": least_relative_gap,
        "least_headroom": least_headroom,
        "seed": seed,
    }
    n, delta = len(discovery_gaps), median_gap(discovery_gaps)
    whole = np.zeros(n, dtype=np.int64)
    statistics = _without_division(held_out_gaps, settings, delta)
    if reason := _undividable(n, delta, max_clusters):
        return Clustering(whole, 1, settings, {**statistics, "decision": reason})
    # Matrices this small are decomposed faster by one thread than by several.
    with threadpool_limits(1):
        embedding = spectral_embedding(affinity(discovery_gaps, delta)[None])
        tried = choices(embedding, discovery_gaps, held_out_gaps, max_clusters)
        statistics["choices"] = [asdict(choice) for choice in tried]
        statistics["eigengap_k"] = eigengap_choice(tried)
        best = best_divisions(discovery_gaps[None], held_out_gaps[None], delta, max_clusters)
        if not best.found[0]:
            reason = "One cluster: no division has two clusters of two models or more."
            return Clustering(whole, 1, settings, {**statistics, "decision": reason})
        silhouette, k = float(best.held_out_silhouette[0]), int(best.k[0])
        p_value = permutation_p(
            discovery_gaps,
            held_out_gaps,
            silhouette,
            delta=delta,
            max_clusters=max_clusters,
            permutations=permutations,
            seed=seed,
        )
        resampled = _resample(discovery_gaps, best, losses, max_clusters, resamples, seed)
    candidate = number_clusters(best.labels[0])
    difference = float(contrast(held_out_gaps[None], candidate[None])[0])
    noise = resampled.noise
    evidence = Evidence(
        tuple(int(size) for size in np.bincount(candidate)),
        silhouette,
        p_value,
        gaps_by_cluster(held_out_gaps, candidate),
        None if noise is None else noise_p(difference, noise),
    )
    rule = Rule(significance, least_relative_gap, chance_headroom, least_headroom)
    labels = whole if shortcomings(evidence, rule) else candidate
    examples, models = resampled.examples, resampled.models
    places = _places(embedding, k)
    statistics |= {
        "n_clusters": int(labels.max()) + 1,
        "silhouette": silhouette,
        "p_value": p_value,
        "p_noise": evidence.p_noise,
        "noise_difference": None if noise is None else float(np.quantile(noise, _HIGH)),
        "mean_gap_within": evidence.gaps.within,
        "mean_gap_between": evidence.gaps.between,
        "relative_gap_between": rule.relative(evidence.gaps.between),
        "k": k,
        "eigengap_agrees": statistics["eigengap_k"] == k,
        "stability_examples": None if examples is None else examples.mean,
        "stability_examples_low": None if examples is None else examples.low,
        "stability_models": models.mean,
        "stability_models_low": models.low,
        "decision": decision(evidence, rule, permutations),
    }
    return Clustering(
        labels,
        int(labels.max()) + 1,
        settings,
        statistics,
        embedding=places,
        centroid_distances=_centroid_distances(places, labels),
        together_by_examples=None if examples is None else examples.together,
        together_by_models=models.together,
    )


def _resample(
    gaps: Floats,
    best: Divisions,
    losses: tuple[PathLosses, PathLosses] | None,
    max_clusters: int,
    resamples: int,
    seed: int,
) -> _Resampled:
    """The division ``best`` (b = 1) of discovery ``gaps`` under other examples, or fewer models."""
    labels, k = best.labels[0], int(best.k[0])
    models = by_models(gaps, labels, k, resamples, [seed, 3])
    if losses is None or min(half.n_units for half in losses) < 2:
        return _Resampled(models, None, None)
    divisions, noise = [], []
    halves = (resampled_gaps(half, resamples, [seed, 1 + i]) for i, half in enumerate(losses))
    for discovery, held_out in zip(*halves, strict=True):
        divisions.append(divide(discovery.measured, k))
        noise.append(null_contrasts(discovery.noise, held_out.noise, max_clusters))
    return _Resampled(models, by_examples(np.vstack(divisions), labels), np.concatenate(noise))


def _places(embedding: Embedding, k: int) -> Floats:
    """The one embedding for ``k`` clusters, (n, k), each coordinate's largest value positive."""
    places = embedding.places(k)[0]
    largest = places[np.abs(places).argmax(0), np.arange(k)]
    signed: Floats = places * np.where(largest < 0, -1.0, 1.0)
    return signed


def _centroid_distances(places: Floats, labels: Labels) -> Floats:
    """Distances (n, clusters) in the embedding to the mean place of each cluster's models."""
    centroids = np.array([places[labels == c].mean(0) for c in range(int(labels.max()) + 1)])
    distances: Floats = np.linalg.norm(places[:, None, :] - centroids[None], axis=-1)
    return distances


def _without_division(
    held_out_gaps: Floats, settings: dict[str, Any], delta: float
) -> dict[str, Any]:
    """Statistics of one cluster as long as there is no division to judge."""
    pairs = held_out_gaps[np.triu_indices(len(held_out_gaps), 1)]
    undefined = (
        "silhouette", "p_value", "p_noise", "noise_difference", "mean_gap_between",
        "relative_gap_between", "k", "eigengap_k", "eigengap_agrees", "stability_examples",
        "stability_examples_low", "stability_models", "stability_models_low",
    )  # fmt: skip
    return {
        **dict.fromkeys(undefined),
        "n_clusters": 1,
        "delta": _defined(delta),
        "permutations": settings["permutations"],
        "resamples": settings["resamples"],
        "mean_gap_within": float(pairs.mean()) if len(pairs) else None,
        "choices": [],
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


def check_gaps(*matrices: Floats) -> None:
    """Refuse what cannot be gaps of the same models: ``matrices`` (n, n), in nats.

    Raises:
        ValueError: one is not square, symmetric, finite and at least 0, or has another size.
    """
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
