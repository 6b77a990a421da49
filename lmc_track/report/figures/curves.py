"""Loss and accuracy along the paths, as Figure 1 of Juneja et al. (2023) has them.

Single pairs, medians over pairs, and their middle halves, by cluster.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from lmc_track.report import wording
from lmc_track.report.curve_views import CurveGroup, CurveView, grid, quantile
from lmc_track.report.facts import Facts
from lmc_track.report.figures import captions
from lmc_track.report.figures.figure import PaperFigure, Subject
from lmc_track.report.figures.layout import legend_above, new_figure, shortened
from lmc_track.report.figures.style import TEXT, TITLE, colour
from lmc_track.report.section import command

_COLUMNS = 4
_SINGLE_CURVES = 60
_LABELS = {"loss": "loss, nats", "accuracy": "accuracy"}
_DASHES = ("-", (0, (5, 1.2)), (0, (3, 1, 1, 1)))


def curves(subject: Subject) -> Iterator[PaperFigure]:
    """A column for each data set, a row for each metric; more data sets go on in a next figure."""
    views = {(view.dataset, view.metric): view for view in subject.curves}
    datasets = list(dict.fromkeys(view.dataset for view in subject.curves))
    metrics = [m for m in _LABELS if any(metric == m for _, metric in views)]
    for k, first in enumerate(range(0, len(datasets), _COLUMNS)):
        part = datasets[first : first + _COLUMNS]
        shown = [view for view in subject.curves if view.dataset in part]
        yield PaperFigure(
            name="paths" if k == 0 else f"paths-{k + 1}",
            section="paths",
            title="Along the paths",
            caption=_caption(subject.facts, part, shown),
            drawing=_drawn(subject.facts, views, part, metrics),
            counts={
                "datasets": list(part),
                "metrics": metrics,
                "n_models": subject.facts.models.height,
                "n_pairs": max(sum(len(g.pairs) for g in view.groups) for view in shown),
            },
            queries=tuple(
                command(
                    subject.facts, "curves", subject.clustering,
                    dataset=dataset, half=subject.facts.half, metric=metric,
                )
                for dataset in part
                for metric in metrics
            ),
        )  # fmt: skip


def _caption(facts: Facts, datasets: Sequence[str], views: Sequence[CurveView]) -> str:
    several = facts.found is not None and facts.found.n_clusters > 1
    counts: dict[str, int] = {}
    for view in views:
        for group in view.groups:
            counts[group.label] = max(counts.get(group.label, 0), len(group.pairs))
    dashed = any(group.ensemble is not None for view in views for group in view.groups)
    chance = any(view.entropy is not None for view in views)
    sample = (
        f" (an even sample of at most {_SINGLE_CURVES} a group)"
        if any(n > _SINGLE_CURVES for n in counts.values())
        else ""
    )
    pairs = [
        wording.count(n, "pair") + ("" if label == "all pairs" else f" {label}")
        for label, n in counts.items()
    ]
    return captions.joined(
        [
            f"Loss and accuracy at (1 − α)·θ_a + α·θ_b, {captions.grid(facts)}, on "
            f"{wording.listing([captions.examples(facts, name) for name in datasets])}.",
            f"Thick lines are medians over pairs, bands their middle halves, thin lines single "
            f"pairs{sample}: {wording.listing(pairs)}.",
            "Between clusters α runs from the lower-numbered one." if several else "",
            "Finely dashed in the same colours: median loss of the ensemble that averages the two "
            "models' logits in the same shares." if dashed else "",
            "Dotted, in black, where the axis reaches it: the loss of knowing only how frequent "
            "the labels are." if chance else "",
        ]
    )  # fmt: skip


def _drawn(
    facts: Facts,
    views: dict[tuple[str, str], CurveView],
    datasets: Sequence[str],
    metrics: Sequence[str],
) -> Any:
    n = len(datasets)
    figure = new_figure(TEXT, 0.5 + 1.35 * len(metrics))
    axes = figure.subplots(len(metrics), max(n, 2), sharex=True, squeeze=False)
    labels: dict[str, Any] = {}
    for column, dataset in enumerate(datasets):
        room = TEXT / max(n, 2) - 0.4
        axes[0, column].set_title(shortened(dataset, room, TITLE))
        for row, metric in enumerate(metrics):
            panel = axes[row, column]
            view = views.get((dataset, metric))
            if view is not None:
                _panel(panel, grid(facts), view, labels)
            panel.set_xlim(0, 1)
            panel.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
            if row == len(metrics) - 1:
                panel.set_xlabel("α")
        if column == 0:
            for row, metric in enumerate(metrics):
                axes[row, 0].set_ylabel(_LABELS[metric])
    for unused in axes[:, n:].flat:
        unused.set_visible(False)
    legend_above(figure, _keys(labels))
    return figure


def _panel(panel: Any, alphas: Sequence[float], view: CurveView, labels: dict[str, Any]) -> None:
    from matplotlib.collections import LineCollection

    x = np.array(alphas)
    for k, group in enumerate(view.groups):
        shade = colour(group.colour)
        dashes = _DASHES[k % len(_DASHES)]
        step = -(-len(group.pairs) // _SINGLE_CURVES)
        panel.add_collection(
            LineCollection(
                _pieces(x, group.values[::step]), colors=shade, alpha=0.25, linewidths=0.4, zorder=1
            )
        )
        low, middle, high = (quantile(group.values, q) for q in (0.25, 0.5, 0.75))
        panel.fill_between(x, low, high, color=shade, alpha=0.2, linewidth=0, zorder=2)
        panel.plot(x, middle, color=shade, linestyle=dashes, linewidth=1.5, zorder=4)
        labels.setdefault(group.label, (shade, dashes))
        if group.ensemble is not None:
            panel.plot(
                x, group.ensemble, color=shade, linestyle=(0, (1.5, 1.5)), linewidth=0.9, zorder=3
            )
            labels.setdefault("ensemble", (colour("--plain"), (0, (1.5, 1.5))))
    panel.set_ylim(_limits(view))
    if view.entropy is not None and view.entropy < panel.get_ylim()[1]:
        panel.axhline(view.entropy, color=colour("--ink"), linestyle=":", linewidth=0.7, zorder=0)
        labels.setdefault("chance", (colour("--ink"), ":"))
    panel.grid(visible=True, axis="y")
    panel.set_axisbelow(True)
    panel.locator_params(axis="y", nbins=4)


def _pieces(x: Any, values: Any) -> list[Any]:
    """Lines without their missing points, so that a hole does not hide the rest of a curve."""
    lines = [np.column_stack([x, curve])[~np.isnan(curve)] for curve in values]
    return [line for line in lines if len(line) > 1]


def _limits(view: CurveView) -> tuple[float, float]:
    shown: list[CurveGroup] = list(view.groups)
    low = min(float(np.nanmin(group.values)) for group in shown)
    high = max(float(np.nanmax(group.values)) for group in shown)
    room = 0.05 * (high - low) or 0.05
    if view.metric == "accuracy":
        return max(low - room, -0.02), min(high + room, 1.02)
    return max(low - room, -0.02 * high), high + room


def _keys(labels: dict[str, Any]) -> list[Any]:
    from matplotlib.lines import Line2D

    named = {"ensemble": "logit ensemble, median", "chance": "chance"}
    last = [label for label in ("ensemble", "chance") if label in labels]
    order = [label for label in labels if label not in last] + last
    return [
        Line2D([], [], color=labels[k][0], linestyle=labels[k][1], linewidth=1.3,
               label=named.get(k, k))
        for k in order
    ]  # fmt: skip
