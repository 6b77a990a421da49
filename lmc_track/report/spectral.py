"""Where models are by their gaps, and what correlates with their place there.

The axis is that of Juneja et al. 2023: the distance to the centroid of cluster 0 less that to the
centroid of cluster 1. A clustering of other than two clusters has none; then the published
procedure's, which always makes two, is shown where it is on record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lmc_track.report import wording
from lmc_track.report.facts import Facts, Source
from lmc_track.report.findings import measure_name
from lmc_track.report.palette import (
    cluster_colour,
    cluster_name,
    cluster_symbol,
    plot_text,
    rounded,
)
from lmc_track.report.strip_plot import diagnostic_rows
from lmc_track.report.switched import scatter_layout, switched

Figure = dict[str, Any]

_PROCEDURE = "juneja2023"
NO_EVIDENCE = "The clusters were found in this embedding, so it is not separate evidence for them."
"""What a caption says of it: a figure in which clusters lie apart looks like more than it is."""


@dataclass(frozen=True)
class Axis:
    """``method`` is the clustering whose centroids the axis is of; ``places`` are the rows of
    ``embedding``, ``effects`` those of ``axis_effects``."""

    method: str
    places: pl.DataFrame
    effects: pl.DataFrame

    def effect(self, dataset: str, subset: str) -> Mapping[str, Any] | None:
        """The correlation with the axis there, of two clusters."""
        rows = self.effects.filter(
            (pl.col("dataset") == dataset) & (pl.col("subset") == subset)
        ).drop_nulls("pearson")
        return rows.row(0, named=True) if rows.height else None


def read_axis(source: Source, facts: Facts, clustering: str | None) -> Axis | None:
    """The axis of the reported clustering, else of the published procedure's; None without one."""
    methods = facts.clusterings["method"].to_list() if facts.clusterings.height else []
    found = facts.found
    tried = [(clustering, found.method)] if found is not None else []
    tried += [(_PROCEDURE, _PROCEDURE)] if _PROCEDURE in methods else []
    for asked, method in tried:
        chosen = {"study": facts.study, "clustering": asked}
        places = source.query("embedding", **chosen).drop_nulls("axis")
        if places.height:
            effects = source.query("axis_effects", **chosen, metric=facts.primary.metric)
            return Axis(method, places, effects)
    return None


@dataclass(frozen=True)
class Embedding:
    """Coordinates in which models differ: float64 (n models, n kept), and the numbers, from 1, of
    the eigenvectors that they are of. ``models`` and ``clusters`` are of the rows.
    ``centroid_distances``: by model, to each cluster's centroid, where they were stored."""

    models: list[str]
    clusters: list[int | None]
    eigenvectors: list[int]
    coordinates: NDArray[np.float64]
    centroid_distances: dict[str, list[float]]


def read_embedding(source: Source, facts: Facts, clustering: str | None) -> Embedding | None:
    """Where the models are; None where nothing tells them apart.

    The first eigenvector of a connected graph is constant, so it is left out.
    """
    frame = source.query("embedding", study=facts.study, clustering=clustering)
    frame = frame.drop_nulls("coordinates")
    if frame.height < 2:
        return None
    values = np.array(frame["coordinates"].to_list(), dtype=float)
    spread = np.ptp(values, axis=0)
    told_apart = spread > 1e-6 * max(float(np.abs(values).max()), 1e-12)
    if not told_apart.any():
        return None
    return Embedding(
        models=frame["model"].to_list(),
        clusters=frame["cluster"].to_list(),
        eigenvectors=[int(k) + 1 for k in np.flatnonzero(told_apart)],
        coordinates=values[:, told_apart],
        centroid_distances=dict(
            frame.drop_nulls("centroid_distances").select("model", "centroid_distances").iter_rows()
        ),
    )


def embedding_figure(embedding: Embedding) -> Figure:
    """The first two coordinates that tell models apart, or the one with a lane for each cluster."""
    values = embedding.coordinates
    flat = values.shape[1] == 1
    clusters = sorted(set(embedding.clusters), key=lambda c: (c is None, c))
    data = []
    for lane, cluster in enumerate(clusters):
        rows = [k for k, c in enumerate(embedding.clusters) if c == cluster]
        y = [lane + (k * 0.618 % 1 - 0.5) * 0.5 for k in range(len(rows))]
        data.append(
            _dots(
                cluster,
                values[rows, 0].tolist(),
                y if flat else values[rows, 1].tolist(),
                [embedding.models[k] for k in rows],
                "%{text}<extra></extra>",
            )
        )
    y_axis: Figure = {}
    if flat:
        y_axis = {
            "tickvals": list(range(len(clusters))),
            "ticktext": [cluster_name(c) for c in clusters],
            "range": [len(clusters) - 0.4, -0.6],
            "showgrid": False,
        }
    layout = scatter_layout(
        f"coordinate {embedding.eigenvectors[0]}",
        "" if flat else f"coordinate {embedding.eigenvectors[1]}",
        yaxis=y_axis,
        showlegend=not flat and len(clusters) > 1,
    )
    layout["height"] = 140 + 70 * len(clusters) if flat else 440
    return {"data": data, "layout": layout}


def axis_figure(facts: Facts, axis: Axis) -> Figure:
    """One view a data set: the models' places on the axis against what they score there."""
    return switched("Data set", list(_axis_views(facts, axis)))


