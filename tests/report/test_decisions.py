"""How sure the gaps are, in the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import polars as pl
import pytest

from lmc_track.report.decisions import (
    Decisions,
    decisions_lede,
    decisions_table,
    read_decisions,
)
from lmc_track.report.facts import Facts
from lmc_track.warehouse.results import Results
from support.drawn import matrix_of

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
    told = [[int(cell.text) for cell in row[1:5]] for row in table.rows]
    rows = results_of("two clusters").query("decision_summary").filter(pl.col("pairs") != "all")
    columns = ("n_connected", "n_separated", "n_undecided", "n_missing")
    assert told == [list(row) for row in rows.select(columns).iter_rows()]


def test_the_lede_counts_both_kinds_of_pair(decisions: Decisions) -> None:
    text = decisions_lede(decisions)
    assert text.startswith("Connected means that the error rises by at most 2 points ")
    assert "within clusters" in text
    assert "between clusters" in text
    assert "shown to be connected" in text


def test_the_loss_is_the_second_view_and_connects_nothing(decisions: Decisions) -> None:
    assert decisions.loss is not None
    text = decisions_lede(decisions)
    first, loss = text.split("The tolerance in loss is ")
    assert "connected" in first
    assert "connected" not in loss
    assert "connected" not in str(decisions_table(decisions.loss).columns)


def test_undecided_pairs_are_told_with_the_examples_that_would_do(decisions: Decisions) -> None:
    needed = decisions.pairs.with_columns(
        decision=pl.lit("undecided"), n_needed=pl.lit(1000.0), n_examples=pl.lit(100)
    )
    text = decisions_lede(replace(decisions, pairs=needed))
    assert "The 100 examples are too few for the others: about 1,000 would decide" in text


def test_an_undecided_pair_is_told_to_the_page_by_its_number(
    decisions: Decisions, results_of: Kinds, facts_of: Read
) -> None:
    a, b = decisions.pairs.select("model_a", "model_b").row(0)
    open_pair = decisions.pairs.with_columns(
        decision=pl.when((pl.col("model_a") == a) & (pl.col("model_b") == b))
        .then(pl.lit("undecided"))
        .otherwise(pl.lit("connected"))
    )
    drawn = matrix_of("two clusters", results_of, facts_of, replace(decisions, pairs=open_pair))
    pairs = [set(pair) for pair in combinations(drawn["names"], 2)]
    assert drawn["decisions"]["undecided"] == [pairs.index({a, b})]


def test_the_hover_says_between_which_bounds_the_gap_lies(
    decisions: Decisions, results_of: Kinds, facts_of: Read
) -> None:
    drawn = matrix_of("two clusters", results_of, facts_of, decisions)
    a, b = decisions.pairs.select("model_a", "model_b").row(0)
    pairs = [set(pair) for pair in combinations(drawn["names"], 2)]
    text = drawn["decisions"]["said"][str(pairs.index({a, b}))]
    assert text == decisions.hover()[a, b]
    assert " to " in text
