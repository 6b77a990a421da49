"""What a report speaks of, read once through the named queries.

Knows the names and columns of the queries, and which half of the examples is reported.
Refuses to know how anything is worded or drawn.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import polars as pl

Row = dict[str, Any]


class Source(Protocol):
    """Where frames come from: ``lmc_track.open(home)``, or anything that answers as it does."""

    def query(self, name: str, **params: Any) -> pl.DataFrame: ...


@dataclass(frozen=True)
class Found:
    """The clustering that the report speaks of: its record, and sizes by cluster number.

    ``sizes`` counts the memberships as they are, so it is right for models that were added
    or removed afterwards.
    """

    clustering_id: str
    method: str
    half: str
    sizes: dict[int, int]
    settings: Mapping[str, Any]
    statistics: Mapping[str, Any]

    @property
    def n_clusters(self) -> int:
        return len(self.sizes)


@dataclass(frozen=True)
class Primary:
    """What clusters are compared on, named before anything was measured."""

    dataset: str
    subset: str
    metric: str


@dataclass(frozen=True)
class Facts:
    """Everything that sentences and tables of one study are made of.

    ``half`` is the half of the validation examples that gaps are reported on: held-out, or all
    where the results have no halves. ``diagnostics`` and ``cluster_diagnostics`` hold values of
    the primary diagnostic's metric.
    """

    study: str
    half: str
    primary: Primary
    summary: Row
    found: Found | None
    models: pl.DataFrame
    datasets: pl.DataFrame
    pairs: pl.DataFrame
    gaps: Mapping[str, Row]
    diagnostics: pl.DataFrame
    cluster_diagnostics: pl.DataFrame
    clusters: pl.DataFrame
    clusterings: pl.DataFrame
    holes: pl.DataFrame
    left_out: pl.DataFrame

    @property
    def cluster_of(self) -> dict[str, int | None]:
        """Cluster by name of model, in study order."""
        return dict(self.models.select("name", "cluster").iter_rows())

    @property
    def measured(self) -> pl.DataFrame:
        """The pairs whose gap is known."""
        return self.pairs.filter(pl.col("convexity_gap").is_not_null())

    @property
    def has_paths(self) -> bool:
        """Whether any path is on record, complete or not; imported scores have none."""
        return bool(self.summary["n_paths"])

    @property
    def has_examples(self) -> bool:
        """Whether any evaluation was made of examples that are known; imported values were not."""
        return bool(self.datasets["n_examples"].count())

    @property
    def n_unmeasured(self) -> int:
        return self.pairs.height - self.measured.height


def gather(source: Source, study: str, clustering: str | None = None) -> Facts:
    """Read the facts of ``study``; ``clustering`` is an id or a method, or None for the default.

    Raises:
        InputError: the study or the clustering is not there.
    """
    chosen: Row = {"study": study, "clustering": clustering}
    half = _reported_half(source, chosen)
    models = source.query("models", **chosen)
    clusterings = source.query("clusterings", study=study)
    summaries = source.query("gap_summary", **chosen, half=half)
    summary = source.query("study_summary", study=study).row(0, named=True)
    primary = Primary(*summary["primary_diagnostic"].split(":"))
    asked = {**chosen, "half": half, "metric": primary.metric}
    return Facts(
        study=study,
        half=half,
        primary=primary,
        summary=summary,
        found=_found(clusterings, models, clustering),
        models=models,
        datasets=source.query("datasets", study=study),
        pairs=source.query("barrier_pairs", **chosen, half=half),
        gaps={row["pairs"]: row for row in summaries.iter_rows(named=True)},
        diagnostics=source.query("diagnostics", **asked),
        cluster_diagnostics=source.query("cluster_diagnostics", **asked),
        clusters=source.query("cluster_table", **chosen, half=half),
        clusterings=clusterings,
        holes=source.query("holes", study=study),
        left_out=source.query("left_out", study=study),
    )


def _reported_half(source: Source, chosen: Row) -> str:
    """Held-out unless only whole sets have numbers, as imported results do."""
    for half in ("held-out", "all"):
        models = source.query("models", **chosen, half=half)
        if models["validation_loss"].count() or models["validation_accuracy"].count():
            return half
    return "held-out"


def _found(clusterings: pl.DataFrame, models: pl.DataFrame, clustering: str | None) -> Found | None:
    if clustering is None:
        rows = clusterings.filter("is_default")
    else:
        named = (pl.col("clustering_id") == clustering) | (pl.col("method") == clustering)
        rows = clusterings.filter(named)
    members = models["cluster"].drop_nulls()
    if rows.is_empty() or members.is_empty():
        return None
    row = rows.row(0, named=True)
    counted = members.value_counts().sort("cluster")
    return Found(
        clustering_id=row["clustering_id"],
        method=row["method"],
        half=row["half"],
        sizes=dict(counted.iter_rows()),
        settings=read_json(row["settings"]),
        statistics=read_json(row["statistics"]),
    )


def read_json(text: str | None) -> dict[str, Any]:
    """The object in a settings or statistics column; empty where there is none."""
    value = json.loads(text) if text else {}
    return value if isinstance(value, dict) else {}
