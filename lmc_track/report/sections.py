"""The sections of the page: which exhibits they have, and the queries behind them.

A section that has nothing to show is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lmc_track.report import attribution, ledes, wording
from lmc_track.report.curve_views import CurveView, curve_views, views_for_page
from lmc_track.report.decisions import Decisions, read_decisions
from lmc_track.report.facts import Facts, Source
from lmc_track.report.findings import examples_of
from lmc_track.report.geometry_sections import geometry_sections
from lmc_track.report.linkage import Merge
from lmc_track.report.matrix_orders import matrix_orders
from lmc_track.report.matrix_plot import in_cluster_order, matrix_figure, read_merge_tree
from lmc_track.report.matrix_views import MatrixView, matrix_views, scale_top
from lmc_track.report.module_views import ModuleViews, module_views
from lmc_track.report.record_sections import record_sections
from lmc_track.report.section import Section, command
from lmc_track.report.strategy_sections import strategy_sections
from lmc_track.report.uncertainty_sections import uncertainty_sections


@dataclass(frozen=True)
class Exhibits:
    """What figures are drawn of as well, so it is read once; None where the study has none."""

    curves: Sequence[CurveView]
    matrices: Sequence[MatrixView] = ()
    merges: Sequence[Merge] = ()
    modules: ModuleViews | None = None
    decisions: Decisions | None = None


def read_exhibits(source: Source, facts: Facts, clustering: str | None) -> Exhibits:
    """Read them all."""
    merges = read_merge_tree(source, facts)
    return Exhibits(
        curves=curve_views(source, facts, clustering),
        matrices=matrix_views(source, facts, in_cluster_order(facts, merges)),
        merges=merges,
        modules=module_views(source, facts, clustering),
        decisions=read_decisions(source, facts, clustering),
    )


def sections(source: Source, facts: Facts, read: Exhibits, clustering: str | None) -> list[Section]:
    """All sections of the study that have something to show, in the page's order."""
    return [
        *_matrix(source, facts, read, clustering),
        *_paths(facts, read.curves, clustering),
        *strategy_sections(source, facts, clustering),
        *geometry_sections(source, facts, read.modules, clustering),
        *_why(source, facts, clustering),
        *uncertainty_sections(source, facts, read.decisions, clustering),
        *record_sections(source, facts, clustering),
    ]


def _matrix(
    source: Source, facts: Facts, read: Exhibits, clustering: str | None
) -> Iterator[Section]:
    if facts.measured.is_empty():
        return
    decisions = read.decisions
    order = "cluster" if facts.found and facts.found.n_clusters > 1 else "study"
    if read.merges and order == "study":
        order = "the tree's"
    largest = float(np.max(facts.measured["convexity_gap"].to_numpy()))
    least = (
        f"; the colours end at {wording.nats(scale_top(facts))}, which no gap reaches"
        if largest < scale_top(facts)
        else ""
    )
    rings = (
        "; a ring marks a pair that its error shows neither connected nor separated"
        if decisions and decisions.undecided
        else ""
    )
    tree = (
        "; the tree above joins them at the least τ at which a chain of pairs does, by the gaps "
        "that clusters are found on"
        if read.merges
        else ""
    )
    holes = "; grey cells with a cross were not measured" if facts.n_unmeasured else ""
    orders = matrix_orders(source, facts, clustering)
    switch = (
        "; the last row of buttons orders the models by what they score, the worst first"
        if orders
        else ""
    )
    errors = source.query(
        "grid_error", study=facts.study, half=facts.half, clustering=clustering
    ).drop_nulls("missed")
    yield Section(
        "matrix",
        "Barrier matrix",
        " ".join(
            [
                ledes.matrix_lede(facts),
                *ledes.grid_error_lede(errors, facts),
            ]
        ),
        figure="matrix",
        plot=matrix_figure(facts, read.matrices, read.merges, decisions, orders),
        caption=(
            f"Convexity gap of the validation loss on {examples_of(facts)}, in nats: the greatest "
            "barrier over all parts of the straight line between two models. Models are in "
            f"{order} order{tree}{holes}{rings}{least}{switch}. A click on a cell opens the "
            "pair's curve."
        ),
        queries=(
            command(facts, "barrier_matrix", clustering, half=facts.half),
            *(
                command(facts, "barrier_matrix", clustering, half=facts.half, order=order.asked)
                for order in orders[:1]
            ),
            command(facts, "barrier_pairs", clustering, half=facts.half),
            command(facts, "pair_measures"),
            *([command(facts, "merge_tree")] if read.merges else []),
            *([command(facts, "gap_decisions", clustering)] if decisions else []),
            *([command(facts, "grid_error", clustering, half=facts.half)] if errors.height else []),
        ),
    )


def _paths(facts: Facts, views: Sequence[CurveView], clustering: str | None) -> Iterator[Section]:
    if not views:
        return
    several = facts.found is not None and facts.found.n_clusters > 1
    direction = (
        "from the lower-numbered cluster to the other, and within a cluster in study order"
        if several
        else "from the pair's first model to its second in study order"
    )
    ensembles = any(group.ensemble is not None for view in views for group in view.groups)
    dashed = (
        "; dashed lines are medians of the loss that the two models have when their logits are "
        "averaged in place of their weights"
        if ensembles
        else ""
    )
    queries = ("curves", "ensemble_curves") if ensembles else ("curves",)
    yield Section(
        "paths",
        "Along the paths",
        ledes.paths_lede(facts, views[0]),
        figure="paths",
        plot=views_for_page(views, facts),
        caption=(
            f"Thin lines are single pairs, thick lines medians over the pairs, bands their middle "
            f"halves, all on {examples_of(facts)}; α runs {direction}{dashed}."
        ),
        queries=tuple(command(facts, name, clustering, half=facts.half) for name in queries),
    )


def _why(source: Source, facts: Facts, clustering: str | None) -> Iterator[Section]:
    parts = attribution.read(source, facts, clustering)
    if parts is None:
        return
    others = attribution.dataset_table(parts)
    yield Section(
        "why",
        "Why the barrier is there",
        attribution.lede(parts),
        tables=(attribution.part_table(parts), attribution.example_table(parts)),
        folded=(others,) if others else (),
        queries=(command(facts, "barrier_attribution", clustering),),
        part="Why",
    )
