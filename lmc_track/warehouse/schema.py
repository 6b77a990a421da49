"""What SQL can read: tables, views and macros with their columns, types and meanings.

The tables of ``lmc_track.warehouse.tables`` and the comments in ``queries/views`` are the one
source; both are in every results file, and in the empty one that is made here, so that the
schema can be told before anything was measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import duckdb

from lmc_track.warehouse.rebuild import create_empty
from lmc_track.warehouse.storage import literal
from lmc_track.warehouse.tables import Column

_COMPUTED_COLUMNS = {
    "a": "smallest member of the cluster that goes on",
    "b": "smallest member of the cluster that becomes part of it",
    "barrier_to_models": "greatest height above the line between the two models' own losses",
    "curve": "identity of the curve",
    "distance_area": "curve_area times l2_distance (Juneja et al. 2023)",
    "mean_percent": "mean excess of violations in % of the sum of the two other gaps",
    "merit": "the value, turned so that more is better",
    "performance": "best, middle or worst",
    "rank": "place by the diagnostic, from 1, the worst model",
    "sd": "standard deviation over models, divided by n - 1",
    "sd_n": "standard deviation over models, divided by n",
    "axis_before": "the same at the training's step before",
    "value_before": "the value at the training's step before",
    "step_cluster": "cluster at this step, found anew",
    "switched": "whether it was another at the step before",
    "low": "lower quartile over the paths",
    "high": "upper quartile over the paths",
    "model": "name of the model",
    "place": "order in which results show it",
    "agreement": "share of the examples on which both models say the same label",
    "edge_a": "one of the pair whose distance is the height",
    "edge_b": "the other of that pair",
    "height": "distance at which the two clusters are merged",
    "js_divergence": "mean Jensen-Shannon divergence of what two models say, nats",
    "predicted": "label with the greatest logit",
    "probabilities": "softmax of the logits",
    "q": "share of decisions that may be false",
    "step": "training step of a model; of a merge its number, from 1",
    "training": "name of the model that the training ended with",
    "is_end": "whether the training ended there",
    "step_number": "which of the tracked steps the model is of, from 1, the ends last",
    "number": "of a model: its place by stage and study order, from 1",
    "component": "which component of chains of pairs within tau, by falling size",
    "complete_cluster": "which cluster of pairs that are all within tau, by falling size",
    "nearest_cluster": "the final cluster whose other members are nearest at that step",
    "own_gap": "mean gap to the other members of the final cluster, nats",
    "other_gap": "mean gap to the members of the nearest other final cluster, nats",
    "rise": "loss at alpha 1 less the loss at alpha 0",
    "same_cluster": "whether both models are in one cluster; NULL where one is in none",
    "stage": "where in the network the part is, from its input on",
    "gap": "the pair's convexity gap, or the measure that was asked for",
    "p": "p of the likelier of the two, doubled; NULL without bounds",
    "p_adjusted": "p corrected for all pairs (Benjamini-Yekutieli)",
    "p_connected": "p of the upper bounds, were the gap above tau",
    "p_separated": "p of the lower bounds, were the gap at most tau",
    "n_needed": "examples that would decide, were they like those at hand; NULL where unknown",
    "n_needed_half": "examples that would decide half of the undecided pairs",
    "decision": "separated, connected or undecided, false discovery controlled over pairs",
    "reading": "the same of a single pair, by its bounds alone",
    "tau": "tolerance, in units of the metric: nats, or a share of examples",
    "distance_ab": "Euclidean distance of the weights of model_a and model_b",
    "distance_ac": "of model_a and model_c",
    "distance_bc": "of model_b and model_c",
    "area": "area of the triangle of the three models",
    "loss_a": "loss of model_a itself, nats",
    "loss_b": "loss of model_b itself, nats",
    "loss_c": "loss of model_c itself, nats",
    "cluster_c": "cluster of model_c",
    "datasets": "evaluation sets that it was measured on",
    "straight_loss": "greatest loss on the straight line between the two, ends included, nats",
    "straight_barrier": "how far that is above the higher of its ends, nats",
    "whole_gap": "convexity gap of the path on which the whole network moves",
}
_EXAMPLE_SOURCE = "example_source"


@dataclass(frozen=True)
class SchemaItem:
    """A table, a view or a macro. ``parameters`` are a macro's, empty for the others.

    The columns of a macro are what it gives; a macro that gives one value has none.
    """

    kind: Literal["table", "view", "macro"]
    name: str
    meaning: str
    columns: tuple[Column, ...]
    parameters: tuple[str, ...] = ()

    @property
    def signature(self) -> str:
        """How SQL calls it."""
        return self.name if self.kind != "macro" else f"{self.name}({', '.join(self.parameters)})"


@cache
def schema() -> tuple[SchemaItem, ...]:
    """Everything that a results file of this version holds, in the order in which it builds on
    each other: tables, views, macros."""
    with duckdb.connect(":memory:") as connection:
        create_empty(connection)
        stored = _relations(connection)
        return (*stored, *_macros(connection, column_meanings(stored)))


def _relations(connection: duckdb.DuckDBPyConnection) -> tuple[SchemaItem, ...]:
    rows = connection.execute(
        """
        SELECT 'table' AS kind, table_name AS name, comment, table_oid AS oid FROM duckdb_tables()
        WHERE schema_name = 'main' AND NOT internal AND NOT temporary
        UNION ALL
        SELECT 'view', view_name, comment, view_oid FROM duckdb_views()
        WHERE schema_name = 'main' AND NOT internal AND NOT temporary
        ORDER BY kind, oid
        """
    ).fetchall()
    return tuple(
        SchemaItem(kind, name, meaning or "", _columns(connection, name))
        for kind, name, meaning, _ in rows
    )


def _columns(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[Column, ...]:
    rows = connection.execute(
        "SELECT column_name, data_type, comment FROM duckdb_columns() "
        "WHERE schema_name = 'main' AND NOT internal AND table_name = ? ORDER BY column_index",
        [name],
    ).fetchall()
    return tuple(Column(column, kind, meaning or "") for column, kind, meaning in rows)


def _macros(
    connection: duckdb.DuckDBPyConnection, meanings: dict[str, str]
) -> tuple[SchemaItem, ...]:
    # A macro over curves or values takes the name of a table that has them.
    connection.execute(
        f"CREATE TABLE {_EXAMPLE_SOURCE} (curve BIGINT, alphas DOUBLE[], losses DOUBLE[], "
        "place BIGINT, dataset VARCHAR, subset VARCHAR, model_id VARCHAR, cluster INTEGER, "
        "value DOUBLE, a BIGINT, b BIGINT, gap DOUBLE)"
    )
    rows = connection.execute(
        "SELECT function_name, function_type, parameters, comment FROM duckdb_functions() "
        "WHERE NOT internal AND schema_name = 'main' ORDER BY function_oid"
    ).fetchall()
    items = []
    for name, kind, parameters, meaning in rows:
        columns: tuple[Column, ...] = ()
        if kind == "table_macro":
            values = ", ".join(_example_value(parameter) for parameter in parameters)
            given = connection.execute(f"DESCRIBE FROM {name}({values})").fetchall()
            columns = tuple(Column(row[0], row[1], meanings.get(row[0], "")) for row in given)
        items.append(SchemaItem("macro", name, meaning or "", columns, tuple(parameters)))
    return tuple(items)


def _example_value(parameter: str) -> str:
    """What a macro's columns can be told with: numbers are called ``…_value``, the rest is text."""
    if parameter == "source":
        return literal(_EXAMPLE_SOURCE)
    return "NULL::DOUBLE" if parameter.endswith("_value") else "NULL::VARCHAR"


def column_meanings(items: tuple[SchemaItem, ...]) -> dict[str, str]:
    """What a column of that name means where it was first said, for columns computed from it."""
    found = dict(_COMPUTED_COLUMNS)
    for item in items:
        for column in item.columns:
            found.setdefault(column.name, column.meaning)
    for name in list(found):
        for side in "ab":
            found.setdefault(f"{name}_{side}", f"of model_{side}: {found[name]}")
    return found
