"""Bringing an open results file up to date with a snapshot, in the transaction that is open.

An empty file takes everything. In one that has results already, only rows that differ are
written, and only what follows from them is computed anew: of each path by itself, and of a study
as a whole where that is what a table is about.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from importlib.resources import files
from pathlib import Path

import duckdb
import polars as pl

from lmc_track.warehouse import storage
from lmc_track.warehouse.derivation import Derivation
from lmc_track.warehouse.moment import Moment
from lmc_track.warehouse.predictions import add_predictions
from lmc_track.warehouse.snapshot import DamagedFile, Snapshot
from lmc_track.warehouse.stored_tables import RECORDED_RUNS
from lmc_track.warehouse.tables import IMPORTED_VALUES, PATHS, RECORDED

_OF_PATHS = (
    "storage.supports",
    "storage.barrier_rows",
    "storage.refined_rows",
    "storage.ensemble_rows",
    "gap_bounds",
)
_SETS_OF_POINTS = """
SELECT p.study, s.dataset FROM storage.prediction_sets s JOIN points p ON p.point_id = s.run_id
UNION
SELECT p.study, i.dataset FROM imported_values i JOIN points p ON p.point_id = i.run_id
"""


def fill(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    snapshot: Snapshot,
    derivations: Sequence[Derivation],
    *,
    unseen: bool,
) -> list[DamagedFile]:
    """Make the tables those of ``snapshot``; ``path`` is only named in errors.

    ``unseen``: nobody can see the file yet, so that parts of it may be committed before others.

    Temporary tables say what is new or different: ``touched_runs`` (models and points),
    ``touched_paths`` and ``touched_studies``.

    Files of predictions that are damaged are left out and returned; their runs are not among those
    that the results are said to be from, so the next time they are looked at again.

    ``WorkError`` where the files of examples cannot be read.
    """
    connection.execute(f"CREATE OR REPLACE TEMP TABLE sets_before AS {_SETS_OF_POINTS}")
    _find_stale(connection, snapshot)
    _remove_stale(connection)
    for table in RECORDED:
        if table is IMPORTED_VALUES:
            storage.insert_rows(connection, table, snapshot.imported_values)
        else:
            storage.synchronize(connection, table, getattr(snapshot, table.name))
    storage.synchronize(connection, RECORDED_RUNS, snapshot.runs)
    _find_new(connection)
    storage.remove_examples(connection)
    storage.fill_examples(connection, snapshot)
    found, damaged = add_predictions(connection, snapshot.predictions, commit=unseen)
    _forget_runs(connection, {one.file.run_id for one in damaged})
    storage.fill_evaluations(connection, found)
    _find_new_sets(connection)
    _remove_of_paths(connection)
    _compute(connection, path, derivations)
    return damaged


def _forget_runs(connection: duckdb.DuckDBPyConnection, run_ids: Collection[str]) -> None:
    if run_ids:
        connection.execute(
            "DELETE FROM storage.recorded_runs WHERE run_id IN (SELECT unnest(?))",
            [sorted(run_ids)],
        )


def _find_stale(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot) -> None:
    """What the file has that is not so any more, before anything is changed."""
    studies = snapshot.studies["study"].to_list()
    # A point of a path that does not count any more does not either.
    there = {*snapshot.models["model_id"], *snapshot.points["point_id"]}
    changed = studies if snapshot.changed is None else sorted(snapshot.changed)
    for name, column, values in (
        ("kept_runs", "run_id", sorted(snapshot.kept & there)),
        ("touched_studies", "study", changed),
    ):
        connection.register("given", pl.DataFrame({column: values}, schema={column: pl.String}))
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM given")
        connection.unregister("given")
    columns = ", ".join(storage.quoted(column.name) for column in PATHS.columns)
    connection.register("new_paths", snapshot.paths)
    connection.register("new_studies", snapshot.studies)
    connection.execute(
        f"""
        INSERT INTO touched_studies
        FROM (SELECT study FROM studies) ANTI JOIN new_studies USING (study);
        CREATE OR REPLACE TEMP TABLE touched_runs AS
        FROM (SELECT model_id AS run_id FROM models UNION ALL SELECT point_id FROM points)
        ANTI JOIN kept_runs USING (run_id);
        CREATE OR REPLACE TEMP TABLE touched_paths AS
        SELECT path_id FROM paths
        WHERE model_a_id IN (FROM touched_runs) OR model_b_id IN (FROM touched_runs)
        UNION
        SELECT path_id FROM points SEMI JOIN touched_runs ON run_id = point_id
        UNION
        SELECT path_id FROM (SELECT {columns} FROM paths EXCEPT SELECT {columns} FROM new_paths)
        UNION
        SELECT path_id FROM (SELECT {columns} FROM new_paths EXCEPT SELECT {columns} FROM paths);
        """
    )
    connection.unregister("new_paths")
    connection.unregister("new_studies")


def _remove_stale(connection: duckdb.DuckDBPyConnection) -> None:
    """Rows of touched runs."""
    # Whether there are any is asked first: a table is searched for rows that are not there too.
    if _any(connection, "touched_runs"):
        connection.execute(
            """
            DELETE FROM storage.prediction_rows WHERE set_no IN (
                SELECT set_no FROM storage.prediction_sets SEMI JOIN touched_runs USING (run_id));
            DELETE FROM storage.prediction_sets WHERE run_id IN (FROM touched_runs);
            DELETE FROM evaluations WHERE run_id IN (FROM touched_runs);
            DELETE FROM imported_values WHERE run_id IN (FROM touched_runs);
            """
        )


def _remove_of_paths(connection: duckdb.DuckDBPyConnection) -> None:
    """All that was computed of touched paths, of which the rest still are there."""
    if _any(connection, "storage.barrier_rows") and _any(connection, "touched_paths"):
        connection.execute(
            """
            DELETE FROM storage.attribution_rows WHERE set_no IN (
                SELECT set_no FROM storage.supports SEMI JOIN touched_paths USING (path_id));
            """
        )
        for table in _OF_PATHS:
            connection.execute(f"DELETE FROM {table} WHERE path_id IN (FROM touched_paths)")
    connection.execute(
        """
        DELETE FROM touched_paths WHERE path_id NOT IN (SELECT path_id FROM paths);
        DELETE FROM touched_studies WHERE study NOT IN (SELECT study FROM studies);
        """
    )


def _find_new(connection: duckdb.DuckDBPyConnection) -> None:
    """What the file has now that it had not, or that is no longer as it was."""
    connection.execute(
        """
        INSERT INTO touched_runs
        FROM (SELECT model_id AS run_id FROM models UNION ALL SELECT point_id FROM points)
        ANTI JOIN kept_runs USING (run_id) ANTI JOIN touched_runs t USING (run_id);
        INSERT INTO touched_paths
        SELECT path_id FROM points SEMI JOIN touched_runs ON run_id = point_id
        ANTI JOIN touched_paths t USING (path_id) GROUP BY path_id;
        """
    )


def _find_new_sets(connection: duckdb.DuckDBPyConnection) -> None:
    """A data set that points are evaluated on for the first, or no more, concerns every path."""
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE sets_of_points AS {_SETS_OF_POINTS};
        INSERT INTO touched_paths
        SELECT path_id FROM paths
        SEMI JOIN (
            ((FROM sets_of_points) EXCEPT (FROM sets_before))
            UNION ALL ((FROM sets_before) EXCEPT (FROM sets_of_points))
        ) USING (study)
        ANTI JOIN touched_paths USING (path_id);
        """
    )


def _compute(
    connection: duckdb.DuckDBPyConnection, path: Path, derivations: Sequence[Derivation]
) -> None:
    for name in ("barriers.sql", "refined_gaps.sql", "supports.sql"):
        connection.execute(files("lmc_track.warehouse").joinpath(name).read_text("utf-8"))
    moment = Moment(path, connection, touched=True)
    for derivation in derivations:
        derivation.forget(connection)
        for rows in derivation.parts(moment):
            storage.insert_rows(connection, derivation.table, rows)


def _any(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    return bool(connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchall())
