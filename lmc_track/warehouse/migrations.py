"""Results files of earlier versions, brought to the present schema.

Each migration is a function that makes a file of one version one of the next; the table
``migrations`` of a file says which it has been through.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb

from lmc_track.warehouse.storage import create_table
from lmc_track.warehouse.stored_tables import RECORDED_RUNS
from lmc_track.warehouse.tables import SCHEMA_VERSION, STEP_PLACES
from lmc_track.warehouse.views import create_views

Migration = Callable[[duckdb.DuckDBPyConnection], None]


def remember_recorded_runs(connection: duckdb.DuckDBPyConnection) -> None:
    """6 to 7: files know the runs that they were made from, so that they can be brought up to date.

    Which revisions an older file was made from is not known: the next ingest reads them all.
    """
    create_table(connection, RECORDED_RUNS)
    create_migrations(connection)


def place_checkpoints(connection: duckdb.DuckDBPyConnection) -> None:
    """7 to 8: checkpoints have places at their training step.

    They are computed from all of a study's paths: the next ingest reads every run again.
    """
    create_table(connection, STEP_PLACES)
    connection.execute(f"DELETE FROM {RECORDED_RUNS.name}")


MIGRATIONS: dict[int, Migration] = {6: remember_recorded_runs, 7: place_checkpoints}
"""By the version that they take a file from."""


def create_migrations(connection: duckdb.DuckDBPyConnection) -> None:
    """The table ``migrations``, empty."""
    connection.execute(
        "CREATE TABLE migrations (version INTEGER PRIMARY KEY, name VARCHAR);"
        "COMMENT ON TABLE migrations IS 'What has made this file one of a later version.';"
        "COMMENT ON COLUMN migrations.version IS 'version of the tables and views afterwards';"
        "COMMENT ON COLUMN migrations.name IS 'name of the migration';"
    )


def upgrade(results_path: Path) -> list[str]:
    """Bring the file to the present schema; returns the names of the migrations it took.

    All of them happen or none. A file that is of the present schema, or of one from which no
    migration leads, or no results file, is left as it is.
    """
    try:
        with duckdb.connect(str(results_path), read_only=True) as connection:
            rows = connection.execute("SELECT version FROM schema_version").fetchall()
        version = rows[0][0]
        path = range(version, SCHEMA_VERSION)
        if not path or any(step not in MIGRATIONS for step in path):
            return []
        with duckdb.connect(str(results_path)) as connection:
            connection.begin()
            for step in path:
                MIGRATIONS[step](connection)
                connection.execute(
                    "INSERT INTO migrations VALUES (?, ?)", [step + 1, MIGRATIONS[step].__name__]
                )
                connection.execute("UPDATE schema_version SET version = ?", [step + 1])
            create_views(connection)
            connection.commit()
    except (duckdb.Error, IndexError, TypeError):
        return []
    return [MIGRATIONS[step].__name__ for step in path]
