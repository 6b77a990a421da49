"""What a results file was made from, and the rows in it that need not be read again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from lmc_track.warehouse.connection import Limits, reading
from lmc_track.warehouse.rebuild import table_counts
from lmc_track.warehouse.tables import (
    CLUSTERINGS,
    CLUSTERS,
    CO_ASSIGNMENTS,
    DATASETS,
    IMPORTED_VALUES,
    LEFT_OUT,
    MODELS,
    PATHS,
    PLANE_POINTS,
    PLANES,
    POINTS,
    RECORDED,
    STUDIES,
    Table,
    frame_schema,
)

_OWNERS = {CLUSTERS: CLUSTERINGS, CO_ASSIGNMENTS: CLUSTERINGS, PLANE_POINTS: PLANES}
_LIMITS = Limits(seconds=0)


@dataclass(frozen=True)
class Recorded:
    """What a results file has.

    ``runs``: columns of ``RECORDED_RUNS``. ``studies``, ``datasets``, ``paths``, ``points``: these
    tables, and ``left_out``.
    ``models``: id and study of those that count. ``counts``: rows by table.
    """

    path: Path
    tracking_uri: str
    runs: pl.DataFrame
    studies: pl.DataFrame
    datasets: pl.DataFrame
    paths: pl.DataFrame
    points: pl.DataFrame
    models: pl.DataFrame
    left_out: pl.DataFrame
    counts: dict[str, int]

    def models_of(self, studies: Collection[str]) -> set[str]:
        """Ids of the models of ``studies``."""
        return set(self.models.filter(pl.col("study").is_in(list(studies)))["model_id"])

    def rows_of(self, studies: Collection[str]) -> dict[str, pl.DataFrame]:
        """The rows of ``studies`` in the tables that the record gives as they are, by table.

        Imported values are left out.
        """
        found = {}
        wanted = pl.DataFrame({"study": sorted(studies)}, schema={"study": pl.String})
        with reading(self.path, self.tracking_uri, _LIMITS) as connection:
            for table in RECORDED:
                if table is IMPORTED_VALUES:
                    continue
                owner = _OWNERS.get(table)
                chosen = f"FROM {table.name} SEMI JOIN wanted USING (study)"
                if owner is not None:
                    chosen = (
                        f"FROM {table.name} SEMI JOIN (FROM {owner.name} SEMI JOIN wanted "
                        f"USING (study)) USING ({owner.key[0]})"
                    )
                connection.register("wanted", wanted)
                found[table.name] = _frame(connection, chosen).select(list(frame_schema(table)))
                connection.unregister("wanted")
        return found


def recorded(path: Path, tracking_uri: str) -> Recorded:
    """What the file at ``path`` has.

    ``InputError`` where there is none, or it is damaged, of another schema or another store.
    """
    with reading(path, tracking_uri, _LIMITS) as connection:
        return Recorded(
            path,
            tracking_uri,
            _frame(connection, "FROM storage.recorded_runs"),
            _table(connection, STUDIES),
            _table(connection, DATASETS),
            _table(connection, PATHS),
            _table(connection, POINTS),
            _frame(connection, f"SELECT model_id, study FROM {MODELS.name}"),
            _table(connection, LEFT_OUT),
            table_counts(connection),
        )


def _table(connection: duckdb.DuckDBPyConnection, table: Table) -> pl.DataFrame:
    """The table with the columns that its rows are written with, in their order."""
    return _frame(connection, f"FROM {table.name}").select(list(frame_schema(table)))


def _frame(connection: duckdb.DuckDBPyConnection, text: str) -> pl.DataFrame:
    frame: pl.DataFrame = connection.sql(text).pl()
    return frame
