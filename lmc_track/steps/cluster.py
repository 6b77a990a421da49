"""Clustering a study's models by their gaps, from the warehouse, and recording the outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from lmc_track.analysis.clustering import Clustering, Floats
from lmc_track.analysis.published import juneja2023
from lmc_track.errors import WorkError
from lmc_track.metrics import GAP_METRICS as BASES
from lmc_track.progress import Progress
from lmc_track.steps.cluster_records import (
    ClusteringOutcome,
    clustering_key,
    record_clustering,
    record_planted,
    recorded_outcome,
)
from lmc_track.steps.cluster_verdict import Evidence, cluster_by_verdict
from lmc_track.steps.path_losses import path_losses
from lmc_track.steps.threshold import (
    cluster_by_threshold,
    lacking_threshold,
    threshold_decision,
    threshold_settings,
)
from lmc_track.study import Study
from lmc_track.tracking.location import Location
from lmc_track.tracking.studies import StudyRecord
from lmc_track.warehouse.matrices import GapMatrix, gap_matrices, valley_headroom
from lmc_track.warehouse.results import Results, open_results


@dataclass(frozen=True)
class Gaps:
    """The gaps of a study's models by metric and half; NaN where one was not measured.

    ``halves``: discovery and held-out, or all of imported values, which have no halves.
    """

    names: tuple[str, ...]
    matrices: Mapping[tuple[str, str], GapMatrix]
    halves: tuple[str, ...]

    def known(self, metric: str) -> list[Floats] | None:
        """The matrices of ``metric``, one for each half; None where a pair has no gap."""
        found = [self.matrices[metric, half].matrix for half in self.halves]
        return None if any(np.isnan(matrix).any() for matrix in found) else found


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
    if results.query("models", study=study.name).is_empty():
        progress.note("No model counts, so nothing is clustered.")
        return []
    gaps = _read_gaps(results, study)
    outcomes = []
    with progress.track("Clustering", len(study.cluster.methods), "methods") as work:
        for method in study.cluster.methods:
            needed = lacking(study, gaps, method)
            if needed:
                progress.note(needed)
            else:
                outcomes.append(_one(study, record, results, gaps, method))
            work.advance()
    models = {model.name: model for model in record.facts.models}
    members = [models[name] for name in gaps.names]
    if members and all(model.planted is not None for model in members):
        outcomes.append(record_planted(record, members))
    return outcomes


def lacking(study: Study, gaps: Gaps, method: str) -> str:
    """What ``method`` needs that the study does not have; empty where it can be run."""
    if method == "juneja2023":
        return ""
    for half in gaps.halves:
        if np.isnan(gaps.matrices["loss", half].matrix).any():
            return (
                f"{method} was not run: no example of validation is in the {half} half, as all are "
                "of one group or text; more of them are needed (evaluate.max_examples)"
            )
    if method == "threshold":
        metric = threshold_settings(study)["metric"]
        return lacking_threshold(gaps.matrices[metric, gaps.halves[0]])
    return ""


def declared_metric(study: Study, gaps: Gaps) -> str:
    """What the verdict is about: ``cluster.metric``, or the loss where only that is known."""
    return study.cluster.metric if gaps.known(study.cluster.metric) is not None else "loss"


def _read_gaps(results: Results, study: Study) -> Gaps:
    precision = study.evaluate.precision
    matrices = gap_matrices(
        results, study.name, halves=("all", "discovery", "held-out"), precision=precision
    )
    whole = matrices["loss", "all"]
    lacking = int(np.isnan(whole.matrix[np.triu_indices(len(whole.names), 1)]).sum())
    if lacking:
        _refuse_infinite(results, study)
        imported = study.task.name == "imported"
        raise WorkError(
            f"{lacking} pairs of models have no complete path yet: clusters need all of them",
            "Import the logs of the others, then run lmc-track ingest"
            if imported
            else f"Run first: lmc-track interpolate {study.name}, then lmc-track ingest",
        )
    validation = results.query("datasets", study=study.name).filter(dataset="validation")
    imported = bool(validation.height) and validation["n_discovery"].item() is None
    return Gaps(whole.names, matrices, ("all",) if imported else ("discovery", "held-out"))


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
    settings = _settings(study, gaps, method)
    keys = {model.name: model.key for model in record.facts.models}
    members = [keys[name] for name in gaps.names]
    if method == "juneja2023":
        matrices = [gaps.matrices["loss", "all"].matrix]
    elif method == "threshold":
        matrices = [gaps.matrices[settings["metric"], half].matrix for half in gaps.halves]
    else:
        matrices = [matrix for metric in BASES for matrix in gaps.known(metric) or ()]
    key = clustering_key(method, settings, members, matrices)
    existing = record.index.find("clusters", key)
    if existing is not None:
        return recorded_outcome(method, existing)
    found = _cluster(study, results, gaps, method, settings)
    decision = str(found.statistics.get("decision") or _plain(method, found))
    half = "discovery" if len(gaps.halves) > 1 and method != "juneja2023" else "all"
    metric = str(settings.get("metric", "loss"))
    return record_clustering(
        record, key, method, members, found, decision, study.evaluate.precision, half, metric
    )


def _settings(study: Study, gaps: Gaps, method: str) -> dict[str, Any]:
    if method == "juneja2023":
        return {"delta": 1.0, "n_clusters": 2, "seed": 42}
    if method == "threshold":
        return threshold_settings(study)
    return {
        "metric": declared_metric(study, gaps),
        "resamples": study.cluster.resamples,
        "seed": 0,
    }


def _cluster(
    study: Study, results: Results, gaps: Gaps, method: str, settings: dict[str, Any]
) -> Clustering:
    if method == "juneja2023":
        return juneja2023(gaps.matrices["loss", "all"].matrix)
    if method == "threshold":
        return cluster_by_threshold(study, results)
    precision, declared = study.evaluate.precision, settings["metric"]
    # Losses of single examples are most of what there is to read, and only the loss needs them.
    by_example = declared == "loss" and len(gaps.halves) > 1
    evidence = Evidence(
        gaps.names,
        {metric: known for metric in BASES if (known := gaps.known(metric)) is not None},
        valley_headroom(results, study.name, half=gaps.halves[-1], precision=precision),
        path_losses(results, study.name, gaps.names, precision) if by_example else None,
    )
    return cluster_by_verdict(evidence, declared, settings["resamples"], settings["seed"])


def _plain(method: str, found: Clustering) -> str:
    if method == "juneja2023":
        return "Two clusters by the published procedure, which always makes two."
    return threshold_decision(found)
