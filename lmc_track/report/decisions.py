"""How sure the gaps are, in the report: bounds of every pair, and what they decide at tau."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from lmc_track.report import wording
from lmc_track.report.facts import Facts, Row, Source
from lmc_track.report.tables import Cell, Column, Table

_PLACES = {"within": "within clusters", "between": "between clusters", "all": "all pairs"}
_AMOUNTS: dict[str, Callable[[float | None], str]] = {
    "error": wording.points,
    "loss": wording.nats,
}


@dataclass(frozen=True)
class Decisions:
    """``pairs`` are the rows of ``gap_decisions`` that have one; ``summary`` counts them.

    Of the error, by which pairs are called connected; ``loss`` has the same of the loss.
    """

    pairs: pl.DataFrame
    summary: tuple[Row, ...]
    metric: str = "error"
    loss: Decisions | None = None

    @property
    def tau(self) -> float:
        """The tolerance, a share of examples or nats."""
        return float(self.summary[0]["tau"])

    @property
    def tolerance(self) -> str:
        """The tolerance with its unit."""
        return _AMOUNTS[self.metric](self.tau)

    @property
    def undecided(self) -> list[tuple[str, str]]:
        """Names of the models of each undecided pair."""
        rows = self.pairs.filter(pl.col("decision") == "undecided")
        return list(rows.select("model_a", "model_b").iter_rows())

    def hover(self) -> dict[tuple[str, str], str]:
        """By pair, what its examples allow to say."""
        columns = ("model_a", "model_b", "lower", "upper", "decision")
        return {
            (a, b): f"{self.metric} {wording.gap(self._plain(lower))} to "
            f"{_AMOUNTS[self.metric](upper)}: {decision}"
            for a, b, lower, upper, decision in self.pairs.select(columns).iter_rows()
        }

    def _plain(self, value: float) -> float:
        return 100 * value if self.metric == "error" else value


def read_decisions(source: Source, facts: Facts, clustering: str | None) -> Decisions | None:
    """What can be decided of the pairs' validation error, with the loss; None where nothing can."""
    error, loss = (_read(source, facts, clustering, metric) for metric in ("error", "loss"))
    return None if error is None else Decisions(error.pairs, error.summary, "error", loss)


def _read(source: Source, facts: Facts, clustering: str | None, metric: str) -> Decisions | None:
    asked = {"study": facts.study, "clustering": clustering, "metric": metric}
    pairs = source.query("gap_decisions", **asked).drop_nulls("decision")
    if pairs.is_empty():
        return None
    rows = list(source.query("decision_summary", **asked).iter_rows(named=True))
    several = facts.found is not None and facts.found.n_clusters > 1
    kinds = ("within", "between") if several else ("all",)
    return Decisions(pairs, tuple(row for row in rows if row["pairs"] in kinds), metric)


def decisions_lede(decisions: Decisions) -> str:
    """How many pairs are connected, separated and undecided, and what would decide them."""
    clauses = "; ".join(
        f"of the {_pairs(row)} {row['n_connected']:,} {_are(row['n_connected'])} shown to be "
        f"connected, {row['n_separated']:,} to be separated, and {row['n_undecided']:,} "
        f"{_are(row['n_undecided'])} undecided"
        for row in decisions.summary
    )
    said = (
        f"Connected means that the error rises by at most {decisions.tolerance} above the "
        f"straight line between any two places on the way: {clauses}."
    )
    return " ".join([said, *_needed(decisions), *_in_loss(decisions.loss)])


def _needed(decisions: Decisions) -> list[str]:
    """How many examples would decide what these do not."""
    open_pairs = decisions.pairs.filter(pl.col("decision") == "undecided")
    if open_pairs.is_empty() or "n_needed" not in open_pairs.columns:
        return []
    needed = open_pairs["n_needed"].fill_null(float("inf")).sort()
    now = int(open_pairs["n_examples"][0])
    half, every = float(needed[(len(needed) - 1) // 2]), float(needed[-1])
    if half == float("inf"):
        return [
            f"The {now:,} examples are too few; how many would do cannot be said of most undecided "
            "pairs, whose gaps are too near the tolerance."
        ]
    least = f"about {wording.number(half, 2)} would decide half of the undecided pairs"
    if every == half:
        least = f"about {wording.number(half, 2)} would decide the undecided pairs"
    elif every < float("inf"):
        least += f", {wording.number(every, 2)} all of them"
    return [f"The {now:,} examples are too few for the others: {least}, were they like these."]


def _in_loss(loss: Decisions | None) -> list[str]:
    """What the same examples say of the loss."""
    if loss is None:
        return []
    clauses = "; ".join(
        f"of the {_pairs(row)} {row['n_connected']:,} {_are(row['n_connected'])} shown to stay "
        f"within it, {row['n_separated']:,} to exceed it, {row['n_undecided']:,} neither"
        for row in loss.summary
    )
    return [f"The tolerance in loss is {loss.tolerance}: {clauses}."]


def _pairs(row: Row) -> str:
    where = "" if row["pairs"] == "all" else f" {_PLACES[row['pairs']]}"
    return f"{wording.count(row['n_pairs'] - row['n_missing'], 'pair')}{where}"


def _are(n: int) -> str:
    return "is" if n == 1 else "are"


def decisions_table(decisions: Decisions) -> Table:
    """The same, as a table with the pairs that have no bounds."""
    words = ("connected", "separated") if decisions.metric == "error" else ("at most τ", "above τ")
    columns = (
        Column("pairs", numeric=False), *(Column(word) for word in words),
        Column("undecided"), Column("without bounds"), Column("examples that would decide half"),
        Column("all"),
    )  # fmt: skip
    rows = tuple(
        (
            Cell(_PLACES[row["pairs"]]),
            *(
                Cell(f"{row[name]:,}")
                for name in ("n_connected", "n_separated", "n_undecided", "n_missing")
            ),
            *(
                Cell(wording.MISSING if row[name] is None else wording.number(row[name], 2))
                for name in ("n_needed_half", "n_needed")
            ),
        )
        for row in decisions.summary
    )
    caption = (
        f"Pairs by the gap of their {decisions.metric} at τ = {decisions.tolerance}, on "
        f"{decisions.pairs['n_examples'][0]:,} examples: shown to be at most τ, shown to be above, "
        f"or neither. Shown: of all pairs so decided at most "
        f"{wording.percent(decisions.summary[0]['q'])} are expected to be decided wrongly"
    )
    return Table(caption, columns, rows)
