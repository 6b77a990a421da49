"""The sections of the page: which exhibits they have, and the queries behind them.

A section that has nothing to show is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np

from lmc_track.report import attribution, ledes, tables, wording
from lmc_track.report.curve_views import CurveView
from lmc_track.report.decisions import Decisions, decisions_lede, decisions_table
from lmc_track.report.dynamics import dynamics_lede, dynamics_table, read_dynamics
from lmc_track.report.facts import Facts, Source
from lmc_track.report.findings import examples_of
from lmc_track.report.matrix_plot import scale_top
from lmc_track.report.model_table import model_table
from lmc_track.report.module_views import ModuleViews, modules_lede, modules_table
from lmc_track.report.section import Section, command
from lmc_track.report.strip_plot import diagnostic_rows


@dataclass(frozen=True)
class Exhibits:
    """What figures are drawn of as well, so it is read once; None where the study has none."""

    curves: Sequence[CurveView]
    modules: ModuleViews | None = None
    decisions: Decisions | None = None


def sections(source: Source, facts: Facts, read: Exhibits, clustering: str | None) -> list[Section]:
    """All sections of the study that have something to show, in the page's order."""
    return [
        *_matrix(source, facts, read.decisions, clustering),
        *_paths(facts, read.curves, clustering),
        *_clusters(facts, clustering),
        *_diagnostics(facts, clustering),
        *_attribution(source, facts, clustering),
        *_modules(facts, read.modules, clustering),
        *_dynamics(source, facts, clustering),
        *_models(facts, clustering),
        *_clusterings(source, facts),
        *_datasets(source, facts),
        *_holes(facts),
    ]


def _matrix(
    source: Source, facts: Facts, decisions: Decisions | None, clustering: str | None
) -> Iterator[Section]:
    if facts.measured.is_empty():
        return
    order = "cluster" if facts.found and facts.found.n_clusters > 1 else "study"
    largest = float(np.max(facts.measured["convexity_gap"].to_numpy()))
    least = (
        "; the colours span a tenth of the way to chance, which no gap reaches"
        if largest < scale_top(facts)
        else ""
    )
    rings = "; a ring marks a pair that is undecided" if decisions and decisions.undecided else ""
    holes = "; grey cells with a cross were not measured" if facts.n_unmeasured else ""
    errors = source.query(
        "grid_error", study=facts.study, half=facts.half, clustering=clustering
    ).drop_nulls("missed")
    yield Section(
        "matrix",
        "Barrier matrix",
        " ".join(
            [
                ledes.matrix_lede(facts),
                *([decisions_lede(decisions)] if decisions else []),
                *ledes.grid_error_lede(errors, facts),
            ]
        ),
        figure="matrix",
        caption=(
            f"Convexity gap of the validation loss on {examples_of(facts)}, in nats: the greatest "
            "barrier over all parts of the straight line between two models. Models are in "
            f"{order} order{holes}{rings}{least}. A click on a cell marks the pair's curve below."
        ),
        tables=(decisions_table(decisions),) if decisions else (),
        queries=(
            command(facts, "barrier_matrix", clustering, half=facts.half),
            command(facts, "barrier_pairs", clustering, half=facts.half),
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
        caption=(
            f"Thin lines are single pairs, thick lines medians over the pairs, bands their middle "
            f"halves, all on {examples_of(facts)}; α runs {direction}{dashed}."
        ),
        queries=tuple(command(facts, name, clustering, half=facts.half) for name in queries),
    )


def _clusters(facts: Facts, clustering: str | None) -> Iterator[Section]:
    if facts.found is None or facts.found.n_clusters < 2:
        return
    yield Section(
        "clusters",
        "Clusters",
        ledes.clusters_lede(facts.found.sizes),
        tables=(tables.cluster_table(facts),),
        queries=(command(facts, "cluster_table", clustering, half=facts.half),),
    )


def _diagnostics(facts: Facts, clustering: str | None) -> Iterator[Section]:
    if facts.diagnostics["value"].count() == 0:
        return
    subsets = tables.subset_table(facts)
    left_out = diagnostic_rows(facts)[1]
    several = facts.found is not None and facts.found.n_clusters > 1
    metric = wording.metric_name(facts.primary.metric)
    asked = {"half": facts.half, "metric": facts.primary.metric}
    more = f"; {wording.count(left_out, 'subset')} in the folded table" if left_out else ""
    yield Section(
        "diagnostics",
        "Diagnostics by cluster" if several else "Diagnostics",
        ledes.diagnostics_lede(facts),
        figure="strips",
        caption=(
            f"{wording.capital(metric)} on {examples_of(facts)} of each data set: one dot a model"
            f"{', a bar at the mean' if facts.models.height > 1 else ''}{more}."
        ),
        tables=(tables.diagnostic_table(facts),),
        folded=(subsets,) if subsets else (),
        queries=(
            command(facts, "diagnostics", clustering, **asked),
            command(facts, "cluster_diagnostics", clustering, **asked),
        ),
    )


def _attribution(source: Source, facts: Facts, clustering: str | None) -> Iterator[Section]:
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
    )


