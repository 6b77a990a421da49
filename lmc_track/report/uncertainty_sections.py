"""The sections on uncertainty: what examples decide, and how stable clusters are."""

from __future__ import annotations

from collections.abc import Iterator
from math import comb

from lmc_track.report import ledes, tables
from lmc_track.report.decisions import Decisions, decisions_lede, decisions_table
from lmc_track.report.facts import Facts, Source
from lmc_track.report.section import Section, command
from lmc_track.report.stability import read_stability, stability_figure, stability_lede


def uncertainty_sections(
    source: Source, facts: Facts, decisions: Decisions | None, clustering: str | None
) -> Iterator[Section]:
    """How sure gaps and clusters are."""
    yield from _decisions(decisions, facts, clustering)
    yield from _stability(source, facts, clustering)
    yield from _bases(source, facts, clustering)
    yield from _clusterings(source, facts)


def _decisions(
    decisions: Decisions | None, facts: Facts, clustering: str | None
) -> Iterator[Section]:
    if decisions is None:
        return
    yield Section(
        "decisions",
        "What the examples decide",
        decisions_lede(decisions),
        tables=tuple(
            decisions_table(view) for view in (decisions, decisions.loss) if view is not None
        ),
        queries=tuple(
            command(facts, name, clustering, metric=metric)
            for metric in ("error", "loss")
            for name in ("gap_decisions", "decision_summary")
        ),
        part="Uncertainty",
    )


def _stability(source: Source, facts: Facts, clustering: str | None) -> Iterator[Section]:
    frame = read_stability(source, facts, clustering)
    if frame is None:
        return
    yield Section(
        "stability",
        "Stability of the clusters",
        stability_lede(frame),
        figure="stability",
        plot=stability_figure(frame),
        caption=(
            "How often a model is found together with the models of its own cluster, and with "
            "those of the nearest other, when the clustering is made anew with resampled examples "
            "and with resampled models; the least stable models first."
        ),
        queries=(
            command(facts, "stability", clustering),
            command(facts, "co_assignments", clustering),
        ),
        part="Uncertainty",
    )


def _bases(source: Source, facts: Facts, clustering: str | None) -> Iterator[Section]:
    rows = source.query("cluster_bases", study=facts.study, clustering=clustering).to_dicts()
    if not rows:
        return
    yield Section(
        "bases",
        "The verdict by loss, error and calibrated loss",
        ledes.bases_lede(rows),
        tables=(tables.basis_table(rows),),
        queries=(
            command(facts, "cluster_bases", clustering),
            command(facts, "cluster_choices", clustering),
        ),
        part="Uncertainty",
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
        part="Uncertainty",
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
