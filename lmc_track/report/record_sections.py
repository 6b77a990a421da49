"""The sections on the record: models, data, cost, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator

from lmc_track.report import ledes, tables
from lmc_track.report.cost import cost_lede, cost_table
from lmc_track.report.facts import Facts, Source
from lmc_track.report.left_out import all_failed_sentence, left_out_sentence
from lmc_track.report.model_table import left_out_table, model_table
from lmc_track.report.section import Section, command


def record_sections(source: Source, facts: Facts, clustering: str | None) -> Iterator[Section]:
    """What the numbers rest on, and what is missing."""
    yield from _models(facts, clustering)
    yield from _left_out(facts)
    yield from _datasets(source, facts)
    yield from _cost(source, facts)
    yield from _holes(facts)


def _models(facts: Facts, clustering: str | None) -> Iterator[Section]:
    if facts.models.is_empty():
        return
    yield Section(
        "models",
        "Models",
        ledes.models_lede(facts),
        tables=(model_table(facts),),
        queries=(command(facts, "models", clustering),),
        part="Record",
    )


def _left_out(facts: Facts) -> Iterator[Section]:
    if facts.left_out.is_empty():
        return
    rows, n = facts.left_out.to_dicts(), facts.models.height
    yield Section(
        "left-out",
        "Left out",
        left_out_sentence(rows, n) if n else all_failed_sentence(rows),
        tables=(left_out_table(facts),),
        queries=(command(facts, "left_out"),),
        part="Record",
    )


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
        part="Record",
    )


def _cost(source: Source, facts: Facts) -> Iterator[Section]:
    costs = source.query("run_cost", study=facts.study)
    if costs.is_empty() or not costs["n_timed"].sum():
        return
    yield Section(
        "cost",
        "Cost",
        cost_lede(costs),
        tables=(cost_table(costs),),
        queries=(command(facts, "run_cost"),),
        part="Record",
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
        part="Record",
    )
