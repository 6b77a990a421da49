"""The subsets of the primary diagnostic, such as HANS's heuristics and subcases, as a dot plot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from lmc_track.report import wording
from lmc_track.report.facts import Facts, Row
from lmc_track.report.figures import captions
from lmc_track.report.figures.diagnostics import bound_axis, cluster_keys, clusters_of
from lmc_track.report.figures.figure import PaperFigure, Subject
from lmc_track.report.figures.layout import distinct, legend_above, new_figure, shortened
from lmc_track.report.figures.style import TEXT, TITLE, colour, marker, of_cluster
from lmc_track.report.findings import measure_name
from lmc_track.report.intervals import LEAST, mean_interval
from lmc_track.report.section import command

_MOST = 45
_LONGEST = 2.0


def subsets(subject: Subject) -> Iterator[PaperFigure]:
    """Means by cluster on every subset; none where the primary diagnostic's set has none."""
    facts = subject.facts
    frame = facts.cluster_diagnostics.filter(pl.col("dataset") == facts.primary.dataset)
    names = frame.filter(pl.col("subset") != "all")["subset"].unique(maintain_order=True)
    if names.is_empty():
        return
    kept = _widest(frame, names.to_list())
    shown = [name for name in frame["subset"].unique(maintain_order=True) if name in kept]
    yield PaperFigure(
        name="subsets",
        section="subsets",
        title=f"Subsets of {facts.primary.dataset}",
        caption=_caption(facts, names.len(), names.len() - len(kept) + 1),
        drawing=_drawn(facts, frame, shown),
        counts={
            "dataset": facts.primary.dataset,
            "metric": facts.primary.metric,
            "n_models": facts.models.height,
            "n_subsets": names.len(),
        },
        queries=(
            command(
                facts,
                "cluster_diagnostics",
                subject.clustering,
                half=facts.half,
                metric=facts.primary.metric,
            ),
        ),
    )


def _widest(frame: pl.DataFrame, names: list[str]) -> set[str]:
    """The whole and the subsets shown: all, or those that clusters differ most on."""
    ranked = (
        frame.filter(pl.col("subset").is_in(names))
        .group_by("subset", maintain_order=True)
        .agg(pl.col("spread").first())
        .sort("spread", descending=True, nulls_last=True, maintain_order=True)
    )
    return {"all", *ranked["subset"].head(_MOST)}


def _caption(facts: Facts, n: int, left_out: int) -> str:
    metric = wording.capital(wording.metric_name(facts.primary.metric))
    by = " of each cluster" if len(clusters_of(facts)) > 1 else ""
    n_models = facts.models.height
    interval = " with its 95% interval (Student's t)" if n_models >= LEAST else ""
    shown = (
        f"the mean over the models{by}{interval}, over the range from the lowest to the highest "
        "model"
        if n_models > 1
        else "one model"
    )
    return captions.joined(
        [
            f"{metric} on {wording.count(n, 'subset')} of "
            f"{captions.examples(facts, facts.primary.dataset)}: {shown}.",
            f"The {left_out:,} that clusters differ least on are left out." if left_out > 0 else "",
        ]
    )


def _drawn(facts: Facts, frame: pl.DataFrame, names: list[str]) -> Any:
    clusters = clusters_of(facts)
    figure = new_figure(TEXT, 0.75 + 0.14 * len(names))
    axes = figure.subplots()
    rows = {(row["subset"], row["cluster"]): row for row in frame.iter_rows(named=True)}
    offset = 0.3 / max(len(clusters) - 1, 1)
    for k, cluster in enumerate(clusters):
        for place, name in enumerate(names):
            row = rows.get((name, cluster))
            if row is not None:
                _dot(axes, row, cluster, place + (k - (len(clusters) - 1) / 2) * offset)
    labels = ["all" if name == "all" else name for name in names]
    axes.set_yticks(range(len(names)), distinct(labels, _LONGEST))
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=True)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(measure_name(facts))
    axes.set_title(f"Subsets of {shortened(facts.primary.dataset, 2.5, TITLE)}")
    bound_axis(axes, facts)
    if len(clusters) > 1:
        legend_above(figure, cluster_keys(facts))
    return figure


def _dot(axes: Any, row: Row, cluster: int | None, place: float) -> None:
    shade = of_cluster(cluster)
    axes.plot([row["min"], row["max"]], [place, place], color=shade, alpha=0.3, linewidth=2.6,
              solid_capstyle="butt", zorder=1)  # fmt: skip
    interval = mean_interval(row["mean"], row["sd"], row["n_models"])
    if interval is not None:
        axes.plot(interval, [place, place], color=colour("--ink"), linewidth=0.7, zorder=2)
    axes.scatter(row["mean"], place, s=13, marker=marker(cluster), color=shade, linewidths=0,
                 zorder=3)  # fmt: skip