def _axis_views(facts: Facts, axis: Axis) -> Iterator[tuple[str, Figure]]:
    rows, _ = diagnostic_rows(facts)
    primary = (facts.primary.dataset, facts.primary.subset)
    place = dict(axis.places.select("model", "axis").iter_rows())
    group = dict(axis.places.select("model", "cluster").iter_rows())
    for dataset, subset in sorted(rows, key=lambda row: row != primary):
        known = facts.diagnostics.filter(
            (pl.col("dataset") == dataset) & (pl.col("subset") == subset)
        ).drop_nulls("value")
        points = [
            (name, place[name], value, group[name])
            for name, value in known.select("model", "value").iter_rows()
            if name in place
        ]
        if len(points) < 2:
            continue
        data = [
            _dots(
                cluster,
                [p[1] for p in points if p[3] == cluster],
                [p[2] for p in points if p[3] == cluster],
                [p[0] for p in points if p[3] == cluster],
                "%{text}<br>axis %{x:.3g}, %{y:.3f}<extra></extra>",
            )
            for cluster in sorted({p[3] for p in points}, key=lambda c: (c is None, c))
        ]
        name = wording.subset_name(dataset, subset)
        said = axis.effect(dataset, subset)
        layout = scatter_layout(
            f"distance to centroid 0 less that to 1{_said(said)}",
            measure_name(facts),
            xaxis={"zeroline": True},
        )
        yield name, {"data": data, "layout": layout}


def _said(effect: Mapping[str, Any] | None) -> str:
    """The correlation with the axis, as a second line of its title."""
    if effect is None:
        return ""
    text = f"r = {effect['pearson']:.2f}"
    if effect["p_corrected"] is not None:
        text += f", corrected {wording.p_value(effect['p_corrected'])}"
    return f"<br>{plot_text(text)}"


def _dots(
    cluster: int | None, x: list[float], y: list[float], names: list[str], hover: str
) -> Figure:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": cluster_name(cluster),
        "x": [rounded(v, 4) for v in x],
        "y": [rounded(v, 4) for v in y],
        "text": [plot_text(name) for name in names],
        "marker": {
            "color": cluster_colour(cluster), "symbol": cluster_symbol(cluster), "size": 9,
            "opacity": 0.8,
        },
        "hovertemplate": hover,
    }  # fmt: skip


def axis_lede(facts: Facts, axis: Axis) -> str:
    """How the axis correlates with what models score on the primary diagnostic, and p; empty
    where no correlation is known."""
    primary = axis.effect(facts.primary.dataset, facts.primary.subset)
    rows = axis.effects.filter(pl.col("subset") == "all").drop_nulls("pearson")
    whose = "" if axis.method != _PROCEDURE else " of the published procedure's two clusters"
    if primary is None and rows.is_empty():
        return ""
    if primary is None:
        primary = rows.row(0, named=True)
    name = wording.subset_name(primary["dataset"], primary["subset"])
    tested = primary["p_value"] if primary["is_primary"] else primary["p_corrected"]
    p = f", {wording.p_value(tested)}" if tested is not None else ""
    text = (
        f"A model's place between the two centroids{whose} correlates with its "
        f"{wording.metric_name(primary['metric'])} on {name} by r = {primary['pearson']:.2f}{p}"
    )
    validation = axis.effect("validation", "all")
    if validation is not None and name != "validation":
        text += f", on validation by r = {validation['pearson']:.2f}"
    return f"{text}."


def embedding_lede(embedding: Embedding) -> str:
    """Which model is least typical of its cluster, by the distances to the centroids, or of all
    models, where they are of one cluster; empty where none is.

    That clusters lie apart in what they were found in cannot fail, so the sentence does not say it.
    """
    if len({c for c in embedding.clusters if c is not None}) < 2:
        return _farthest(embedding)
    ratios = []
    for model, cluster in zip(embedding.models, embedding.clusters, strict=True):
        distances = embedding.centroid_distances.get(model, [])
        if cluster is None or cluster >= len(distances) or len(distances) < 2:
            continue
        # A model alone in its cluster is its centroid, so its distance says nothing.
        if embedding.clusters.count(cluster) < 2:
            continue
        other = min(d for k, d in enumerate(distances) if k != cluster)
        if other > 0:
            ratios.append((distances[cluster] / other, model))
    if len({wording.percent(ratio) for ratio, _ in ratios}) < 2:
        return ""
    nearest, model = max(ratios)
    return (
        f"Nearest to the border of its cluster is {model}, {wording.percent(nearest)} as far from "
        "its own centroid as from the next one."
    )


def _farthest(embedding: Embedding) -> str:
    """The model that lies farthest from the middle of all, beside how far models lie there."""
    from_middle = np.linalg.norm(embedding.coordinates - embedding.coordinates.mean(axis=0), axis=1)
    k, median = int(np.argmax(from_middle)), float(np.median(from_middle))
    times = wording.number(float(from_middle[k]) / median, 2) if median > 0 else wording.MISSING
    if len(embedding.models) < 3 or times in (wording.MISSING, "1.0", "1"):
        return ""
    return (
        f"{embedding.models[k]} lies farthest from the middle of the models, {times} times as far "
        "as the median model."
    )
