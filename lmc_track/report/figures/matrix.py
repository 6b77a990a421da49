"""The barrier matrix: in cluster order with single linkage above it, and by performance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lmc_track.report import wording
from lmc_track.report.figures import captions
from lmc_track.report.figures.figure import PaperFigure, Subject
from lmc_track.report.figures.layout import (
    LINE,
    POINTS,
    distinct,
    legend_columns,
    legend_height,
    text_width,
)
from lmc_track.report.figures.style import (
    COLUMN,
    LABEL,
    MATRIX_COLOURS,
    SMALL,
    TEXT,
    TITLE,
    colour,
    of_cluster,
)
from lmc_track.report.linkage import Merge, branches
from lmc_track.report.matrix_orders import MatrixOrder, matrix_orders
from lmc_track.report.matrix_plot import in_cluster_order, read_merge_tree
from lmc_track.report.matrix_views import scale_top
from lmc_track.report.palette import cluster_name
from lmc_track.report.section import command

_IN_A_COLUMN = 10
_MOST_ORDERS = 2
_TICKS = 8
_VECTOR_CELLS = 48
_LONGEST_NAME = 1.1
_LIGHT = 0.6
_TREE, _STRIP, _GAP, _BAR = 0.55, 0.06, 0.04, 0.09
_TITLE_SPACE = LINE * TITLE / POINTS + 0.03


def matrix(subject: Subject) -> Iterator[PaperFigure]:
    """Convexity gaps of all pairs; none where no pair is measured."""
    facts = subject.facts
    if facts.measured.is_empty():
        return
    merges = read_merge_tree(subject.source, facts) if facts.found is not None else None
    order = in_cluster_order(facts, merges or ())
    half, given = facts.half, subject.clustering
    counts = {
        "metric": "loss",
        "measure": "convexity_gap",
        "n_models": len(order),
        "n_pairs": facts.measured.height,
        "n_missing": facts.n_unmeasured,
        "n_undecided": len(subject.decisions.undecided) if subject.decisions else None,
    }
    decided = [command(facts, "gap_decisions", given)] if subject.decisions else []
    yield PaperFigure(
        name="barrier-matrix",
        section="matrix",
        title="Barrier matrix",
        caption=_caption(subject, tree=merges is not None),
        drawing=_Page(subject, order, merges).drawn(),
        counts={**counts, "order": order},
        queries=(
            command(facts, "barrier_matrix", given, half=half),
            *([command(facts, "merge_tree")] if merges is not None else []),
            *decided,
        ),
    )
    for scored in matrix_orders(subject.source, facts, given)[:_MOST_ORDERS]:
        names = list(scored.names)
        yield PaperFigure(
            name=f"barrier-matrix-by-{scored.asked.replace(':', '-')}",
            section="matrix",
            title=f"Barrier matrix by {scored.label}",
            caption=_caption(subject, tree=False, scored=scored),
            drawing=_Page(subject, names, None, scored).drawn(),
            counts={**counts, "order": names},
            queries=(
                command(facts, "barrier_matrix", given, half=half, order=scored.asked),
                *decided,
            ),
        )


def _caption(subject: Subject, *, tree: bool, scored: MatrixOrder | None = None) -> str:
    facts = subject.facts
    several = facts.found is not None and facts.found.n_clusters > 1
    order = "study order"
    if tree:
        order = "the order of single linkage" + (" within each cluster" if several else "")
    if scored is not None:
        order = f"the order of their {scored.label}, the worst first, as in Juneja et al. (2023)"
    undecided = subject.decisions.undecided if subject.decisions else []
    return captions.joined(
        [
            f"Convexity gap of the validation loss, in nats, between every two of "
            f"{wording.count(facts.models.height, 'model')} "
            f"({captions.examples(facts)}; {captions.grid(facts)}).",
            f"Models are in {order}.",
            "Above: single linkage of the gaps that clusters are found on; two parts are joined at "
            "the smallest gap τ between them."
            if tree
            else "",
            f"Rings: {wording.count(len(undecided), 'pair')} of which the examples do not decide "
            f"whether the gap of the error is above {subject.decisions.tolerance}."
            if undecided and subject.decisions
            else "",
            f"Grey with a cross: {captions.missing(facts.n_unmeasured)}"
            if facts.n_unmeasured
            else "",
        ]
    )


@dataclass(frozen=True)
class _Page:
    """The matrix placed by hand, in inches, so that its cells are square and the tree above it
    stands on its columns."""

    subject: Subject
    order: list[str]
    merges: Sequence[Merge] | None
    scored: MatrixOrder | None = None

    def drawn(self) -> Any:
        from matplotlib.figure import Figure

        facts = self.subject.facts
        n = len(self.order)
        width = COLUMN if n <= _IN_A_COLUMN else TEXT
        names, beside, below = self._names(width)
        clusters = [facts.cluster_of[name] for name in self.order]
        blocks = [(c, len(list(rows))) for c, rows in groupby(clusters)]
        strip = _STRIP + _GAP if len(blocks) > 1 else 0.0
        sizes = Counter(sorted(clusters, key=lambda c: (c is None, c)) if strip else [])
        labels = [f"{cluster_name(c)} ({size})" for c, size in sizes.items()]
        legend = legend_height(labels, width)
        tree = _TREE if self.merges is not None else 0.0
        # The axis of the tree needs room on the left even where no names do.
        left = max(beside, 0.42 if tree else 0.2) + strip + 0.06
        right = _BAR + 0.08 + _scale_space(scale_top(facts))
        side = width - left - right
        bottom = below + 0.08
        height = bottom + side + strip + tree + _GAP + legend + _TITLE_SPACE + 0.03
        figure = Figure(figsize=(width, height))
        box = _Boxes(figure, width, height)
        axes = box.axes(left, bottom, side, side)
        mesh = self._cells(axes, names)
        axes.tick_params(axis="y", pad=2 + strip * POINTS)
        if strip:
            above = box.axes(left, bottom + side + _GAP, side, _STRIP)
            at_left = box.axes(left - strip, bottom, _STRIP, side)
            _strips(above, at_left, blocks, n)
            if self.scored is None:
                _separators(axes, blocks)
            self._legend(figure, list(sizes), labels, 1 - (_TITLE_SPACE + 0.02) / height)
        if self.merges is not None:
            self._tree(box.axes(left, bottom + side + strip + _GAP, side, tree - _GAP))
        bar = box.axes(left + side + 0.08, bottom, _BAR, side)
        scale = figure.colorbar(mesh, cax=bar)
        scale.outline.set_visible(False)
        scale.set_label("convexity gap, nats")
        figure.text(
            0.04 / width, 1 - 0.03 / height, "Convexity gap of the validation loss",
            va="top", ha="left", fontsize=TITLE,
        )  # fmt: skip
        return figure

    def _names(self, width: float) -> tuple[list[str], float, float]:
        """The names that there is room for, none of too many; the space left of rows and below."""
        names = distinct(self.order, _LONGEST_NAME if width == TEXT else 0.8)
        beside = max(text_width(self._beside(k, name)) for k, name in enumerate(names)) + 0.08
        room = (width - beside - 0.85) * POINTS / len(names)
        if room < SMALL * LINE:
            ticks = text_width("0.000") + 0.08 if self.scored is not None else 0.0
            below = (LINE * LABEL) / POINTS + 0.06
            return [], below + ticks, below
        return names, beside, max(text_width(name) for name in names) + 0.08

    def _beside(self, place: int, name: str) -> str:
        """The name left of its row; in an order by performance with what the model scores."""
        if self.scored is None:
            return name
        value = self.scored.values.get(self.order[place])
        return f"{name}  {wording.fine_share(value)}" if name else wording.fine_share(value)

    def _cells(self, axes: Any, names: list[str]) -> Any:
        facts, n = self.subject.facts, len(self.order)
        values = _values(facts.pairs, self.order)
        few = n <= _VECTOR_CELLS
        mesh = axes.pcolormesh(
            np.ma.masked_invalid(values),
            cmap=MATRIX_COLOURS,
            vmin=0,
            vmax=scale_top(facts),
            edgecolors=colour("--paper") if few else "face",
            linewidth=0.4 if few else 0.1,
            rasterized=not few,
        )
        axes.set(xlim=(0, n), ylim=(n, 0), facecolor=colour("--hole"))
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
        if names:
            middles = np.arange(n) + 0.5
            axes.set_xticks(middles, names, rotation=90)
            axes.set_yticks(middles, [self._beside(k, name) for k, name in enumerate(names)])
        else:
            axes.set(xticks=[], yticks=[])
            axes.set_xlabel(f"{n:,} models")
            if self.scored is not None:
                ticks = np.linspace(0, n - 1, _TICKS).astype(int)
                axes.set_yticks(ticks + 0.5, [self._beside(k, "") for k in ticks])
        cell = axes.bbox.width / axes.figure.dpi * POINTS / n
        holes = np.argwhere(np.isnan(values)) + 0.5
        axes.scatter(
            holes[:, 1], holes[:, 0], marker="x", s=(0.4 * cell) ** 2, color=colour("--ink"),
            linewidths=min(0.8, 0.12 * cell),
        )  # fmt: skip
        rings = self._undecided()
        light = [values[i, j] > _LIGHT * mesh.norm.vmax for i, j in rings]
        axes.scatter(
            [j + 0.5 for _, j in rings], [i + 0.5 for i, _ in rings], marker="o",
            s=min(0.45 * cell, 5.0) ** 2, facecolors="none",
            edgecolors=[colour("--ink" if bright else "--paper") for bright in light],
            linewidths=min(0.8, 0.15 * cell),
        )  # fmt: skip
        return mesh

    def _undecided(self) -> list[tuple[int, int]]:
        decisions = self.subject.decisions
        index = {name: i for i, name in enumerate(self.order)}
        pairs = [(index[a], index[b]) for a, b in decisions.undecided] if decisions else []
        return [*pairs, *((j, i) for i, j in pairs)]

    def _tree(self, axes: Any) -> None:
        from matplotlib.collections import LineCollection

        assert self.merges is not None
        lines = [
            [(x + 0.5, y) for x, y in branch.corners]
            for branch in branches(self.merges, self.order, self.subject.facts.cluster_of)
        ]
        axes.add_collection(LineCollection(lines, colors=colour("--plain"), linewidths=0.7))
        top = max((merge.tau for merge in self.merges), default=0.0)
        axes.set(xlim=(0, len(self.order)), ylim=(0, 1.08 * top or 1.0), xticks=[])
        axes.spines["bottom"].set_visible(False)
        axes.locator_params(axis="y", nbins=2)
        axes.set_ylabel("τ, nats")

    def _legend(
        self, figure: Any, clusters: list[int | None], labels: list[str], top: float
    ) -> None:
        from matplotlib.patches import Patch

        handles = [
            Patch(color=of_cluster(c), label=label)
            for c, label in zip(clusters, labels, strict=True)
        ]
        figure.legend(
            handles=handles, loc="upper left", bbox_to_anchor=(0.0, top), handlelength=0.9,
            ncols=legend_columns(labels, figure.get_size_inches()[0] - 0.1), borderpad=0.1,
            labelspacing=0.25,
        )  # fmt: skip


@dataclass(frozen=True)
class _Boxes:
    """Axes at places given in inches from the lower left corner."""

    figure: Any
    width: float
    height: float

    def axes(self, left: float, bottom: float, width: float, height: float) -> Any:
        place = (left / self.width, bottom / self.height, width / self.width, height / self.height)
        return self.figure.add_axes(place)


def _scale_space(top: float) -> float:
    """Inches right of the colour bar: ticks and their label."""
    return text_width(f"{top:.3f}"[: 4 if top >= 0.05 else 6]) + 0.12 + LINE * LABEL / POINTS


def _values(pairs: pl.DataFrame, order: list[str]) -> NDArray[np.float64]:
    index = {name: i for i, name in enumerate(order)}
    values = np.full((len(order), len(order)), np.nan)
    np.fill_diagonal(values, 0.0)
    for a, b, gap in pairs.select("model_a", "model_b", "convexity_gap").iter_rows():
        values[index[a], index[b]] = values[index[b], index[a]] = np.nan if gap is None else gap
    return values


def _strips(above: Any, at_left: Any, blocks: list[tuple[int | None, int]], n: int) -> None:
    start = 0
    for cluster, size in blocks:
        above.barh(0, size, 1, left=start, color=of_cluster(cluster), linewidth=0)
        at_left.bar(0, size, 1, bottom=start, color=of_cluster(cluster), linewidth=0)
        start += size
    above.set(xlim=(0, n), ylim=(-0.5, 0.5))
    at_left.set(ylim=(n, 0), xlim=(-0.5, 0.5))
    for axes in (above, at_left):
        axes.set_axis_off()


def _separators(axes: Any, blocks: list[tuple[int | None, int]]) -> None:
    start = 0
    for _, size in blocks[:-1]:
        start += size
        for line in (axes.axhline, axes.axvline):
            line(start, color=colour("--paper"), linewidth=1.6)
