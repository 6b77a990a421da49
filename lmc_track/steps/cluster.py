"""Clustering a study's models by their gaps, from the warehouse, and recording the outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from lmc_track.analysis.clustering import Clustering, juneja2023, number_clusters, spectral
from lmc_track.analysis.rule import LEAST_HEADROOM
from lmc_track.errors import WorkError
from lmc_track.progress import Progress
from lmc_track.steps.path_losses import Halves, path_losses
from lmc_track.study import Study
from lmc_track.tracking.keys import clusters_key
from lmc_track.tracking.location import Location
from lmc_track.tracking.recorder import MetricValue
from lmc_track.tracking.studies import RecordedModel, StudyRecord
from lmc_track.warehouse.matrices import GapMatrix, chance_headroom, gap_matrix
from lmc_track.warehouse.results import Results, open_results

# Versions of the methods whose outcome has become another, or says more, of the same gaps.
_VERSIONS = {"spectral": 2, "juneja2023": 2}


@dataclass(frozen=True)
class ClusteringOutcome:
    """What one method found; ``made`` is False when it was on record already."""

    method: str
    n_clusters: int
    decision: str
    made: bool


@dataclass(frozen=True)
class _Gaps:
    whole: GapMatrix
    discovery: GapMatrix
    held_out: GapMatrix
    headroom: float
    losses: Halves | None


def cluster_models(
    study: Study, record: StudyRecord, location: Location, progress: Progress
) -> list[ClusteringOutcome]:
    """Run every method of ``[cluster]`` on the ingested gaps; each result is a run.

    Memberships come from discovery examples, the gaps that are reported from held-out ones;
    the published preset uses all of them, as published. Kinds of model that a control's training
    data plant are recorded as a clustering too, so that others can be compared with it.

    Raises:
        InputError: nothing is ingested yet.
        WorkError: gaps are missing.
    """
    record.recorder.delete(record.index.unfinished("clusters"))
    results = open_results(location.results_path, location.tracking_uri)
    gaps = _read_gaps(results, study)
    outcomes = []
    with progress.track("Clustering", len(study.cluster.methods), "methods") as work:
        for method in study.cluster.methods:
            outcomes.append(_one(study, record, results, gaps, method))
            work.advance()
    models = {model.name: model for model in record.facts.models}
    members = [models[name] for name in gaps.whole.names]
    if members and all(model.planted is not None for model in members):
        outcomes.append(_planted(record, members))
    return outcomes


def _read_gaps(results: Results, study: Study) -> _Gaps:
    precision = study.evaluate.precision
    halves = {
        half: gap_matrix(results, study.name, half=half, precision=precision)
        for half in ("all", "discovery", "held-out")
    }
    lacking = int(
        np.isnan(halves["all"].matrix[np.triu_indices(len(halves["all"].names), 1)]).sum()
    )
    if lacking:
        _refuse_infinite(results, study)
        raise WorkError(
            f"{lacking} pairs of models have no complete path yet: clusters need all of them",
            f"Run first: lmc-track interpolate {study.name}, then lmc-track ingest",
        )
    whole = halves["all"]
    return _Gaps(
        whole,
        halves["discovery"],
        halves["held-out"],
        chance_headroom(results, study.name, half="held-out"),
        path_losses(results, study.name, whole.names, precision),
    )


def _refuse_infinite(results: Results, study: Study) -> None:
    """Raise where pairs were measured whole, and yet have no gap."""
    pairs = results.query("barrier_pairs", study=study.name, precision=study.evaluate.precision)
    alphas = results.query("study_summary", study=study.name)["grid_points"].item()
    measured = pairs.filter(pl.col("convexity_gap").is_null() & (pl.col("n_points") == alphas))
    if len(measured):
        a, b = measured.select("model_a", "model_b").row(0)
        raise WorkError(
            f"{len(measured)} pairs of models have no gap, as a loss on their path is not finite: "
            "clusters need the gaps of all",
            f"See which loss: lmc-track query curves -p study={study.name} "
            f"-p model_a={a} -p model_b={b}",
        )


def _one(
    study: Study, record: StudyRecord, results: Results, gaps: _Gaps, method: str
) -> ClusteringOutcome:
    settings = _settings(study, method, gaps)
    keys = {model.name: model.key for model in record.facts.models}
    members = [keys[name] for name in gaps.whole.names]
    matrices = (
        [gaps.whole.matrix]
        if method == "juneja2023"
        else [
            gaps.discovery.matrix,
            gaps.held_out.matrix,
        ]
    )
    key = clusters_key(
        method,
        settings,
        members,
        [matrix.tolist() for matrix in matrices],
        _VERSIONS.get(method, 1),
    )
    existing = record.index.find("clusters", key)
    if existing is not None:
        return ClusteringOutcome(
            method, int(existing.metrics["n_clusters"]), existing.tags["lmc.decision"], False
        )
    found = _cluster(study, results, gaps, method, settings)
    decision = str(found.statistics.get("decision") or _plain(method, found))
    content = {
        "method": method,
        "metric": "loss",
        "dataset": "validation",
        "subset": "all",
        "half": "all" if method == "juneja2023" else "discovery",
        "modules": "all",
        "precision": study.evaluate.precision,
        "n_models": len(members),
        "n_clusters": found.n_clusters,
        "settings": settings,
        "statistics": {**_finite(found.statistics), "decision": decision},
        **_members(members, found),
    }
    _write(record, key, method, content, decision)
    return ClusteringOutcome(method, found.n_clusters, decision, True)


def _members(keys: list[str], found: Clustering) -> dict[str, Any]:
    """What is said of single models, and of pairs of them, row by row above the diagonal."""
    content: dict[str, Any] = {
        "clusters": dict(zip(keys, (int(label) for label in found.labels), strict=True))
    }
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


def _planted(record: StudyRecord, members: list[RecordedModel]) -> ClusteringOutcome:
    """The kinds of model that the training data plant, as a clustering; nothing is found in it."""
    kinds = [str(model.planted) for model in members]
    names = list(dict.fromkeys(kinds))
    labels = number_clusters(np.array([names.index(kind) for kind in kinds]))
    number = dict(zip(labels.tolist(), kinds, strict=True))
    settings = {"kinds": [number[cluster] for cluster in sorted(number)]}
    keys = [model.key for model in members]
    listed = ", ".join(f"{kind} ({kinds.count(kind)})" for kind in settings["kinds"])
    decision = f"Planted by the training data, not found; by the cue that decides: {listed}."
    key = clusters_key("planted", settings, keys, [])
    if record.index.find("clusters", key) is not None:
        return ClusteringOutcome("planted", len(number), decision, False)
    unused = ("metric", "dataset", "subset", "half", "modules", "precision")
    content = {
        "method": "planted",
        **dict.fromkeys(unused),
        "n_models": len(keys),
        "n_clusters": len(number),
        "settings": settings,
        "statistics": {"decision": decision},
        "clusters": dict(zip(keys, labels.tolist(), strict=True)),
    }
    _write(record, key, "planted", content, decision)
    return ClusteringOutcome("planted", len(number), decision, True)


def _settings(study: Study, method: str, gaps: _Gaps) -> dict[str, Any]:
    section = study.cluster
    if method == "juneja2023":
        return {"delta": 1.0, "n_clusters": 2, "seed": 42}
    if method == "threshold":
        tau = section.tau
        if tau is None:
            tau = round(section.least_relative_gap * gaps.headroom, 6)
        return {"tau": tau}
    return {
        "max_clusters": section.max_clusters,
        "significance": section.significance,
        "permutations": section.permutations,
        "resamples": section.resamples,
        "least_relative_gap": section.least_relative_gap,
        "least_headroom": LEAST_HEADROOM,
        "seed": 0,
    }


def _cluster(
    study: Study, results: Results, gaps: _Gaps, method: str, settings: dict[str, Any]
) -> Clustering:
    if method == "juneja2023":
        return juneja2023(gaps.whole.matrix)
    if method == "spectral":
        return spectral(
            gaps.discovery.matrix,
            gaps.held_out.matrix,
            chance_headroom=gaps.headroom,
            losses=gaps.losses,
            **settings,
        )
    rows = results.query(
        "threshold_components",
        study=study.name,
        tau=settings["tau"],
        precision=study.evaluate.precision,
    )
    component = dict(zip(rows["model"].to_list(), rows["component"].to_list(), strict=True))
    labels = number_clusters(np.array([component[name] for name in gaps.whole.names]))
    largest = dict(zip(component.values(), rows["largest_internal_gap"].to_list(), strict=True))
    return Clustering(
        labels=labels,
        n_clusters=int(labels.max()) + 1,
        settings=settings,
        statistics={"largest_internal_gap": max((v or 0.0 for v in largest.values()), default=0.0)},
    )


def _plain(method: str, found: Clustering) -> str:
    if method == "juneja2023":
        return "Two clusters by the published procedure, which always makes two."
    tau = found.settings["tau"]
    largest = found.statistics["largest_internal_gap"]
    many = "1 component" if found.n_clusters == 1 else f"{found.n_clusters} components"
    return (
        f"{many} of models joined by chains of gaps of at most {tau:.3g} nats; "
        f"the largest gap inside one is {largest:.3g} nats."
    )


def _finite(statistics: dict[str, Any]) -> dict[str, Any]:
    """JSON has no NaN: undefined statistics are null."""
    return {
        name: None if isinstance(value, float) and not np.isfinite(value) else value
        for name, value in statistics.items()
    }


def _write(
    record: StudyRecord, key: str, method: str, content: dict[str, Any], decision: str
) -> None:
    recorder = record.recorder
    run = recorder.start("clusters", key, f"clusters, {method}", decision)
    recorder.artifacts.put_json(run.run_id, run.artifact_uri, content, "clusters.json")
    numbers = {"n_clusters": content["n_clusters"], **content["statistics"]}
    recorder.log(
        run,
        params={
            "method": method,
            "dataset": content["dataset"],
            "half": content["half"],
            "precision": content["precision"],
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
