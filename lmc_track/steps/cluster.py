"""Clustering a study's models by their gaps, from the warehouse, and recording the outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from lmc_track.analysis.clustering import Clustering, spectral
from lmc_track.analysis.published import juneja2023
from lmc_track.analysis.rule import LEAST_HEADROOM
from lmc_track.errors import WorkError
from lmc_track.progress import Progress
from lmc_track.steps.cluster_records import (
    ClusteringOutcome,
    clustering_key,
    record_clustering,
    record_planted,
    recorded_outcome,
)
from lmc_track.steps.path_losses import path_losses
from lmc_track.steps.threshold import (
    cluster_by_threshold,
    lacking_threshold,
    threshold_decision,
    threshold_gaps,
    threshold_settings,
)
from lmc_track.study import Study
from lmc_track.tracking.location import Location
from lmc_track.tracking.studies import StudyRecord
from lmc_track.warehouse.matrices import GapMatrix, chance_headroom, gap_matrix
from lmc_track.warehouse.results import Results, open_results


@dataclass(frozen=True)
class Gaps:
    """The gaps of all examples and of both halves, NaN where a half has none; nats.

    ``headroom`` is None of imported values: they have no halves, and no examples with labels.
    ``joined`` are those that ``threshold`` joins by, of both halves, or of all examples.
    """

    whole: GapMatrix
    discovery: GapMatrix
    held_out: GapMatrix
    headroom: float | None
    joined: tuple[GapMatrix, ...]


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
            needed = lacking(gaps, method)
            if needed:
                progress.note(needed)
            else:
                outcomes.append(_one(study, record, results, gaps, method))
            work.advance()
    models = {model.name: model for model in record.facts.models}
    members = [models[name] for name in gaps.whole.names]
    if members and all(model.planted is not None for model in members):
        outcomes.append(record_planted(record, members))
    return outcomes


def lacking(gaps: Gaps, method: str) -> str:
    """What ``method`` needs that the study does not have; empty where it can be run."""
    if method == "juneja2023":
        return ""
    for half, found in (("discovery", gaps.discovery), ("held-out", gaps.held_out)):
        if np.isnan(found.matrix).any():
            return (
                f"{method} was not run: no example of validation is in the {half} half, as all are "
                "of one group or text; more of them are needed (evaluate.max_examples)"
            )
    if method == "threshold":
        return lacking_threshold(gaps.joined[0])
    if gaps.headroom is None:
        return (
            f"{method} was not run: it finds clusters on one half of the examples and judges them "
            "on the other, and imported values have no halves"
        )
    return ""


def _read_gaps(results: Results, study: Study) -> Gaps:
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
        imported = study.task.name == "imported"
        raise WorkError(
            f"{lacking} pairs of models have no complete path yet: clusters need all of them",
            "Import the logs of the others, then run lmc-track ingest"
            if imported
            else f"Run first: lmc-track interpolate {study.name}, then lmc-track ingest",
        )
    whole = halves["all"]
    validation = results.query("datasets", study=study.name).filter(dataset="validation")
    if validation.height and validation["n_discovery"].item() is None:
        joined = threshold_gaps(study, results, halves=False)
        return Gaps(whole, whole, whole, None, joined)
    held_out = halves["held-out"]
    known = not np.isnan(held_out.matrix).any()
    headroom = chance_headroom(results, study.name, half="held-out") if known else 0.0
    joined = threshold_gaps(study, results, halves=True)
    return Gaps(whole, halves["discovery"], held_out, headroom, joined)


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
    study: Study, record: StudyRecord, results: Results, gaps: Gaps, method: str
) -> ClusteringOutcome:
    settings = _settings(study, method)
    keys = {model.name: model.key for model in record.facts.models}
    members = [keys[name] for name in gaps.whole.names]
    matrices = [gaps.discovery.matrix, gaps.held_out.matrix]
    if method == "juneja2023":
        matrices = [gaps.whole.matrix]
    elif method == "threshold":
        matrices = [one.matrix for one in gaps.joined]
    key = clustering_key(method, settings, members, matrices)
    existing = record.index.find("clusters", key)
    if existing is not None:
        return recorded_outcome(method, existing)
    found = _cluster(study, results, gaps, method, settings)
    decision = str(found.statistics.get("decision") or _plain(method, found))
    half = "all" if method == "juneja2023" or gaps.headroom is None else "discovery"
    return record_clustering(
        record, key, method, members, found, decision, study.evaluate.precision, half
    )


def _settings(study: Study, method: str) -> dict[str, Any]:
    section = study.cluster
    if method == "juneja2023":
        return {"delta": 1.0, "n_clusters": 2, "seed": 42}
    if method == "threshold":
        return threshold_settings(study)
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
    study: Study, results: Results, gaps: Gaps, method: str, settings: dict[str, Any]
) -> Clustering:
    if method == "juneja2023":
        return juneja2023(gaps.whole.matrix)
    if method == "spectral":
        assert gaps.headroom is not None
        return spectral(
            gaps.discovery.matrix,
            gaps.held_out.matrix,
            chance_headroom=gaps.headroom,
            losses=path_losses(results, study.name, gaps.whole.names, study.evaluate.precision),
            **settings,
        )
    return cluster_by_threshold(study, results)


def _plain(method: str, found: Clustering) -> str:
    if method == "juneja2023":
        return "Two clusters by the published procedure, which always makes two."
    return threshold_decision(found)
