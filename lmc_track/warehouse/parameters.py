"""Giving a query its parameters: as DuckDB variables of their declared types, never as text."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

import duckdb

from lmc_track.errors import InputError
from lmc_track.metrics import GAP_METRICS, METRICS
from lmc_track.warehouse.library import Query

CHOICES = {
    "half": ("all", "discovery", "held-out"),
    "measure": (
        "convexity_gap",
        "barrier_height",
        "interpolation_instability",
        "curve_area",
        "relative_gap",
        "distance_area",
    ),
    "metric": tuple(METRICS),
    "level": ("subset", "label", "example"),
}
"""Parameters whose values are the same in every results file."""

_MOST_LISTED = 24

_CLUSTERS = """
SELECT DISTINCT cluster FROM study_models(getvariable('study'), getvariable('clustering'))
WHERE cluster IS NOT NULL ORDER BY cluster
"""

_MODELS = (
    "SELECT name FROM models WHERE study = getvariable('study') AND left_out IS NULL "
    "ORDER BY position"
)

_SCORES = """
SELECT DISTINCT concat_ws(':', e.dataset, e.subset, e.metric)
FROM evaluations e JOIN models m ON m.model_id = e.run_id
WHERE m.study = getvariable('study') ORDER BY ALL
"""

_KNOWN_VALUES = {
    "diagnostic": _SCORES,
    "order": "SELECT unnest(['cluster', 'study', 'validation', 'diagnostic']) UNION ALL "
    f"SELECT * FROM ({_SCORES})",
    "dataset": "SELECT dataset FROM datasets WHERE study = getvariable('study') ORDER BY dataset",
    "gap_dataset": "SELECT dataset FROM datasets WHERE study = getvariable('study') "
    "ORDER BY dataset",
    "subset": "SELECT DISTINCT subset FROM study_subsets(getvariable('study')) "
    "WHERE dataset = coalesce(getvariable('dataset'), dataset) ORDER BY subset <> 'all', subset",
    "clustering": "SELECT DISTINCT unnest([method, clustering_id]) FROM clusterings "
    "WHERE study = getvariable('study') ORDER BY ALL",
    "cluster_a": _CLUSTERS,
    "cluster_b": _CLUSTERS,
    "model_a": _MODELS,
    "model_b": _MODELS,
    "model_c": _MODELS,
    "plane": "SELECT plane_id FROM planes WHERE study = getvariable('study') ORDER BY created",
}
"""Parameters whose values are names that the study must have."""


def set_variables(
    connection: duckdb.DuckDBPyConnection, query: Query, values: dict[str, Any]
) -> None:
    """Set every parameter of ``query``, to its default where it is not in ``values``.

    ``InputError`` where a required one is missing or a value is not of the declared type.
    """
    for p in query.parameters:
        if p.name in values:
            try:
                connection.execute(
                    f'SET VARIABLE "{p.name}" = CAST(? AS {p.sql_type})', [values[p.name]]
                )
            except duckdb.Error as error:
                raise InputError(
                    f"{p.name} of the query {query.name} must be {p.sql_type}, "
                    f"got {values[p.name]!r}",
                    p.meaning,
                ) from error
        elif p.default is None:
            raise InputError(
                f"the query {query.name} needs the parameter {p.name}", f"{p.name}: {p.meaning}"
            )
        else:
            connection.execute(f'SET VARIABLE "{p.name}" = CAST({p.default} AS {p.sql_type})')


def settle_half(
    connection: duckdb.DuckDBPyConnection, query: Query, values: dict[str, Any]
) -> None:
    """Take all examples where nobody asked for a half and the set has none, as imported values.

    Of a query about several sets it is validation that decides.
    """
    if "half" in values or query.parameter("half") is None or query.parameter("study") is None:
        return
    named = "coalesce(getvariable('dataset'), 'validation')"
    found = connection.execute(
        f"SELECT bool_and(coalesce(values_only, false)) FILTER (dataset = {named}), "
        "bool_and(coalesce(values_only, false)) "
        "FROM datasets WHERE study = getvariable('study')"
    ).fetchall()
    of_the_set, of_every_set = found[0]
    if of_every_set if of_the_set is None else of_the_set:
        connection.execute("SET VARIABLE half = 'all'")


def reset_variables(connection: duckdb.DuckDBPyConnection, query: Query) -> None:
    """Forget the parameters of ``query``, so that the next one on the connection has its own."""
    for p in query.parameters:
        connection.execute(f'RESET VARIABLE "{p.name}"')


def check_values(
    connection: duckdb.DuckDBPyConnection, query: Query, values: dict[str, Any]
) -> None:
    """Refuse names that the results do not have: an empty table would not say why it is empty.

    Only names that were given: a default that a study lacks, such as validation of imported
    results, is not the user's mistake.
    """
    for p in query.parameters:
        if p.name not in values or (p.name not in CHOICES and p.name not in _KNOWN_VALUES):
            continue
        # An own query about all studies may have a data set without a study.
        if p.name in _KNOWN_VALUES and query.parameter("study") is None:
            continue
        value = _one(connection, f"SELECT getvariable('{p.name}')")
        if value is None:
            continue
        if p.name in CHOICES:
            known = list(_choices(query, p.name))
        else:
            known = [row[0] for row in connection.execute(_KNOWN_VALUES[p.name]).fetchall()]
            # Analyses name what they always ask for, of studies that have no evaluations too.
            if not known and p.default is not None:
                continue
        if value not in known:
            _refuse_left_out(connection, str(value))
            raise InputError(
                f"there is no {p.name.replace('_', ' ')} {value!r}",
                _remedy(str(value), [str(name) for name in known]),
            )


def _refuse_left_out(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Raise where ``name`` is of a model or an evaluation set that the study leaves out."""
    rows = connection.execute(
        "SELECT kind, reason, why FROM left_out WHERE study = getvariable('study') AND name = ?",
        [name],
    ).fetchall()
    for kind, reason, why in rows:
        noun = "model" if kind == "model" else "evaluation set"
        raise InputError(
            f"the {noun} {name!r} is left out of the study: {reason}{f' ({why})' if why else ''}",
            "How it counts again: lmc-track drop --help",
        )


def _remedy(value: str, known: list[str]) -> str:
    """The names that there are; of many only those that are like ``value``."""
    near = get_close_matches(value, known, n=3) if len(known) > _MOST_LISTED else []
    if near:
        return f"did you mean {' or '.join(near)}?"
    more = ", …" if len(known) > _MOST_LISTED else ""
    return f"there are: {', '.join(known[:_MOST_LISTED])}{more}"


def _choices(query: Query, name: str) -> tuple[str, ...]:
    # A gap is defined for what is low where models are good; other metrics have curves only.
    if name == "metric" and ("study_pairs(" in query.sql or "step_pairs(" in query.sql):
        return GAP_METRICS
    return CHOICES[name]


def _one(connection: duckdb.DuckDBPyConnection, text: str) -> Any:
    rows = connection.execute(text).fetchall()
    return rows[0][0] if rows else None
