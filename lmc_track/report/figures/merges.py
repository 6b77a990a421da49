"""The merge tree over tau: which models a tolerance joins, beside what joining by a chain hides.

Single linkage joins models by a chain of small gaps. So the largest gap inside a part and
complete linkage, which joins only where every gap is small, stand beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from lmc_track.report import wording
from lmc_track.report.facts import Facts
from lmc_track.report.figures import captions
from lmc_track.report.figures.diagnostics import cluster_keys
from lmc_track.report.figures.figure import PaperFigure, Subject
from lmc_track.report.figures.layout import LINE, POINTS, distinct, legend_above, new_figure
from lmc_track.report.figures.style import SMALL, TEXT, colour, marker, of_cluster
from lmc_track.report.linkage import branches, leaf_order, read_merges
from lmc_track.report.section import command

# (column of the query, colour, dashes) by name.
_LINKAGES: dict[str, tuple[str, str, Any]] = {
    "single linkage": ("tau", "--accent", "-"),
    "complete linkage": ("complete_tau", "--between", (0, (3, 1))),
}
_LONGEST, _NAMES_SHOWN, _TALLEST = 1.1, 40, 3.2


def merge_tree(subject: Subject) -> Iterator[PaperFigure]:
    """The tree on its side, beside the counts of parts and the largest gap inside one."""
    facts = subject.facts
    joins = subject.source.query("merge_tree", study=facts.study)
    if joins.is_empty():
        return
    order = leaf_order(read_merges(joins), facts.models["name"].to_list(), facts.cluster_of)
    decided = subject.decisions.loss if subject.decisions else None
    tau = decided.tau if decided else None
    yield PaperFigure(
        name="merge-tree",
        section="merging",
        title="Merge tree",
        caption=_caption(facts, joins, tau),
        drawing=_drawn(facts, joins, order, tau),
        counts={
            "metric": "loss",
            "measure": "convexity_gap",
            "n_models": len(order),
            "n_missing": facts.n_unmeasured,
            "tau": tau,
            "order": order,
        },
        queries=(command(facts, "merge_tree"),),
    )


def _caption(facts: Facts, joins: pl.DataFrame, tau: float | None) -> str:
    last = joins.row(-1, named=True)
    whole = "all models are" if last["n_components"] == 1 else "no more models are"
    inside = last["largest_internal_gap"]
    return captions.joined(
        [
            f"Single linkage of the convexity gaps of the validation loss on "
            f"{'all' if facts.half == 'all' else 'discovery'} examples, those that clusters are "
            f"found on ({wording.count(facts.models.height, 'model')}; {captions.grid(facts)}): "
            "two parts are joined at the smallest gap between them.",
            f"At τ = {wording.nats(last['tau'])} {whole} joined"
            + (
                f", though the largest gap inside a part is {wording.nats(inside)}."
                if inside is not None and inside > last["tau"]
                else "."
            ),
            "Right, above: parts by single linkage, and by complete linkage, which joins only "
            "where every gap is at most τ. Below: the largest gap inside a part of single linkage; "
            "dotted, τ itself.",
            f"Dashed: the study's tolerance in loss, {wording.nats(tau)}."
            if tau is not None
            else "",
            captions.missing(facts.n_unmeasured),
        ]
    )


def _drawn(facts: Facts, joins: pl.DataFrame, order: list[str], tau: float | None) -> Any:
    height = min(max(0.3 + len(order) * LINE * SMALL / POINTS, 1.7), _TALLEST)
    figure = new_figure(TEXT, height + 0.85)
    places: dict[str, Any] = figure.subplot_mosaic(
        [["tree", "parts"], ["tree", "inside"]], width_ratios=[1.25, 1]
    )
    tree, parts, inside = (places[name] for name in ("tree", "parts", "inside"))
    single = max(joins["tau"].to_list())
    both = max(
        joins.select(pl.max_horizontal(pl.col("tau", "complete_tau").max())).item(), tau or 0
    )
    _tree(tree, facts, joins, order)
    tree.set_xlim(0, 1.06 * single or 1.0)
    _parts(parts, joins, len(order), 1.04 * both or 1.0)
    _inside(inside, joins, 1.04 * both or 1.0)
    for panel in (tree, parts, inside):
        if tau is not None and tau <= panel.get_xlim()[1]:
            panel.axvline(tau, color=colour("--ink"), linestyle=(0, (4, 2)), linewidth=0.7)
    parts.sharex(inside)
    parts.tick_params(axis="x", labelbottom=False)
    for panel in (tree, inside):
        panel.set_xlabel("τ, nats")
    tree.set_title("Merge tree of the validation loss")
    several = facts.found is not None and facts.found.n_clusters > 1
    legend_above(figure, [*(cluster_keys(facts) if several else []), *_line_keys(tau)])
    return figure


def _tree(panel: Any, facts: Facts, joins: pl.DataFrame, order: list[str]) -> None:
    from matplotlib.collections import LineCollection

    lines = [
        [(y, x) for x, y in branch.corners]
        for branch in branches(read_merges(joins), order, facts.cluster_of)
    ]
    panel.add_collection(LineCollection(lines, colors=colour("--plain"), linewidths=0.8))
    for place, name in enumerate(order):
        cluster = facts.cluster_of[name]
        panel.scatter(
            0, place, s=12 if len(order) <= _NAMES_SHOWN else 3, marker=marker(cluster),
            color=of_cluster(cluster), linewidths=0, clip_on=False, zorder=3,
        )  # fmt: skip
    room = _TALLEST * POINTS / len(order)
    if room >= SMALL * LINE:
        panel.set_yticks(range(len(order)), distinct(order, _LONGEST))
    else:
        panel.set_yticks([])
        panel.set_ylabel(f"{len(order):,} models")
    panel.set_ylim(len(order) - 0.4, -0.6)
    panel.tick_params(axis="y", length=0, pad=5)
    panel.spines["left"].set_visible(False)
    panel.locator_params(axis="x", nbins=5)


def _parts(panel: Any, joins: pl.DataFrame, n: int, end: float) -> None:
    """How many parts there are at each tau, by either linkage."""
    for name, variable, dashes in _LINKAGES.values():
        known = joins.drop_nulls(name)
        taus, counts = known[name].to_list(), known["n_components"].to_list()
        last = counts[-1] if counts else n
        panel.step(
            [0, *taus, end], [n, *counts, last], where="post", color=colour(variable),
            linestyle=dashes,
        )  # fmt: skip
    panel.set_ylabel("parts")
    panel.set(xlim=(0, end), ylim=(0, n * 1.05))
    panel.grid(visible=True, axis="y")
    panel.locator_params(axis="y", nbins=4, integer=True)


def _inside(panel: Any, joins: pl.DataFrame, end: float) -> None:
    """The largest gap inside any part so far."""
    known = joins.select("tau", pl.col("largest_internal_gap").cum_max()).drop_nulls()
    taus, inside = (column.to_list() for column in known)
    largest = max(inside, default=0.0)
    panel.step([0, *taus, end], [0, *inside, largest], where="post", color=colour("--accent"))
    panel.axline((0, 0), slope=1, color=colour("--plain"), linestyle=":", linewidth=0.8)
    panel.set_ylabel("largest gap\ninside, nats")
    panel.set(xlim=(0, end), ylim=(0, 1.08 * largest or 1.0))
    panel.grid(visible=True, axis="y")
    panel.locator_params(nbins=4)


def _line_keys(tau: float | None) -> list[Any]:
    from matplotlib.lines import Line2D

    kinds: list[tuple[str, str, Any]] = [
        (label, variable, dashes) for label, (_, variable, dashes) in _LINKAGES.items()
    ]
    if tau is not None:
        kinds.append(("the study's τ", "--ink", (0, (4, 2))))
    return [
        Line2D([], [], color=colour(variable), linestyle=dashes, linewidth=1.1, label=label)
        for label, variable, dashes in kinds
    ]
