"""Why the barrier is there, in a sentence and tables: who carries it, what averaging saves.

Reads the query ``barrier_attribution``; refuses to know how its numbers come about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lmc_track.report import wording
from lmc_track.report.facts import Facts, Row, Source
from lmc_track.report.tables import Cell, Column, Table

_DATASET = "validation"
_SHOWN_SUBSETS = 8
_SHOWN_EXAMPLES = 10
_LONGEST_TEXT = 160


@dataclass(frozen=True)
class Parts:
    """The rows of the query by level, on ``validation``, and the whole of every other set.

    ``pairs`` says which pairs they are means over: ``between clusters``, or nothing to add.
    """

    pairs: str
    whole: Row
    subsets: list[Row]
    labels: list[Row]
    examples: list[Row]
    others: dict[str, Row]


def read(source: Source, facts: Facts, clustering: str | None) -> Parts | None:
    """None where no pair has a gap to explain, or no predictions."""
    if facts.measured.is_empty():
        return None
    asked: dict[str, Any] = {"study": facts.study, "clustering": clustering}
    rows = source.query(
        "barrier_attribution", **asked, dataset=_DATASET, limit=_SHOWN_EXAMPLES
    ).to_dicts()
    if not rows:
        return None
    whole, *subsets = [row for row in rows if row["level"] == "subset"]
    others = {}
    for dataset in facts.datasets["dataset"].to_list():
        if dataset != _DATASET:
            frame = source.query("barrier_attribution", **asked, dataset=dataset, level="subset")
            if not frame.is_empty():
                others[dataset] = frame.row(0, named=True)
    several = facts.found is not None and facts.found.n_clusters > 1
    return Parts(
        " between clusters" if several else "",
        whole,
        subsets,
        [row for row in rows if row["level"] == "label"],
        [row for row in rows if row["level"] == "example"],
        others,
    )


def lede(parts: Parts) -> str:
    """How far examples lie above the chord, what averaging logits saves there, and who carries it.

    What averaged weights lose against averaged logits is the sum of the two, so it is not a third
    result.
    """
    whole = parts.whole
    excess = whole["mean_excess"]
    lie = (
        f"lie {_nats(excess)} above the chord"
        if excess > 0
        else f"do not lie above the chord ({_nats(excess)})"
    )
    return (
        f"Where discovery examples put a pair's gap, held-out examples of {_DATASET} {lie}, on "
        f"average over {wording.count(whole['n_pairs'], 'pair')}{parts.pairs}. Averaging the "
        f"logits there instead of the weights would lose {_nats(whole['mean_averaging'])} less "
        f"than the chord{_at_most(whole['mean_chord'])}.{_carrier(parts)}"
    )


def _at_most(chord: float | None) -> str:
    """What averaging could save: no more than there is to lose on the chord."""
    return "" if chord is None else f", where {_nats(chord)} is all that it could save"


def _carrier(parts: Parts) -> str:
    """Which subset carries most, of the labels where there are no subsets.

    Nothing of parts that carry alike: the only one, or several with the same share.
    """
    rows = parts.subsets or parts.labels
    if len(rows) < 2 or rows[0]["share"] is None:
        return ""
    most, *others = rows
    if all(_percent(row["share"]) == _percent(most["share"]) for row in others):
        return ""
    return (
        f" Of its {'subsets' if parts.subsets else 'labels'} {_name(most)} carries most, "
        f"{_percent(most['share'])} of the excess with "
        f"{_percent(most['share_of_examples'])} of the examples."
    )


def part_table(parts: Parts) -> Table:
    """The whole set, its labels and the subsets that carry most."""
    shown = parts.subsets[:_SHOWN_SUBSETS]
    rows = [parts.whole, *(parts.labels if len(parts.labels) > 1 else []), *shown]
    left_out = len(parts.subsets) - len(shown)
    more = f"; {wording.count(left_out, 'subset')} that carry less left out" if left_out else ""
    columns = (
        Column("part", numeric=False), *_MEASURES, Column("share of excess"),
        Column("share of examples"), Column("above the chord"),
    )  # fmt: skip
    return Table(
        f"Excess over the chord on {_DATASET}{parts.pairs}, held-out examples, nats{more}",
        columns,
        tuple(
            (
                Cell(_name(row)), *_measures(row),
                Cell(_percent(row["share"])),
                Cell(_percent(row["share_of_examples"])),
                Cell(_percent(row["share_positive"])),
            )
            for row in rows
        ),
    )  # fmt: skip


def example_table(parts: Parts) -> Table:
    """The sentences that carry most, with their true labels."""
    columns = (
        Column("label", numeric=False), Column("sentence", numeric=False), Column("excess"),
        Column("saved by averaging"), Column("pairs above the chord"),
    )  # fmt: skip
    return Table(
        f"Held-out examples of {_DATASET} that carry most{parts.pairs}, nats, means over pairs",
        columns,
        tuple(
            (
                Cell(row["label"]), Cell(_shortened(row["text"])),
                Cell(_column(row["mean_excess"])), Cell(_column(row["mean_averaging"])),
                Cell(_percent(row["share_positive"])),
            )
            for row in parts.examples
        ),
    )  # fmt: skip


def dataset_table(parts: Parts) -> Table | None:
    """The other data sets as wholes, each at the points of its own gaps."""
    if not parts.others:
        return None
    return Table(
        f"The same on the other data sets{parts.pairs}, each at the points of its own gaps",
        (Column("data set", numeric=False), Column("pairs"), *_MEASURES, Column("above the chord")),
        tuple(
            (
                Cell(dataset), Cell(f"{row['n_pairs']:,}"), *_measures(row),
                Cell(_percent(row["share_positive"])),
            )
            for dataset, row in parts.others.items()
        ),
    )  # fmt: skip


_MEASURES = (
    Column("examples"), Column("excess"), Column("saved by averaging"),
    Column("at most (the chord)"),
)  # fmt: skip


def _measures(row: Row) -> tuple[Cell, ...]:
    names = ("mean_excess", "mean_averaging", "mean_chord")
    return (Cell(f"{row['n_examples']:,}"), *(Cell(_column(row[name])) for name in names))


def _name(row: Row) -> str:
    if row["level"] == "label":
        return f"label {row['label']}"
    return "all" if row["subset"] == "all" else str(row["subset"])


def _column(value: float | None) -> str:
    """Four decimals with a minus sign, not a hyphen, so that the points stand under each other."""
    if value is None:
        return wording.MISSING
    text = f"{value:.4f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


def _percent(value: float | None) -> str:
    return wording.percent(value).replace("-", "−")


def _nats(value: float) -> str:
    return wording.nats(value).replace("-", "−")


def _shortened(text: str) -> str:
    """Texts of several columns in one line, long ones cut."""
    line = " | ".join(part.strip() for part in text.split("\t"))
    return line if len(line) <= _LONGEST_TEXT else f"{line[:_LONGEST_TEXT].rstrip()}…"
