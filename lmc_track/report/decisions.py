"""How sure the gaps are, in the report: bounds of every pair, and what they decide at tau."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from lmc_track.report import wording
from lmc_track.report.facts import Facts, Row, Source
from lmc_track.report.tables import Cell, Column, Table

_PLACES = {"within": "within clusters", "between": "between clusters", "all": "all pairs"}


@dataclass(frozen=True)
class Decisions:
    """``pairs`` are the rows of ``gap_decisions`` that have one; ``summary`` counts them."""

    pairs: pl.DataFrame
    summary: tuple[Row, ...]

    @property
    def tau(self) -> float:
        """The tolerance, nats."""
        return float(self.summary[0]["tau"])

    @property
    def undecided(self) -> list[tuple[str, str]]:
        """Names of the models of each undecided pair."""
        rows = self.pairs.filter(pl.col("decision") == "undecided")
        return list(rows.select("model_a", "model_b").iter_rows())

    def hover(self) -> dict[tuple[str, str], str]:
        """By pair, what its examples allow to say."""
        columns = ("model_a", "model_b", "lower", "upper", "decision")
        return {
            (a, b): f"{wording.gap(lower)} to {wording.nats(upper)}: {decision}"
            for a, b, lower, upper, decision in self.pairs.select(columns).iter_rows()
        }


def read_decisions(source: Source, facts: Facts, clustering: str | None) -> Decisions | None:
    """What can be decided of the pairs' validation loss; None where nothing can."""
    asked = {"study": facts.study, "clustering": clustering}
    pairs = source.query("gap_decisions", **asked).drop_nulls("decision")
    if pairs.is_empty():
        return None
    rows = list(source.query("decision_summary", **asked).iter_rows(named=True))
    several = facts.found is not None and facts.found.n_clusters > 1
    kinds = ("within", "between") if several else ("all",)
    return Decisions(pairs, tuple(row for row in rows if row["pairs"] in kinds))


def decisions_lede(decisions: Decisions) -> str:
    """How many pairs are separated, connected and undecided."""
    clauses = []
    for row in decisions.summary:
        where = "" if row["pairs"] == "all" else f" {_PLACES[row['pairs']]}"
        clauses.append(
            f"of the {wording.count(row['n_pairs'] - row['n_missing'], 'pair')}{where} "
            f"{row['n_separated']:,} {'is' if row['n_separated'] == 1 else 'are'} separated, "
            f"{row['n_connected']:,} connected and {row['n_undecided']:,} undecided"
        )
    return f"At a tolerance of {wording.nats(decisions.tau)}, {'; '.join(clauses)}."


def decisions_table(decisions: Decisions) -> Table:
    """The same, as a table with the pairs that have no bounds."""
    columns = (
        Column("pairs", numeric=False), Column("separated"), Column("connected"),
        Column("undecided"), Column("without bounds"),
    )  # fmt: skip
    rows = tuple(
        (
            Cell(_PLACES[row["pairs"]]),
            *(
                Cell(f"{row[name]:,}")
                for name in ("n_separated", "n_connected", "n_undecided", "n_missing")
            ),
        )
        for row in decisions.summary
    )
    caption = (
        f"Pairs at τ = {wording.nats(decisions.tau)}: gap surely above, at most τ, or neither; "
        f"at most {wording.percent(decisions.summary[0]['q'])} of the decisions are expected to "
        "be false"
    )
    return Table(caption, columns, rows)
