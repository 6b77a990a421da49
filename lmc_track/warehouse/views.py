"""The views and macros of a results file, from the files of ``queries/views``."""

from __future__ import annotations

from importlib.resources import files

import duckdb

from lmc_track.warehouse.metric_view import metric_view

VIEWS = (
    "projection",
    "predictions",
    "curves",
    "label_entropies",
    "curve_measures",
    "barriers",
    "refined_gaps",
    "study_models",
    "study_pairs",
    "study_module_paths",
    "study_values",
    "study_similarity",
    "linkage",
    "attributions",
    "ensemble_curves",
    "cluster_contrasts",
    "decided_pairs",
    "study_steps",
)
"""Files of ``queries/views`` in the order in which they build on each other.

A results file keeps the views it was built with: a change of a view that queries rely on needs a
new ``SCHEMA_VERSION``.
"""


def create_views(connection: duckdb.DuckDBPyConnection) -> None:
    """All of them, in place of those that an earlier version of the program made."""
    connection.execute(metric_view())
    for name in VIEWS:
        text = files("lmc_track.queries.views").joinpath(f"{name}.sql").read_text("utf-8")
        for kind in ("VIEW", "MACRO"):
            text = text.replace(f"\nCREATE {kind} ", f"\nCREATE OR REPLACE {kind} ")
        connection.execute(text)
