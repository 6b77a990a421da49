"""Who is left out of a study's results and why, in one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lmc_track.report import wording

_MOST_NAMED = 4
# By reason, as the table left_out has it: what is said of one and of several.
_REASONS = {
    "dropped": ("was dropped", "were dropped"),
    "not in the study file": ("is not in the study file", "are not in the study file"),
}


def left_out_sentence(rows: Sequence[Mapping[str, Any]], n_counting: int) -> str:
    """One sentence about ``rows`` of the table ``left_out``; empty where there are none.

    ``n_counting`` models count. Checkpoints on the way are not named beside their models.
    """
    named = [row for row in rows if row["checkpoint_of"] is None]
    models = [row for row in named if row["kind"] == "model"]
    clauses = []
    failed = [row for row in models if row["reason"] == "failed"]
    if failed:
        clauses.append(_failed(failed, len(models) + n_counting))
    for kind, noun in (("model", "model"), ("dataset", "data set")):
        for reason, verbs in _REASONS.items():
            some = [row for row in named if row["kind"] == kind and row["reason"] == reason]
            if some:
                subject = "the " if kind == "dataset" else ""
                names = wording.listing(map(_named, some), limit=_MOST_NAMED)
                clauses.append(
                    f"{subject + noun + ' ' if kind == 'dataset' else ''}{names} {verbs[0]}"
                    if len(some) == 1
                    else f"{wording.count(len(some), noun)} {verbs[1]}: {names}"
                )
    if not clauses:
        return ""
    counted = f" ({wording.count(n_counting, 'model')} {'counts' if n_counting == 1 else 'count'})"
    text = "; ".join(clauses)
    # A name is written as it is.
    opened = wording.capital(text) if text.startswith("the ") else text
    return f"{opened}{counted if models else ''}."


def all_failed_sentence(rows: Sequence[Mapping[str, Any]]) -> str:
    """What a study says first of which no model counts."""
    models = [row for row in rows if row["kind"] == "model" and row["checkpoint_of"] is None]
    if not models:
        return "The study has no model yet."
    failed = [row for row in models if row["reason"] == "failed"]
    if len(failed) < len(models):
        return f"No model counts, so there is nothing to compare. {left_out_sentence(rows, 0)}"
    reasons = wording.listing(map(_how, failed), limit=_MOST_NAMED)
    if len(failed) == 1:
        return f"The only model failed, so there is nothing to compare: {reasons}."
    return f"All {len(failed):,} models failed, so there is nothing to compare: {reasons}."


def _failed(rows: Sequence[Mapping[str, Any]], total: int) -> str:
    if len(rows) == 1:
        return (
            f"{rows[0]['name']} failed: {rows[0]['why']}; it is left out of clusters and summaries"
        )
    reasons = wording.listing(map(_how, rows), limit=_MOST_NAMED)
    return (
        f"{len(rows):,} of {total:,} models failed and are left out of clusters and summaries: "
        f"{reasons}"
    )


def _how(row: Mapping[str, Any]) -> str:
    return f"{row['name']} ({row['why']})"


def _named(row: Mapping[str, Any]) -> str:
    return _how(row) if row["why"] else str(row["name"])
