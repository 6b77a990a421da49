"""The published scatter: where models lie between the clusters, against what they generalize like.

The axis of Juneja et al. (2023) is the difference of a model's distances to the two centroids of
the spectral embedding. Of more clusters each has an axis; of one it is the second coordinate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from lmc_track.analysis.effects import cluster_axes
from lmc_track.report import wording
from lmc_track.report.facts import Facts, Row
from lmc_track.report.figures import captions
from lmc_track.report.figures.diagnostics import cluster_keys
from lmc_track.report.figures.figure import PaperFigure, Subject
from lmc_track.report.figures.layout import legend_above, new_figure, shortened
from lmc_track.report.figures.style import LABEL, TEXT, TITLE, marker, of_cluster
from lmc_track.report.findings import examples_of, measure_name
from lmc_track.report.intervals import LEAST
from lmc_track.report.section import command
from lmc_track.report.wording import subset_name

_COLUMNS, _MOST = 3, 6
_SECOND = "the second coordinate of the models' places, whose sign means nothing"
_PUBLISHED = (
    "the difference of its distances to the two centroids of the models' places, left nearer "
    "to cluster 0, right nearer to cluster 1"
)
_NEARNESS = (
    "for each cluster the distance to the nearest other centroid of the models' places less "
    "that to the cluster's own"
)


@dataclass(frozen=True)
class _Axis:
    """A place for each model by name; ``cluster`` is whose axis it is in ``axis_effects``."""

    label: str
    meaning: str
    cluster: int
    places: dict[str, float]


def scatter(subject: Subject) -> Iterator[PaperFigure]:
    """Panels of the primary diagnostic first; none where the clustering has no embedding."""
    facts = subject.facts
    axes = list(_axes(subject.query("embedding")))
    rows = _rows(facts, 1 if len(axes) > 1 else _MOST)
    if not axes or not rows or len(axes[0].places) < LEAST:
        return
    effects = subject.query("axis_effects", metric=facts.primary.metric)
    found = {(r["dataset"], r["subset"], r["cluster"]): r for r in effects.iter_rows(named=True)}
    panels = [(axis, row) for axis in axes[:_MOST] for row in rows]
    asked = {"metric": facts.primary.metric}
    yield PaperFigure(
        name="strategy-scatter",
        section="axis",
        title="Generalization along the axis between clusters",
        caption=_caption(facts, axes, found),
        drawing=_drawn(facts, panels, found),
        counts={
            "metric": facts.primary.metric,
            "n_models": len(axes[0].places),
            "rows": [list(row) for row in rows],
        },
        queries=(
            command(facts, "embedding", subject.clustering),
            command(facts, "diagnostics", subject.clustering, half=facts.half, **asked),
            command(facts, "axis_effects", subject.clustering, **asked),
        ),
    )


def _axes(embedding: pl.DataFrame) -> Iterator[_Axis]:
    known = embedding.filter(pl.col("cluster").is_not_null())
    names = known["model"].to_list()
    k = known["cluster"].n_unique()
    rows = known["centroid_distances" if k > 1 else "coordinates"].to_list()
    width = max(k, 2)
    if not names or any(row is None or len(row) < width or None in row for row in rows):
        return
    places = np.array([row[:width] for row in rows], dtype=np.float64)
    if not np.isfinite(places).all():
        return
    if k == 1:
        yield _Axis("second coordinate", _SECOND, 0, _by_name(names, places[:, 1]))
    elif k == 2:
        label = "distance to cluster 0 − distance to cluster 1"
        yield _Axis(label, _PUBLISHED, 1, _by_name(names, cluster_axes(places)[:, 0]))
    else:
        for cluster, column in enumerate(cluster_axes(places).T):
            label = f"nearness to cluster {cluster}"
            yield _Axis(label, _NEARNESS, cluster, _by_name(names, column))


def _by_name(names: Sequence[str], column: Any) -> dict[str, float]:
    return {name: float(place) for name, place in zip(names, column, strict=True)}


def _rows(facts: Facts, most: int) -> list[tuple[str, str]]:
    """(data set, subset) of the panels: the primary diagnostic, other whole sets, validation."""
    known = facts.diagnostics.filter(pl.col("value").is_not_null())
    there = known.select("dataset", "subset", "role").unique(maintain_order=True)
    wholes = there.filter(pl.col("subset") == "all")
    ordered = pl.concat([wholes.filter(pl.col("role") == r) for r in ("diagnostic", "validation")])
    primary = (facts.primary.dataset, facts.primary.subset)
    first = [row for row in there.select("dataset", "subset").iter_rows() if row == primary]
    rows = [row for row in ordered.select("dataset", "subset").iter_rows() if row != primary]
    return [*first, *rows][:most]


def _caption(
    facts: Facts,
    axes: Sequence[_Axis],
    found: dict[tuple[str, str, int], Row],
) -> str:
    metric = wording.capital(wording.metric_name(facts.primary.metric))
    tested = [row for row in found.values() if row["p_corrected"] is not None]
    but = len(axes) == 1 and any(row["is_primary"] for row in tested)
    return captions.joined(
        [
            f"{metric} of {wording.count(len(axes[0].places), 'model')} on {examples_of(facts)} "
            f"against the model's place on an axis: {axes[0].meaning}.",
            "r is Pearson's correlation; p, over permutations of the models, is corrected for all "
            f"data sets, subsets and axes"
            f"{', but of the primary diagnostic by itself' if but else ''}."
            if tested
            else "",
        ]
    )


def _drawn(
    facts: Facts,
    panels: Sequence[tuple[_Axis, tuple[str, str]]],
    found: dict[tuple[str, str, int], Row],
) -> Any:
    columns = min(_COLUMNS, max(len(panels), 2))
    rows = -(-len(panels) // columns)
    figure = new_figure(TEXT, 0.55 + 1.75 * rows)
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
    flat = list(grid.flat)
    values = facts.diagnostics.filter(pl.col("value").is_not_null())
    single = len({id(axis) for axis, _ in panels}) == 1
    for place, (axes, (axis, row)) in enumerate(zip(flat, panels, strict=False)):
        dots = values.filter((pl.col("dataset") == row[0]) & (pl.col("subset") == row[1]))
        for cluster, rest in dots.group_by("cluster", maintain_order=True):
            known = [(axis.places[m], v) for m, v in rest.select("model", "value").iter_rows()
                     if m in axis.places]  # fmt: skip
            axes.scatter(
                [x for x, _ in known], [y for _, y in known], s=14, marker=marker(cluster[0]),
                color=of_cluster(cluster[0]), alpha=0.75, linewidths=0,
            )  # fmt: skip
        title = shortened(subset_name(*row), TEXT / columns - 0.35, TITLE)
        said = _said(found.get((*row, axis.cluster)), primary=single)
        axes.set_title(f"{title}\n{said}" if said else title)
        axes.grid(visible=True)
        axes.set_axisbelow(True)
        axes.margins(0.06)
        if not single:
            axes.set_xlabel(axis.label)
        axes.locator_params(axis="x", nbins=4)
        if place % columns == 0:
            axes.set_ylabel(measure_name(facts))
    for unused in flat[len(panels) :]:
        unused.set_visible(False)
    if single:
        figure.supxlabel(panels[0][0].label, fontsize=LABEL)
    if facts.found is not None and facts.found.n_clusters > 1:
        legend_above(figure, cluster_keys(facts))
    return figure


def _said(effect: Row | None, *, primary: bool) -> str:
    """``r = −0.91, p = .002``; nothing where no correlation can be had."""
    if effect is None or effect["pearson"] is None:
        return ""
    r = f"r = {wording.share(effect['pearson'])}".replace("-", "−")
    p = effect["p_value" if primary and effect["is_primary"] else "p_corrected"]
    return r if p is None else f"{r}, {wording.p_value(p)}"
