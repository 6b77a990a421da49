"""Tables that are computed outside SQL, from the others, whenever a file is built.

The warehouse says when and from what; what is computed is somebody else's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl

from lmc_track.warehouse.moment import Moment
from lmc_track.warehouse.tables import Table


@dataclass(frozen=True)
class Derivation:
    """``rows`` gives all rows of ``table`` from results whose other tables are filled.

    Columns may be left out, and are NULL then. Rows of a large table come in parts, so that not
    all of them are in memory at once. The same results must give the same rows.
    """

    table: Table
    rows: Callable[[Moment], pl.DataFrame | Iterator[pl.DataFrame]]

    def parts(self, moment: Moment) -> Iterator[pl.DataFrame]:
        """The rows, in one part or many."""
        rows = self.rows(moment)
        if isinstance(rows, pl.DataFrame):
            yield rows
        else:
            yield from rows
