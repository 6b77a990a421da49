"""What captions say of every figure: which examples, how many models, which grid."""

from __future__ import annotations

from collections.abc import Sequence

from lmc_track.report import wording
from lmc_track.report.facts import Facts
from lmc_track.report.findings import examples_of


def examples(facts: Facts, dataset: str = "validation") -> str:
    """``221 held-out examples of validation``; without a number where none is known."""
    rows = facts.datasets.filter(facts.datasets["dataset"] == dataset)
    column = "n_held_out" if facts.half == "held-out" else "n_examples"
    n = rows[column][0] if rows.height else None
    if not n:
        return f"{examples_of(facts)} of {dataset}"
    kind = "held-out example" if facts.half == "held-out" else "example"
    return f"{wording.count(n, kind)} of {dataset}"


def grid(facts: Facts) -> str:
    """``7 points a path with its ends``."""
    return f"{facts.summary['grid_points']} points a path with its ends"


def missing(n: int, noun: str = "pair") -> str:
    """A sentence on what was not measured; nothing where all was."""
    if not n:
        return ""
    return f"{wording.count(n, noun)} {'was' if n == 1 else 'were'} not measured."


def joined(sentences: Sequence[str]) -> str:
    """The sentences that say something, in a row."""
    return " ".join(sentence for sentence in sentences if sentence)
