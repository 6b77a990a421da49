"""Putting clusterings on record: what a run of kind ``clusters`` holds, and under which key.

A clustering is never overwritten: another method, setting, set of models or matrix is another run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmc_track.analysis.clustering import APART, Clustering, number_clusters
from lmc_track.tracking.artifact_reading import read_json
from lmc_track.tracking.artifact_shapes import ClustersFile
from lmc_track.tracking.keys import clusters_key, digest
from lmc_track.tracking.recorder import MetricValue
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.studies import RecordedModel, StudyRecord, sound_artifact

PUBLISHED = "published"
"""The method of memberships that were taken over from somebody."""

# Versions of the methods whose outcome has become another, or says more, of the same gaps.
_VERSIONS = {"verdict": 2, "juneja2023": 3, "threshold": 2}


@dataclass(frozen=True)
class ClusteringOutcome:
    """What one method found; ``made`` is False when it was on record already."""

    method: str
    n_clusters: int
    decision: str
    made: bool


def clustering_key(
    method: str,
    settings: dict[str, Any],
    models: Sequence[str],
    matrices: Sequence[NDArray[np.float64]],
) -> str:
    """The key of a clustering of ``models`` (their keys) by ``matrices`` of gaps."""
    gaps = [matrix.tolist() for matrix in matrices]
    return clusters_key(method, settings, models, gaps, _VERSIONS.get(method, 1))


def recorded_outcome(method: str, run: RunEntry) -> ClusteringOutcome:
    """The outcome that ``run`` holds."""
    return ClusteringOutcome(
        method, int(run.metrics["n_clusters"]), run.tags["lmc.decision"], False
    )


def read_clusters(record: StudyRecord, run: RunEntry) -> ClustersFile:
    """What a clustering found.

    Raises:
        DamagedArtifactError: its file is damaged.
    """
    return read_json(run, sound_artifact(record, run, "clusters.json"), ClustersFile)


def record_clustering(
    record: StudyRecord,
    key: str,
    method: str,
    models: list[str],
    found: Clustering,
    decision: str,
    precision: str,
    half: str,
    metric: str,
) -> ClusteringOutcome:
    """Record what ``method`` found for ``models`` (their keys, in study order).

    It was found on gaps of ``metric`` on examples of ``half``. Models set apart are in no cluster.
    """
    content = {
        "method": method,
        "metric": metric,
        "dataset": "validation",
        "subset": "all",
        "half": half,
        "modules": "all",
        "precision": precision,
        "models": models,
        "n_models": len(models),
        "n_clusters": found.n_clusters,
        "settings": found.settings,
        "statistics": {**_finite(found.statistics), "decision": decision},
        **_members(models, found),
    }
    _write(record, key, method, content, decision)
    return ClusteringOutcome(method, found.n_clusters, decision, True)


def record_planted(record: StudyRecord, members: list[RecordedModel]) -> ClusteringOutcome:
    """The kinds of model that the training data plant, as a clustering; nothing is found in it."""
    kinds = [str(model.planted) for model in members]
    names = list(dict.fromkeys(kinds))
    labels = number_clusters(np.array([names.index(kind) for kind in kinds]))
    number = dict(zip(labels.tolist(), kinds, strict=True))
    settings = {"kinds": [number[cluster] for cluster in sorted(number)]}
    keys = [model.key for model in members]
    listed = ", ".join(f"{kind} ({kinds.count(kind)})" for kind in settings["kinds"])
    decision = f"Planted by the training data, not found; by the cue that decides: {listed}."
    return record_known(record, "planted", keys, labels.tolist(), settings, decision)


def record_known(
    record: StudyRecord,
    method: str,
    keys: list[str],
    labels: list[int],
    settings: dict[str, Any],
    decision: str,
) -> ClusteringOutcome:
    """Memberships that are known, not found: cluster numbers of the models ``keys``.

    Of the gaps, which had no part in it, nothing is said.
    """
    members = dict(zip(keys, labels, strict=True))
    told = settings if method == "planted" else {**settings, "members": digest(members)}
    key = clusters_key(method, told, keys, [])
    n_clusters = len(set(labels))
    if record.index.find("clusters", key) is not None:
        return ClusteringOutcome(method, n_clusters, decision, False)
    unused = ("metric", "dataset", "subset", "half", "modules", "precision")
    content = {
        "method": method,
        **dict.fromkeys(unused),
        "n_models": len(keys),
        "n_clusters": n_clusters,
        "settings": settings,
        "statistics": {"decision": decision},
        "clusters": members,
    }
    _write(record, key, method, content, decision)
    return ClusteringOutcome(method, n_clusters, decision, True)


def _members(keys: list[str], found: Clustering) -> dict[str, Any]:
    """What is said of single models, and of pairs of them, row by row above the diagonal."""
    labels = zip(keys, found.labels.tolist(), strict=True)
    content: dict[str, Any] = {"clusters": {key: label for key, label in labels if label != APART}}
    for name in ("embedding", "centroid_distances"):
        values = getattr(found, name)
        if values is not None:
            content[name] = dict(zip(keys, values.tolist(), strict=True))
    pairs = np.triu_indices(len(keys), 1)
    together = {
        name: [None if np.isnan(share) else share for share in shares[pairs].tolist()]
        for name, shares in (
            ("by_examples", found.together_by_examples),
            ("by_models", found.together_by_models),
        )
        if shares is not None
    }
    if together:
        content["co_assignments"] = {"models": keys, **together}
    return content


def _finite(value: Any) -> Any:
    """JSON has no NaN: undefined statistics are null."""
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _write(
    record: StudyRecord, key: str, method: str, content: dict[str, Any], decision: str
) -> None:
    recorder = record.recorder
    note = f"{decision}\n\nArtifact clusters.json: the cluster of every model, and the statistics."
    run = recorder.start("clusters", key, f"clusters, {method}", note)
    recorder.artifacts.put_json(run.run_id, run.artifact_uri, content, "clusters.json")
    numbers = {"n_clusters": content["n_clusters"], **content["statistics"]}
    recorder.log(
        run,
        params={
            "method": method,
            **{
                name: content[name]
                for name in ("metric", "dataset", "half", "precision")
                if content[name] is not None
            },
            **content["settings"],
        },
        metrics=[
            MetricValue(name, float(value))
            for name, value in numbers.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        ],
        tags={"lmc.decision": decision},
    )
    recorder.finish(run)
    record.index.add(run)
