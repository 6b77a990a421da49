"""The clustering `verdict`: whether the models fall into clusters, on every basis side by side.

Knows the matrices of gaps of a study and the losses of its single examples. The rule is
``analysis.verdict``; what a basis is, and that the declared one counts, is decided here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lmc_track.analysis.clustering import APART, Clustering, Floats, Labels
from lmc_track.analysis.places import principal_places
from lmc_track.analysis.resampling import PathLosses, resampled_gaps
from lmc_track.analysis.stability import Stability, by_examples, by_models, divide
from lmc_track.analysis.verdict import Verdict, find_clusters
from lmc_track.analysis.verdict.existence import SIGNIFICANCE

# What a gap is counted in, by the metric that it is of.
_UNITS = {"loss": "nats", "calibrated_loss": "nats", "error": "of error"}


@dataclass(frozen=True)
class Evidence:
    """What the verdict is made of. ``gaps``: by metric, one matrix (n, n) for each half that there
    is, discovery first; a metric that was not measured is absent. ``headroom``: from the valley of
    the paths to chance, in nats. ``losses``: of single examples, by half; None where unknown."""

    names: tuple[str, ...]
    gaps: Mapping[str, Sequence[Floats]]
    headroom: float | None
    losses: tuple[PathLosses, PathLosses] | None


def cluster_by_verdict(evidence: Evidence, declared: str, resamples: int, seed: int) -> Clustering:
    """The verdict on the ``declared`` metric, with the others beside it in its statistics."""
    verdicts = {
        metric: find_clusters(
            *gaps,
            headroom=None if metric == "error" else evidence.headroom,
            seed=seed,
            unit=_UNITS[metric],
        )
        for metric, gaps in evidence.gaps.items()
    }
    found = verdicts[declared]
    best = found.statistics["best_division"]
    division = found.labels if best is None else np.array(best)
    statistics = {
        **found.statistics,
        "apart": [evidence.names[model] for model in found.statistics["apart"]],
        "metric": declared,
        "bases": [
            _beside(metric, verdict, declared, evidence, division)
            for metric, verdict in verdicts.items()
        ],
        **_lost(evidence, division),
    }
    statistics["decision"] = found.decision + _accuracy(statistics)
    discovery = evidence.gaps[declared][0]
    places = principal_places(discovery)
    together = _stability(evidence, declared, division, resamples, seed)
    statistics |= {
        f"stability_{what}{low}": None if one is None else getattr(one, name)
        for what, one in together.items()
        for low, name in (("", "mean"), ("_low", "low"))
    }
    return Clustering(
        found.labels,
        found.n_clusters,
        settings={"metric": declared, "resamples": resamples, "seed": seed},
        statistics=statistics,
        embedding=places,
        centroid_distances=_centroid_distances(places, found.labels),
        together_by_examples=_whole(together["examples"], division),
        together_by_models=_whole(together["models"], division),
    )


def _beside(
    metric: str, verdict: Verdict, declared: str, evidence: Evidence, division: Labels
) -> dict[str, Any]:
    """One basis in a row. Beside the declared one p is corrected for there being so many."""
    known = verdict.statistics
    p = known["p_value"]
    corrected = p
    if p is not None and metric != declared:
        corrected = min(1.0, p * len(evidence.gaps))
    counts = verdict.n_clusters > 1 and corrected is not None and corrected <= SIGNIFICANCE
    return {
        "metric": metric,
        "declared": metric == declared,
        "n_clusters": verdict.n_clusters if counts else 1,
        "sizes": known["sizes"],
        "apart": [evidence.names[model] for model in known["apart"]],
        "silhouette": known["silhouette"],
        "p_value": p,
        "p_corrected": corrected,
        "mean_gap_within": known["mean_gap_within"],
        "mean_gap_between": known["mean_gap_between"],
        "ratio": known["ratio"],
        "agreement": _agreement(known["best_division"], division),
        "decision": verdict.decision,
    }


def _agreement(labels: list[int] | None, division: Labels) -> float | None:
    """The adjusted Rand index of two best divisions, of models that neither sets apart."""
    from sklearn.metrics import adjusted_rand_score

    if labels is None:
        return None
    both = (np.array(labels) != APART) & (division != APART)
    return float(adjusted_rand_score(np.array(labels)[both], division[both]))


def _lost(evidence: Evidence, division: Labels) -> dict[str, float | None]:
    """Error gaps of the median and of the worst path between the parts of the best division."""
    if "error" not in evidence.gaps or division.max() < 1:
        return {"error_lost_median": None, "error_lost_worst": None}
    first, second = np.triu_indices(len(division), 1)
    between = (division[first] != division[second]) & (division[first] >= 0)
    values = evidence.gaps["error"][-1][first, second][between & (division[second] >= 0)]
    return {"error_lost_median": float(np.median(values)), "error_lost_worst": float(values.max())}


def _accuracy(statistics: Mapping[str, Any]) -> str:
    median, worst = statistics["error_lost_median"], statistics["error_lost_worst"]
    if statistics["n_clusters"] < 2 or median is None:
        return ""
    return (
        f" On the way between clusters accuracy falls by {100 * median:.2g} points on the median "
        f"path and by {100 * worst:.2g} on the worst."
    )


def _stability(
    evidence: Evidence, declared: str, division: Labels, resamples: int, seed: int
) -> dict[str, Stability | None]:
    """Of models that are not set apart, under other examples (of losses alone) and fewer models."""
    kept = np.flatnonzero(division != APART)
    labels = division[kept]
    k = int(labels.max()) + 1
    if k < 2:
        return {"examples": None, "models": None}
    gaps = evidence.gaps[declared][0][np.ix_(kept, kept)]
    models = by_models(gaps, labels, k, resamples, [seed, 3])
    losses = evidence.losses
    if declared != "loss" or losses is None or losses[0].n_units < 2:
        return {"examples": None, "models": models}
    divisions = [
        divide(resampled.measured[:, kept[:, None], kept], k)
        for resampled in resampled_gaps(losses[0], resamples, [seed, 1])
    ]
    return {"examples": by_examples(np.vstack(divisions), labels), "models": models}


def _whole(stability: Stability | None, division: Labels) -> Floats | None:
    """Shares (n, n) of all models, NaN with those set apart."""
    if stability is None:
        return None
    together = np.full((len(division),) * 2, np.nan)
    kept = np.flatnonzero(division != APART)
    together[np.ix_(kept, kept)] = stability.together
    return together


def _centroid_distances(places: Floats, labels: Labels) -> Floats:
    """Distances (n, clusters) to the mean place of each cluster's models."""
    centroids = np.array([places[labels == c].mean(0) for c in range(int(labels.max()) + 1)])
    distances: Floats = np.linalg.norm(places[:, None, :] - centroids[None], axis=-1)
    return distances
