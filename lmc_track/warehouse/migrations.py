"""Results files of earlier versions, brought to the present schema.

Each migration is a function that makes a file of one version one of the next; the table
``migrations`` of a file says which it has been through.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
from filelock import Timeout

from lmc_track.warehouse.connection import schema_of
from lmc_track.warehouse.definitions import renew_views
from lmc_track.warehouse.tables import SCHEMA_VERSION
from lmc_track.warehouse.writing import DATABASE, FileInUseError, alone, connect

Migration = Callable[[duckdb.DuckDBPyConnection], None]


MIGRATIONS: dict[int, Migration] = {}
"""By the version that they take a file from.

None leads from version 8 or before: values that those do not have are computed from the record's
predictions, so the next ingest builds a new file.
"""


def upgrade(results_path: Path) -> list[str]:
    """Bring the file to the present schema; returns the names of the migrations it took.

    All of them happen or none. A file that is of the present schema, or of one from which no
    migration leads, or no results file, or one with a log beside it, is left as it is. Whether
    its tables are those of a results file is seen when it is next read.
    """
    version = schema_of(results_path)
    path = range(SCHEMA_VERSION if version is None else version, SCHEMA_VERSION)
    if not path or any(step not in MIGRATIONS for step in path):
        return []
    try:
        with alone(results_path), connect(results_path) as connection:
            connection.begin()
            for step in path:
                MIGRATIONS[step](connection)
                connection.execute(
                    "INSERT INTO migrations VALUES (?, ?)", [step + 1, MIGRATIONS[step].__name__]
                )
                connection.execute("UPDATE schema_version SET version = ?", [step + 1])
            renew_views(connection, DATABASE)
            connection.commit()
            connection.execute("CHECKPOINT")
    except (duckdb.Error, FileInUseError, Timeout):
        return []
    return [MIGRATIONS[step].__name__ for step in path]
