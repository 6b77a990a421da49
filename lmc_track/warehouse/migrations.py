"""Results files of earlier versions, brought to the present schema.

Each migration is a function that makes a file of one version one of the next; the table
``migrations`` of a file says which it has been through.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb

from lmc_track.warehouse.tables import SCHEMA_VERSION
from lmc_track.warehouse.views import create_views

Migration = Callable[[duckdb.DuckDBPyConnection], None]


MIGRATIONS: dict[int, Migration] = {}
"""By the version that they take a file from.

None leads from version 8 or before: values that those do not have are computed from the record's
predictions, so the next ingest builds a new file.
"""


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
