"""How sure the gaps are, in the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import polars as pl
import pytest

from lmc_track.report.decisions import (
    Decisions,
    decisions_lede,
    decisions_table,
    read_decisions,
)
from lmc_track.report.facts import Facts
from lmc_track.report.matrix_plot import matrix_figure
from lmc_track.warehouse.results import Results

Kinds = Callable[[str], Results]
Read = Callable[[str], Facts]


@pytest.fixture
def decisions(results_of: Kinds, facts_of: Read) -> Decisions:
    found = read_decisions(results_of("two clusters"), facts_of("two clusters"), None)
    assert found is not None
    return found


def test_a_study_without_bounds_decides_nothing(results_of: Kinds, facts_of: Read) -> None:
    assert read_decisions(results_of("one model"), facts_of("one model"), None) is None


def test_the_counts_are_those_of_the_query(decisions: Decisions, results_of: Kinds) -> None:
    table = decisions_table(decisions)
    told = [[int(cell.text) for cell in row[1:]] for row in table.rows]
    rows = results_of("two clusters").query("decision_summary").filter(pl.col("pairs") != "all")
    columns = ("n_separated", "n_connected", "n_undecided", "n_missing")
    assert told == [list(row) for row in rows.select(columns).iter_rows()]


def test_the_lede_counts_both_kinds_of_pair(decisions: Decisions) -> None:
    text = decisions_lede(decisions)
    assert text.startswith("At a tolerance of ")
    assert "within clusters" in text
    assert "between clusters" in text
    assert text.endswith("undecided.")


def test_an_undecided_pair_has_a_ring_in_both_halves_of_the_matrix(
    decisions: Decisions, facts_of: Read
) -> None:
    a, b = decisions.pairs.select("model_a", "model_b").row(0)
    open_pair = decisions.pairs.with_columns(
        decision=pl.when((pl.col("model_a") == a) & (pl.col("model_b") == b))
        .then(pl.lit("undecided"))
        .otherwise(pl.lit("connected"))
    )
    drawn = matrix_figure(facts_of("two clusters"), replace(decisions, pairs=open_pair))
    (rings,) = [t for t in drawn["data"] if t.get("marker", {}).get("symbol") == "circle-open"]
    assert sorted(zip(rings["x"], rings["y"], strict=True)) == sorted([(a, b), (b, a)])


def test_the_hover_says_between_which_bounds_the_gap_lies(
    decisions: Decisions, facts_of: Read
) -> None:
    heat = matrix_figure(facts_of("two clusters"), decisions)["data"][0]
    a, b = decisions.pairs.select("model_a", "model_b").row(0)
    text = heat["customdata"][heat["y"].index(a)][heat["x"].index(b)][2]
    assert text == f"<br>{decisions.hover()[a, b]}"
    assert " to " in text
