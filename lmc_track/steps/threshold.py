"""The clustering `threshold`: models joined by chains of pairs whose gap is at most a tolerance."""

from __future__ import annotations

from typing import Any

import numpy as np

from lmc_track.analysis.clustering import Clustering, number_clusters
from lmc_track.study import Study
from lmc_track.warehouse.matrices import GapMatrix
from lmc_track.warehouse.results import Results


def threshold_settings(study: Study) -> dict[str, Any]:
    """At most ``tau_error`` of error, or at most ``tau`` nats of loss where that is given."""
    section = study.cluster
    if section.tau is not None:
        return {"tau": section.tau, "metric": "loss"}
    return {"tau": section.tau_error, "metric": "error"}


def lacking_threshold(gaps: GapMatrix) -> str:
    """What ``threshold`` needs beside its ``gaps``; empty where it can be run."""
    if not np.isnan(gaps.matrix).any():
        return ""
    return (
        "threshold was not run: it joins pairs by their error, and the error of some paths is "
        "not known; to join them by their loss give a tolerance in nats, such as "
        "--set cluster.tau=0.1"
    )


def cluster_by_threshold(study: Study, results: Results) -> Clustering:
    """Single linkage cut at the tolerance, beside what complete linkage gives."""
    settings = threshold_settings(study)
    rows = results.query(
        "threshold_components",
        study=study.name,
        precision=study.evaluate.precision,
        **settings,
    )
    names = results.query("models", study=study.name)["name"]
    component = dict(zip(rows["model"].to_list(), rows["component"].to_list(), strict=True))
    labels = number_clusters(np.array([component[name] for name in names]))
    largest = dict(zip(component.values(), rows["largest_internal_gap"].to_list(), strict=True))
    return Clustering(
        labels=labels,
        n_clusters=int(labels.max()) + 1,
        settings=settings,
        statistics={
            "largest_internal_gap": max((v or 0.0 for v in largest.values()), default=0.0),
            "n_complete_linkage": rows["complete_cluster"].n_unique(),
        },
    )


def threshold_decision(found: Clustering) -> str:
    """How many components there are, and what joining by a chain hides."""
    metric = found.settings["metric"]
    tau = amount(found.settings["tau"], metric)
    largest = amount(found.statistics["largest_internal_gap"], metric)
    many = "1 component" if found.n_clusters == 1 else f"{found.n_clusters} components"
    return (
        f"{many} of models joined by chains of {metric} gaps of at most {tau}; the largest gap "
        f"inside one is {largest}, and clusters without a larger gap than {tau} (complete "
        f"linkage) are {found.statistics['n_complete_linkage']}."
    )


def amount(value: float, metric: str) -> str:
    """A gap with its unit: points of error, or nats."""
    if metric == "loss":
        return f"{value:.3g} nats"
    points = f"{100 * value:.3g}"
    return f"{points} {'point' if points == '1' else 'points'}"
