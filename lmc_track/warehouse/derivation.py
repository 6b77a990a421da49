"""Tables that are computed outside SQL, from the others, whenever a file is built.

The warehouse says when and from what; what is computed is somebody else's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import duckdb
import polars as pl

from lmc_track.warehouse.moment import Moment
from lmc_track.warehouse.tables import Table


@dataclass(frozen=True)
class Derivation:
    """``rows`` gives all rows of ``table`` from results whose other tables are filled.

    Columns may be left out, and are NULL then. Rows of a large table come in parts, so that not
    all of them are in memory at once. The same results must give the same rows.

    Where a file is only brought up to date, ``rows`` is asked about what was touched. Rows that
    follow from one path alone go with it; others belong to a row of the table ``owners``, by its
    first column, and are made anew when its study was touched.
    """

    table: Table
    rows: Callable[[Moment], pl.DataFrame | Iterator[pl.DataFrame]]
    owners: Table | None = None

    def forget(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Delete the rows that are made anew, or whose owners are gone."""
        if self.owners is not None:
            key = self.owners.key[0]
            connection.execute(
                f"""
                DELETE FROM {self.table.name} WHERE {key} NOT IN (
                    SELECT {key} FROM {self.owners.name} ANTI JOIN touched_studies USING (study))
                """
            )

    def parts(self, moment: Moment) -> Iterator[pl.DataFrame]:
        """The rows, in one part or many."""
        rows = self.rows(moment)
        if isinstance(rows, pl.DataFrame):
            yield rows
        else:
            yield from rows
