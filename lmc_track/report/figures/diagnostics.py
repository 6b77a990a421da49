"""What every model scores on every data set: one dot a model, means with intervals by cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from lmc_track.metrics import METRICS
from lmc_track.report import wording
from lmc_track.report.facts import Facts
from lmc_track.report.figures import captions
from lmc_track.report.figures.figure import PaperFigure, Subject
from lmc_track.report.figures.layout import distinct, legend_above, new_figure
from lmc_track.report.figures.style import TEXT, colour, marker, of_cluster
from lmc_track.report.findings import examples_of, measure_name
from lmc_track.report.intervals import LEAST, mean_interval
from lmc_track.report.palette import cluster_name
from lmc_track.report.section import command
from lmc_track.report.strip_plot import diagnostic_rows
from lmc_track.report.wording import subset_name

_GOLDEN = 0.618
_LONGEST = 1.6


def diagnostics(subject: Subject) -> Iterator[PaperFigure]:
    """The strips; none where nothing was evaluated."""
    facts = subject.facts
    rows, left_out = diagnostic_rows(facts)
    if not rows:
        return
    asked = {"half": facts.half, "metric": facts.primary.metric}
    yield PaperFigure(
        name="diagnostics",
        section="diagnostics",
        title="Diagnostics by cluster" if _several(facts) else "Diagnostics",
        caption=_caption(facts, left_out),
        drawing=_drawn(facts, rows),
        counts={
            "metric": facts.primary.metric,
            "n_models": facts.models.height,
            "rows": [list(row) for row in rows],
            "n_subsets_left_out": left_out,
        },
        queries=(
            command(facts, "diagnostics", subject.clustering, **asked),
            command(facts, "cluster_diagnostics", subject.clustering, **asked),
        ),
    )


def clusters_of(facts: Facts) -> list[int | None]:
    """The clusters that have values, models without one last."""
    found = set(facts.cluster_diagnostics["cluster"].to_list())
    return sorted(found, key=lambda c: (c is None, c))


def _several(facts: Facts) -> bool:
    return facts.found is not None and facts.found.n_clusters > 1


def _caption(facts: Facts, left_out: int) -> str:
    metric = wording.capital(wording.metric_name(facts.primary.metric))
    sizes = facts.found.sizes if facts.found is not None else {}
    by = " of each cluster" if _several(facts) else ""
    small = any(n < LEAST for n in sizes.values()) and _several(facts)
    return captions.joined(
        [
            f"{metric} of {wording.count(facts.models.height, 'model')} on {examples_of(facts)} of "
            "each data set: one dot per model.",
            f"Bars: the mean{by} with its 95% interval over models (Student's t)"
            f"{f'; none of fewer than {wording.word(LEAST)} models' if small else ''}."
            if facts.models.height >= LEAST
            else "",
            f"{wording.capital(wording.count(left_out, 'subset'))} left out." if left_out else "",
        ]
    )


def _drawn(facts: Facts, rows: Sequence[tuple[str, str]]) -> Any:
    clusters = clusters_of(facts)
    height = 0.55 + len(rows) * (0.07 + 0.13 * len(clusters)) + (0.2 if len(clusters) > 1 else 0)
    figure = new_figure(TEXT, max(height, 1.2))
    axes = figure.subplots()
    lane = 0.84 / len(clusters)
    for k, cluster in enumerate(clusters):
        for place, row in enumerate(rows):
            middle = place + (k - (len(clusters) - 1) / 2) * lane
            _lane(axes, facts, cluster, row, middle, lane)
    for place in range(1, len(rows)):
        axes.axhline(place - 0.5, color=colour("--rule"), linewidth=0.5, zorder=0)
    axes.set_yticks(range(len(rows)), distinct([subset_name(*row) for row in rows], _LONGEST))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(visible=True, axis="x")
    axes.set_axisbelow(True)
    axes.set_xlabel(measure_name(facts))
    axes.set_title("Diagnostics by cluster" if _several(facts) else "Diagnostics")
    bound_axis(axes, facts)
    if _several(facts):
        legend_above(figure, cluster_keys(facts))
    return figure


def _lane(
    axes: Any,
    facts: Facts,
    cluster: int | None,
    row: tuple[str, str],
    middle: float,
    lane: float,
) -> None:
    of_row = (pl.col("dataset") == row[0]) & (pl.col("subset") == row[1])
    of_both = of_row & pl.col("cluster").eq_missing(pl.lit(cluster, pl.Int32))
    values = facts.diagnostics.filter(of_both)["value"].drop_nulls().to_list()
    spread = 0.6 * lane if len(values) > 1 else 0.0
    places = [middle + ((n * _GOLDEN) % 1 - 0.5) * spread for n in range(len(values))]
    axes.scatter(
        values, places, s=9, marker=marker(cluster), color=of_cluster(cluster), alpha=0.7,
        linewidths=0, zorder=2,
    )  # fmt: skip
    for mean, sd, n in (
        facts.cluster_diagnostics.filter(of_both).select("mean", "sd", "n_models").iter_rows()
    ):
        if n > 1:
            mean_bar(axes, mean, sd, n, middle, 0.36 * lane)


def mean_bar(axes: Any, mean: float, sd: float | None, n: int, place: float, reach: float) -> None:
    """A short bar across the lane at the mean, a thin line along it over the interval."""
    ink = colour("--ink")
    axes.plot([mean, mean], [place - reach, place + reach], color=ink, linewidth=1.4, zorder=4,
              solid_capstyle="butt")  # fmt: skip
    interval = mean_interval(mean, sd, n)
    if interval is not None:
        axes.plot(interval, [place, place], color=ink, linewidth=0.8, zorder=3)


def bound_axis(axes: Any, facts: Facts) -> None:
    """Of accuracy the axis shows no more than there can be; intervals beyond are cut."""
    low, high = axes.get_xlim()
    metric = METRICS[facts.primary.metric]
    if (metric.low, metric.high) == (0, 1):
        axes.set_xlim(max(low, -0.02), min(high, 1.02))


def cluster_keys(facts: Facts) -> list[Any]:
    """Legend entries of the clusters with the number of their models."""
    from matplotlib.lines import Line2D

    sizes = dict(facts.models["cluster"].value_counts().iter_rows())
    clusters = sorted(sizes, key=lambda c: (c is None, c))
    return [
        Line2D([], [], linestyle="", marker=marker(c), markersize=4, color=of_cluster(c),
               markeredgewidth=0, label=f"{cluster_name(c)} ({sizes[c]})")
        for c in clusters
    ]  # fmt: skip
