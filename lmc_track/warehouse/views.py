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

A results file keeps the views it was built with, and one whose views are not these is built anew.
A table that is computed from a view needs a new ``SCHEMA_VERSION`` when the view changes.
"""


def create_views(connection: duckdb.DuckDBPyConnection) -> None:
    """All of them, in place of those that an earlier version of the program made."""
    for text in view_texts():
        connection.execute(text)


def view_texts() -> list[str]:
    """The statements that make them, with their meanings as comments."""
    texts = [metric_view()]
    for name in VIEWS:
        text = files("lmc_track.queries.views").joinpath(f"{name}.sql").read_text("utf-8")
        for kind in ("VIEW", "MACRO"):
            text = text.replace(f"\nCREATE {kind} ", f"\nCREATE OR REPLACE {kind} ")
        texts.append(text)
    return texts
