"""Answering questions on an open connection to results, whoever opened it.

A connection to a published file and one that is still building the next both have the tables
and the views, so both answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from lmc_track import spelling
from lmc_track.errors import InputError
from lmc_track.warehouse.library import Query, queries
from lmc_track.warehouse.own_queries import OwnQueries
from lmc_track.warehouse.parameters import (
    check_values,
    reset_variables,
    set_variables,
    settle_half,
)
from lmc_track.warehouse.path_runs import EndRuns, SupportingRuns, end_runs, supporting_runs
from lmc_track.warehouse.per_example import (
    ExampleSet,
    LossCurves,
    example_set,
    loss_curves,
    run_errors,
    run_logits,
)


@dataclass(frozen=True)
class Moment:
    """Results as they were when the connection was opened; answers queries as ``Results`` does.

    ``touched``: studies and paths are only those that a file being brought up to date has touched
    (``warehouse.filling``); queries of the library are about all there is nevertheless.
    """

    path: Path
    connection: duckdb.DuckDBPyConnection
    touched: bool = False

    def studies(self) -> list[str]:
        """Names of the studies, in the order in which they were made."""
        touched = "SEMI JOIN touched_studies USING (study)" if self.touched else ""
        rows = self.connection.execute(
            f"SELECT study FROM studies {touched} ORDER BY created, study"
        ).fetchall()
        return [row[0] for row in rows]

    def query(self, name: str, **params: Any) -> pl.DataFrame:
        """The query ``name`` of the library, as ``Results.query``."""
        query = find_query(name, params)
        with self.asked(query, params):
            return frame_of(self.connection, query.sql)

    @contextmanager
    def asked(self, query: Query, params: dict[str, Any]) -> Iterator[None]:
        """While this lasts, the connection has the parameters of ``query``, checked."""
        values = self._with_study(query, params)
        set_variables(self.connection, query, values)
        try:
            settle_half(self.connection, query, values)
            check_values(self.connection, query, values)
            yield
        finally:
            reset_variables(self.connection, query)

    def path_kinds(self, study: str) -> list[tuple[str, str]]:
        """(precision, modules) of the paths of ``study``, each once."""
        rows = self.connection.execute(
            "SELECT DISTINCT precision, modules FROM paths WHERE study = ? ORDER BY ALL", [study]
        ).fetchall()
        return [(precision, modules) for precision, modules in rows]

    def loss_curves(
        self, study: str, dataset: str, *, precision: str | None = None, modules: str = "all"
    ) -> LossCurves:
        """Losses of every example along the complete paths of ``study``."""
        return loss_curves(
            self.connection,
            study,
            dataset,
            precision=precision,
            modules=modules,
            touched=self.touched,
        )

    def examples(self, study: str, dataset: str) -> ExampleSet:
        """The examples of an evaluation set, with their halves and what is resampled whole."""
        return example_set(self.connection, study, dataset)

    def logits(
        self,
        study: str,
        run_ids: Sequence[str],
        examples: ExampleSet,
        *,
        precision: str | None = None,
    ) -> NDArray[np.float32]:
        """Raw logits (len(run_ids), n, c) of runs on ``examples``, NaN where unknown."""
        return run_logits(self.connection, study, run_ids, examples, precision=precision)

    def errors(
        self,
        study: str,
        run_ids: Sequence[str],
        examples: ExampleSet,
        *,
        precision: str | None = None,
    ) -> NDArray[np.bool_]:
        """Which ``examples`` runs are wrong about, (len(run_ids), n)."""
        return run_errors(self.connection, study, run_ids, examples, precision=precision)

    def supporting_runs(self) -> Iterator[SupportingRuns]:
        """The runs at the supporting points of the discovery gaps, per study and data set."""
        return supporting_runs(self.connection, touched=self.touched)

    def end_runs(self) -> Iterator[EndRuns]:
        """The two models of every path, per study and data set."""
        return end_runs(self.connection, touched=self.touched)

    def _with_study(self, query: Query, params: dict[str, Any]) -> dict[str, Any]:
        if query.parameter("study") is None:
            return params
        known = self.studies()
        listed = f"studies here: {', '.join(known)}" if known else "run a study, then ingest"
        study = params.get("study")
        if study is None:
            if len(known) != 1:
                raise InputError(f"the query {query.name} needs a study", listed)
            return {**params, "study": known[0]}
        if study not in known:
            raise InputError(f"there is no study {study!r} in {self.path}", listed)
        return params


def find_query(name: str, params: Mapping[str, Any], own: OwnQueries | None = None) -> Query:
    """The query ``name`` of the library or of ``own``, which must take all of ``params``.

    ``InputError`` names what is nearest to an unknown name, and says why an own one is no query.
    """
    known = queries() | (own.queries if own is not None else {})
    if name not in known:
        if own is not None and name in own.problems:
            raise own.problems[name]
        raise InputError(f"there is no query {name!r}", nearest(name, known))
    query = known[name]
    for given in params:
        if query.parameter(given) is None:
            names = [p.name for p in query.parameters]
            raise InputError(
                f"the query {name} takes no parameter {given!r}", nearest(given, names)
            )
    return query


def frame_of(connection: duckdb.DuckDBPyConnection, text: str) -> pl.DataFrame:
    """The rows of one statement; ``InputError`` where it returns none."""
    relation = connection.sql(text)
    if relation is None:
        raise InputError("the statement returns no rows", "write a SELECT")
    frame: pl.DataFrame = relation.pl()
    return frame


def nearest(name: str, known: Any) -> str:
    """The remedy for an unknown ``name``: the one of ``known`` that is meant, or all of them."""
    names = list(known)
    if (near := spelling.nearest(name, names)) is not None:
        return f"did you mean {near}?"
    return f"there are: {', '.join(names)}" if names else ""
