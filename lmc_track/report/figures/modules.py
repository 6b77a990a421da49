"""Which part of the network carries the barrier: module-wise paths as a heat map."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import numpy as np

from lmc_track.report import wording
from lmc_track.report.figures import captions
from lmc_track.report.figures.figure import PaperFigure, Subject
from lmc_track.report.figures.layout import distinct, new_figure, shortened
from lmc_track.report.figures.style import LABEL, MATRIX_COLOURS, TEXT, colour
from lmc_track.report.module_views import ModuleViews, module_columns
from lmc_track.report.section import command

_LONGEST = 1.5
_VECTOR_CELLS = 1500


def modules(subject: Subject) -> Iterator[PaperFigure]:
    """A row for each part, a column for each pair and direction."""
    views, facts = subject.modules, subject.facts
    if views is None:
        return
    columns = module_columns(views.paths)
    averaged = len(columns) < views.paths.select("model_a", "model_b").n_unique()
    parts = views.paths["modules"].unique(maintain_order=True).to_list()
    given = subject.clustering
    yield PaperFigure(
        name="modules",
        section="modules",
        title="Parts of the network",
        caption=captions.joined(
            [
                f"{wording.capital(wording.count(len(parts), 'part'))} of the network moved from "
                "one model to the other while the rest stays: how far the validation loss on the "
                "way, its far end included, rises above the line between the two models' own "
                f"losses, in nats ({captions.examples(facts)}; {captions.grid(facts)}).",
                "One column for each two clusters, the mean over their pairs."
                if averaged
                else "One column for each pair and direction.",
                "Grey: not measured." if _has_holes(views) else "",
            ]
        ),
        drawing=_drawn(views, columns, parts),
        counts={
            "metric": "loss",
            "measure": "barrier_to_models",
            "n_models": facts.models.height,
            "n_paths": views.paths.height,
            "parts": parts,
        },
        queries=(
            command(facts, "module_paths", given, half=facts.half),
            command(facts, "module_summary", given, half=facts.half),
        ),
    )


def _has_holes(views: ModuleViews) -> bool:
    return views.paths["barrier_to_models"].null_count() > 0


def _drawn(views: ModuleViews, columns: list[Any], parts: list[str]) -> Any:
    index = {part: i for i, part in enumerate(parts)}
    values = np.full((len(parts), len(columns)), np.nan)
    for j, (_, _, rows) in enumerate(columns):
        for part, barrier, _ in rows:
            values[index[part], j] = np.nan if barrier is None else barrier
    figure = new_figure(TEXT, max(0.75 + 0.16 * len(parts), 1.25))
    axes = figure.subplots()
    vector = values.size <= _VECTOR_CELLS
    mesh = axes.pcolormesh(
        np.ma.masked_invalid(values),
        cmap=MATRIX_COLOURS,
        vmin=0,
        vmax=float(np.nanmax(values)) or 1.0,
        edgecolors=colour("--paper") if vector else "face",
        linewidth=0.3 if vector else 0.1,
        rasterized=not vector,
    )
    axes.set(xlim=(0, len(columns)), ylim=(len(parts), 0), facecolor=colour("--hole"))
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.set_yticks(np.arange(len(parts)) + 0.5, distinct(parts, _LONGEST))
    bounds, start = [], 0
    for kind, group in groupby(kind for _, kind, _ in columns):
        size = len(list(group))
        bounds.append((kind, start, start + size))
        start += size
    width = TEXT - _LONGEST - 0.9
    axes.set_xticks(
        [(low + high) / 2 for _, low, high in bounds],
        [shortened(kind, width * (high - low) / len(columns)) for kind, low, high in bounds],
    )
    for _, low, _ in bounds[1:]:
        axes.axvline(low, color=colour("--paper"), linewidth=2)
    bar = figure.colorbar(mesh, ax=axes, pad=0.02, aspect=12, fraction=0.08)
    bar.outline.set_visible(False)
    bar.ax.locator_params(nbins=4)
    bar.set_label("barrier, nats", fontsize=LABEL)
    axes.set_title("Parts of the network moved alone")
    return figure
