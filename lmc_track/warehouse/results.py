"""Reading results: queries by name, a user's own SQL, and what there is to ask."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from lmc_track.warehouse.connection import Limits, reading
from lmc_track.warehouse.matrices import (
    GapMatrix,
    chance_headroom,
    gap_matrices,
    gap_matrix,
    valley_headroom,
)
from lmc_track.warehouse.moment import Moment, find_query, frame_of
from lmc_track.warehouse.own_queries import own_queries
from lmc_track.warehouse.user_process import Question, answer

__all__ = [
    "GapMatrix",
    "Results",
    "chance_headroom",
    "gap_matrices",
    "gap_matrix",
    "open",
    "open_results",
    "valley_headroom",
]

_FILE_NAME = "results.duckdb"
_LIBRARY_LIMITS = Limits(seconds=0, memory="80%")
USER_LIMITS = Limits()


def open(home: str | Path = "mlruns") -> Results:  # noqa: A001
    """The results below ``home``, as ``lmc_track.open``."""
    return open_results(Path(home) / _FILE_NAME)


def open_results(results_path: Path, tracking_uri: str | None = None) -> Results:
    """The results in one file, which must be of the store ``tracking_uri`` if that is given.

    ``InputError`` where there is no such file, or it cannot be read.
    """
    results = Results(results_path.absolute(), tracking_uri)
    results.studies()
    return results


@dataclass(frozen=True)
class Results:
    """A results file. Nothing is kept open between calls, so every call sees the last ingest.

    Every method raises ``InputError`` where the file or what is asked cannot be worked with.
    """

    path: Path
    tracking_uri: str | None = None

    def query(self, name: str, **params: Any) -> pl.DataFrame:
        """The query ``name`` of the library, or of the user's own beside the results.

        Values are converted to the declared types, so text is as good as a number. ``study`` may
        be left out where there is only one. Own queries have the limits of ``sql``.
        """
        # What is wrong with these is said before a file is opened.
        query = find_query(name, params, own_queries(self.path.parent))
        if query.path is not None:
            return answer(
                Question(self.path, self.tracking_uri, USER_LIMITS, query=name, params=params)
            )
        with self.at_once() as now, now.asked(query, params):
            return frame_of(now.connection, query.sql)

    @contextmanager
    def at_once(self) -> Iterator[Moment]:
        """Many of the library's queries on one state of the results, whatever is ingested since."""
        with reading(self.path, self.tracking_uri, _LIBRARY_LIMITS) as connection:
            yield Moment(self.path, connection)

    def sql(self, text: str, *, limits: Limits = USER_LIMITS) -> pl.DataFrame:
        """The rows of one SQL statement of the user's, which can read the tables and nothing else.

        It runs in a process of its own, which ends with it or at its limits. Errors, DuckDB's
        message in them, and statements over ``limits`` are ``InputError``.
        """
        return answer(Question(self.path, self.tracking_uri, limits, text=text))

    def studies(self) -> list[str]:
        """Names of the studies, in the order in which they were made."""
        with reading(self.path, self.tracking_uri, _LIBRARY_LIMITS) as connection:
            return Moment(self.path, connection).studies()
