"""The sections on strategies: what the clusters score on which data."""

from __future__ import annotations

from collections.abc import Iterator

from lmc_track.report import ledes, tables, wording
from lmc_track.report.facts import Facts, Source
from lmc_track.report.findings import examples_of, measure_name
from lmc_track.report.group_curves import group_sections
from lmc_track.report.section import Section, command
from lmc_track.report.spectral import (
    axis_figure,
    axis_lede,
    read_axis,
)
from lmc_track.report.strip_plot import diagnostic_rows, strip_figure
from lmc_track.report.subset_plot import subset_figure, subset_lede, subset_rows


def strategy_sections(source: Source, facts: Facts, clustering: str | None) -> Iterator[Section]:
    """Whether clusters are strategies: what they score, where, and along which axis."""
    yield from _clusters(facts, clustering)
    yield from _diagnostics(facts, clustering)
    yield from _subsets(facts, clustering)
    yield from _axis(source, facts, clustering)
    yield from group_sections(source, facts, clustering)


def _clusters(facts: Facts, clustering: str | None) -> Iterator[Section]:
    if facts.found is None or facts.found.n_clusters < 2:
        return
    yield Section(
        "clusters",
        "Clusters",
        ledes.clusters_lede(facts.found.sizes),
        tables=(tables.cluster_table(facts),),
        queries=(command(facts, "cluster_table", clustering, half=facts.half),),
        part="Strategies",
    )


def _diagnostics(facts: Facts, clustering: str | None) -> Iterator[Section]:
    if facts.diagnostics["value"].count() == 0:
        return
    subsets = tables.subset_table(facts)
    left_out = diagnostic_rows(facts)[1]
    several = facts.found is not None and facts.found.n_clusters > 1
    metric = wording.metric_name(facts.primary.metric)
    asked = {"half": facts.half, "metric": facts.primary.metric}
    mean = (
        ", a bar at the mean with its 95 % interval over models" if facts.models.height > 1 else ""
    )
    more = f"; {wording.count(left_out, 'subset')} in the folded table" if left_out else ""
    yield Section(
        "diagnostics",
        "Diagnostics by cluster" if several else "Diagnostics",
        ledes.diagnostics_lede(facts),
        figure="strips",
        plot=strip_figure(facts),
        caption=(
            f"{wording.capital(metric)} on {examples_of(facts)} of each data set: one dot per model"
            f"{mean}{more}."
        ),
        tables=(tables.diagnostic_table(facts),),
        folded=(subsets,) if subsets else (),
        queries=(
            command(facts, "diagnostics", clustering, **asked),
            command(facts, "cluster_diagnostics", clustering, **asked),
        ),
        part="Strategies",
    )


def _subsets(facts: Facts, clustering: str | None) -> Iterator[Section]:
    if not subset_rows(facts) or facts.models.height < 2:
        return
    asked = {"half": facts.half, "metric": facts.primary.metric}
    several = facts.found is not None and facts.found.n_clusters > 1
    ranked = "the clusters differ most" if several else "the names begin"
    yield Section(
        "subsets",
        "Subsets",
        subset_lede(facts),
        figure="subsets",
        plot=subset_figure(facts),
        caption=(
            f"{wording.capital(measure_name(facts))} by subset: a dot at the mean of "
            f"{'each cluster' if several else 'the models'}, a line from its lowest to its highest "
            f"model; first where {ranked}."
        ),
        queries=(command(facts, "cluster_diagnostics", clustering, **asked),),
        part="Strategies",
    )


def _axis(source: Source, facts: Facts, clustering: str | None) -> Iterator[Section]:
    axis = read_axis(source, facts, clustering)
    if axis is None or facts.diagnostics["value"].count() == 0:
        return
    chosen = clustering if facts.found and axis.method == facts.found.method else axis.method
    yield Section(
        "axis",
        "Between the two clusters",
        axis_lede(facts, axis),
        figure="axis",
        plot=axis_figure(facts, axis),
        caption=(
            f"One dot per model, on {examples_of(facts)}. A model's place is its distance to the "
            "centroid of cluster 0 by their gaps less that to the centroid of cluster "
            f"1, in the {axis.method} clustering (Juneja et al. 2023)."
        ),
        queries=(
            command(facts, "embedding", chosen),
            command(facts, "axis_effects", chosen, metric=facts.primary.metric),
        ),
        part="Strategies",
    )
