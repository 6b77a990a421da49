"""What is finished in a store, read so that only what has changed need be read whole.

An outline says of every finished run what it is and how often it has gained something. Where the
store is a database within reach, outlines and runs are read by plain SELECTs on MLflow's own
tables: the client takes half a millisecond for every run. Of a server all runs are read at once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import polars as pl

from lmc_track.tracking.failures import reading_store
from lmc_track.tracking.inner_store import database_of
from lmc_track.tracking.runs import RunEntry, read_runs
from lmc_track.tracking.store import Store
from lmc_track.tracking.tags import KEY_TAG, KIND_TAG, PARENT_TAG, REVISION_TAG

OUTLINE = pl.Schema(
    {
        "run_id": pl.String,
        "kind": pl.String,
        "key": pl.String,
        "start_time": pl.Int64,
        "end_time": pl.Int64,
        "revision": pl.Int64,
    }
)
"""Columns of an outline; times in milliseconds since 1970."""

# Databases limit how many values a statement may carry.
_IDS_AT_ONCE = 500


class FinishedRuns(ABC):
    """The finished runs of one experiment that this program made."""

    @abstractmethod
    def outline(self) -> pl.DataFrame:
        """One row a run, columns as ``OUTLINE``, in no order; deleted runs have none."""

    @abstractmethod
    def entries(self, run_ids: Sequence[str]) -> list[RunEntry]:
        """These runs whole, in no order, but without what ``mlflow.`` tags say."""


def finished_runs(
    store: Store, experiment_id: str, known: Iterable[RunEntry] | None = None
) -> FinishedRuns:
    """The finished runs of an experiment; ``known`` are they if the caller has read them all."""
    inner = database_of(store)
    if inner is not None:
        return _InDatabase(store, inner.engine, experiment_id)
    return _InMemory(read_runs(store, experiment_id) if known is None else known)


class _InMemory(FinishedRuns):
    def __init__(self, runs: Iterable[RunEntry]) -> None:
        self._runs = {run.run_id: run for run in runs if run.finished}

    def outline(self) -> pl.DataFrame:
        rows = [
            (run.run_id, run.kind, run.key, run.start_time, run.end_time, run.revision)
            for run in self._runs.values()
        ]
        return pl.DataFrame(rows, schema=OUTLINE, orient="row")

    def entries(self, run_ids: Sequence[str]) -> list[RunEntry]:
        return [self._runs[run_id] for run_id in run_ids]


class _InDatabase(FinishedRuns):
    def __init__(self, store: Store, engine: Any, experiment_id: str) -> None:
        self._store = store
        self._engine = engine
        self._experiment_id = int(experiment_id)

    def outline(self) -> pl.DataFrame:
        from mlflow.store.tracking.dbmodels.models import SqlRun, SqlTag
        from sqlalchemy import and_, select
        from sqlalchemy.orm import aliased

        tags = {key: aliased(SqlTag) for key in (KIND_TAG, KEY_TAG, REVISION_TAG)}
        statement = select(
            SqlRun.run_uuid,
            tags[KIND_TAG].value,
            tags[KEY_TAG].value,
            SqlRun.start_time,
            SqlRun.end_time,
            tags[REVISION_TAG].value,
        ).where(
            SqlRun.experiment_id == self._experiment_id,
            SqlRun.status == "FINISHED",
            SqlRun.lifecycle_stage == "active",
        )
        for key, tag in tags.items():
            mine = and_(tag.run_uuid == SqlRun.run_uuid, tag.key == key)
            statement = statement.join(tag, mine, isouter=key != KIND_TAG)
        as_told = pl.Schema(OUTLINE)
        as_told["revision"] = pl.String()
        return pl.DataFrame(self._rows(statement), as_told, orient="row").with_columns(
            pl.col("key").fill_null(""),
            pl.col("revision").cast(pl.Int64, strict=False).fill_null(0),
        )

    def entries(self, run_ids: Sequence[str]) -> list[RunEntry]:
        from mlflow.store.tracking.dbmodels.models import (
            SqlLatestMetric,
            SqlParam,
            SqlRun,
            SqlTag,
        )
        from sqlalchemy import not_, or_, select

        found: dict[str, RunEntry] = {}
        for ids in _parts(run_ids):
            for run_id, name, status, start, end, uri in self._rows(
                select(
                    SqlRun.run_uuid,
                    SqlRun.name,
                    SqlRun.status,
                    SqlRun.start_time,
                    SqlRun.end_time,
                    SqlRun.artifact_uri,
                ).where(SqlRun.run_uuid.in_(ids))
            ):
                found[run_id] = RunEntry(run_id, "", "", name or "", status, start, end, uri)
            own = or_(not_(SqlTag.key.startswith("mlflow.")), SqlTag.key == PARENT_TAG)
            for run_id, key, value in self._rows(
                select(SqlTag.run_uuid, SqlTag.key, SqlTag.value).where(
                    SqlTag.run_uuid.in_(ids), own
                )
            ):
                found[run_id].tags[key] = value
            for run_id, key, value in self._rows(
                select(SqlParam.run_uuid, SqlParam.key, SqlParam.value).where(
                    SqlParam.run_uuid.in_(ids)
                )
            ):
                found[run_id].params[key] = value
            latest = SqlLatestMetric
            for run_id, key, value, is_nan in self._rows(
                select(latest.run_uuid, latest.key, latest.value, latest.is_nan).where(
                    latest.run_uuid.in_(ids)
                )
            ):
                found[run_id].metrics[key] = float("nan") if is_nan else value
        for run in found.values():
            run.kind = run.tags[KIND_TAG]
            run.key = run.tags.get(KEY_TAG, "")
        return list(found.values())

    def _rows(self, statement: Any) -> Sequence[Any]:
        """The driver's own tuples: making SQLAlchemy's rows of them takes as long again."""
        with reading_store(self._store.location), self._engine.connect() as connection:
            rows: Sequence[Any] = connection.execute(statement).cursor.fetchall()
        return rows


def _parts(run_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(run_ids), _IDS_AT_ONCE):
        yield run_ids[start : start + _IDS_AT_ONCE]
