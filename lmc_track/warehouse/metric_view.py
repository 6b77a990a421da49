"""The view ``metrics`` of a results file: the catalogue of metrics, for SQL."""

from __future__ import annotations

import math
from dataclasses import fields

from lmc_track.metrics import METRICS, Metric

_MEANINGS = {
    "metric": "name of the metric",
    "place": "its place in the order in which they are listed",
    "label": "what prose calls it",
    "meaning": "what it is",
    "lower_is_better": "whether models are good where it is low",
    "low": "least value that it can have",
    "high": "greatest value that it can have; infinity without one",
    "unit": "nats of a loss, otherwise empty",
    "gaps": "whether curves along paths have gaps",
}


def metric_view() -> str:
    """The statements that create it."""
    columns = ["metric", "place", *(field.name for field in fields(Metric) if field.name != "name")]
    rows = ", ".join(
        f"({_literal(name)}, {place}, "
        + ", ".join(_literal(getattr(metric, column)) for column in columns[2:])
        + ")"
        for place, (name, metric) in enumerate(METRICS.items(), 1)
    )
    comments = "".join(
        f"COMMENT ON COLUMN metrics.{column} IS {_literal(_MEANINGS[column])};"
        for column in columns
    )
    return (
        f"CREATE OR REPLACE VIEW metrics AS SELECT * FROM (VALUES {rows}) t({', '.join(columns)});"
        "COMMENT ON VIEW metrics IS 'The metrics there are: what evaluations may have.';" + comments
    )


def _literal(value: str | bool | float) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, bool):
        return str(value).upper()
    return "'infinity'::DOUBLE" if math.isinf(value) else f"{value}::DOUBLE"
