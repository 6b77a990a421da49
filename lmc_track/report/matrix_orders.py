"""Orders of the models that the barrier matrix can be shown in, beside that of the clusters.

The order itself is the query's (``barrier_matrix -p order=…``), so that the page and its command
agree on which model is the better one.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from lmc_track.report import wording
from lmc_track.report.facts import Facts, Source

_MOST = 5


@dataclass(frozen=True)
class MatrixOrder:
    """The models by what they score, the worst first.

    ``asked`` is the parameter ``order`` of the query. ``names``: all models of the matrix;
    ``values``: what those that were evaluated score.
    """

    asked: str
    label: str
    names: tuple[str, ...]
    values: dict[str, float]


def matrix_orders(source: Source, facts: Facts, clustering: str | None) -> list[MatrixOrder]:
    """By the primary metric on validation, on the primary diagnostic, and on whole other sets.

    Sets on which all models score the same order nothing, and are left out.
    """
    orders = []
    known = facts.diagnostics.filter(pl.col("value").is_not_null())
    for dataset, subset in _rows(facts, known):
        rows = known.filter((pl.col("dataset") == dataset) & (pl.col("subset") == subset))
        values = dict(rows.select("model", "value").iter_rows())
        if len(set(values.values())) < 2:
            continue
        asked = f"{dataset}:{subset}:{facts.primary.metric}"
        matrix = source.query(
            "barrier_matrix",
            study=facts.study,
            clustering=clustering,
            half=facts.half,
            order=asked,
        )
        label = (
            f"{wording.subset_name(dataset, subset)} {wording.metric_name(facts.primary.metric)}"
        )
        orders.append(MatrixOrder(asked, label, tuple(matrix["model"].to_list()), values))
    return orders[:_MOST]


def _rows(facts: Facts, known: pl.DataFrame) -> list[tuple[str, str]]:
    """(data set, subset): validation, the primary diagnostic, then other sets as a whole."""
    listed = known.select("dataset", "subset", "role").unique(maintain_order=True)
    wholes = listed.filter((pl.col("subset") == "all") & (pl.col("role") == "diagnostic"))
    first = [("validation", "all"), (facts.primary.dataset, facts.primary.subset)]
    there = set(listed.select("dataset", "subset").iter_rows())
    rows = [row for row in first if row in there]
    return list(dict.fromkeys([*rows, *wholes.select("dataset", "subset").iter_rows()]))