def _modules(facts: Facts, views: ModuleViews | None, clustering: str | None) -> Iterator[Section]:
    if views is None:
        return
    yield Section(
        "modules",
        "Parts of the network",
        modules_lede(views),
        figure="modules",
        caption=(
            "One part of the network moves from one model to the other and the rest stays; the "
            "colour is how far the loss on the way, its far end included, rises above the line "
            f"between the two models' own losses, on {examples_of(facts)} of validation. One "
            "column for each pair and direction."
        ),
        tables=(modules_table(views),),
        queries=(
            command(facts, "module_paths", clustering, half=facts.half),
            command(facts, "module_summary", clustering, half=facts.half),
        ),
    )


def _dynamics(source: Source, facts: Facts, clustering: str | None) -> Iterator[Section]:
    dynamics = read_dynamics(source, facts, clustering)
    if dynamics is None:
        return
    yield Section(
        "dynamics",
        "Training",
        dynamics_lede(dynamics, facts),
        tables=(dynamics_table(dynamics, facts),),
        queries=(
            command(facts, "step_summary", clustering, half=facts.half),
            command(facts, "cluster_dynamics", clustering, half=facts.half),
        ),
    )


def _models(facts: Facts, clustering: str | None) -> Iterator[Section]:
    if facts.models.is_empty():
        return
    yield Section(
        "models",
        "Models",
        ledes.models_lede(facts),
        tables=(model_table(facts),),
        queries=(command(facts, "models", clustering),),
    )


def _clusterings(source: Source, facts: Facts) -> Iterator[Section]:
    if facts.clusterings.is_empty() or facts.models.height < 2:
        return
    alike = _grouped_alike(source, facts)
    yield Section(
        "clusterings",
        "Clusterings compared",
        ledes.clusterings_lede(facts, alike),
        tables=(tables.clustering_table(facts, alike),),
        queries=(command(facts, "clusterings"),),
    )


def _grouped_alike(source: Source, facts: Facts) -> dict[str, tuple[int, int]]:
    """(pairs of models grouped as in the reported clustering, pairs in both), by clustering."""
    if facts.found is None:
        return {}
    own = facts.found.clustering_id
    alike = {}
    for row in source.query("cluster_agreement", study=facts.study).iter_rows(named=True):
        if own in (row["clustering_a"], row["clustering_b"]):
            other = row["clustering_b"] if row["clustering_a"] == own else row["clustering_a"]
            alike[other] = (row["together"] + row["apart"], comb(row["n_models"], 2))
    return alike


def _datasets(source: Source, facts: Facts) -> Iterator[Section]:
    if facts.datasets.is_empty():
        return
    checks = source.query("precision_check", study=facts.study)
    yield Section(
        "data",
        "Data",
        " ".join([ledes.data_lede(facts), *ledes.precision_lede(checks, facts)]),
        tables=(tables.dataset_table(facts),),
        queries=(
            command(facts, "datasets"),
            *([command(facts, "precision_check")] if checks.height else []),
        ),
    )


def _holes(facts: Facts) -> Iterator[Section]:
    if facts.holes.is_empty():
        return
    yield Section(
        "missing",
        "What is missing",
        ledes.holes_lede(facts),
        tables=(tables.hole_table(facts),),
        queries=(command(facts, "holes"),),
    )
