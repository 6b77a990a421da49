"""Whole new runs in one transaction, where the store is a database within reach.

MLflow's client takes a transaction and more for every call, three calls for a run. Here the rows
of many runs are inserted together through MLflow's own tables and checked by MLflow's own
validation, so that the runs are, field by field, those that the client would have made.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.store import Store, reporting

# The columns of the tables written here. Where MLflow's are others, its client does the work.
_COLUMNS = {
    "SqlRun": {
        "run_uuid", "name", "source_type", "source_name", "entry_point_name", "user_id", "status",
        "start_time", "end_time", "deleted_time", "source_version", "lifecycle_stage",
        "artifact_uri", "experiment_id",
    },
    "SqlTag": {"key", "value", "run_uuid"},
    "SqlParam": {"key", "value", "run_uuid"},
    "SqlMetric": {"key", "value", "timestamp", "step", "is_nan", "run_uuid"},
    "SqlLatestMetric": {"key", "value", "timestamp", "step", "is_nan", "run_uuid"},
}  # fmt: skip

# Rows in one statement: databases limit how many values one may carry.
_ROWS = 500


class BulkWriter:
    """Runs that are not in the store yet, with all that was logged to them."""

    def __init__(self, inner: Any, experiment_id: str, artifact_root: str) -> None:
        self._inner = inner
        self._experiment_id = experiment_id
        self._artifact_root = artifact_root
        self._runs: dict[str, _NewRun] = {}

    def new_id(self) -> tuple[str, str]:
        """An id for a run, and the place for its artifacts that MLflow would give it."""
        from mlflow.utils.uri import append_to_uri_path

        run_id = uuid.uuid4().hex
        return run_id, append_to_uri_path(self._artifact_root, run_id, "artifacts")

    def hold(self, run: RunEntry) -> None:
        """Take up a new run."""
        self._runs[run.run_id] = _NewRun(run)

    def holds(self, run: RunEntry) -> bool:
        """Whether ``run`` is still to be written; what changes in its entry is then kept."""
        return run.run_id in self._runs

    def log(self, run: RunEntry, params: Sequence[Any], metrics: Sequence[Any]) -> None:
        """Take up MLflow's ``Param`` and ``Metric`` entities; a param keeps its first value."""
        new = self._runs[run.run_id]
        for param in params:
            new.params.setdefault(param.key, param)
        new.metrics.extend(metrics)

    def write(self) -> None:
        """Insert the runs held: all of them or, on any error, none."""
        from mlflow.store.tracking.dbmodels import models

        rows: dict[Any, list[dict[str, Any]]] = {
            table.__table__: []
            for table in (
                models.SqlRun,
                models.SqlTag,
                models.SqlParam,
                models.SqlMetric,
                models.SqlLatestMetric,
            )
        }
        for run in self._runs.values():
            for table, more in zip(rows, _rows(self._inner, self._experiment_id, run), strict=True):
                rows[table].extend(more)
        with self._inner.ManagedSessionMaker(read_only=False) as session:
            for table, values in rows.items():
                for start in range(0, len(values), _ROWS):
                    session.execute(table.insert(), values[start : start + _ROWS])
        self._runs = {}

    def forget(self) -> None:
        """Drop the runs held."""
        self._runs = {}


def bulk_writer(store: Store, experiment_id: str) -> BulkWriter | None:
    """A writer for the experiment, where the store is a database whose tables are known here."""
    try:
        from mlflow.store.tracking.dbmodels import models
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
        from mlflow.tracking._tracking_service.utils import _get_store
        from mlflow.utils.validation import _validate_batch_log_data  # noqa: F401
    except ImportError:
        return None
    for name, known in _COLUMNS.items():
        table = getattr(models, name, None)
        if table is None or {column.name for column in table.__table__.columns} != known:
            return None
    with reporting(store.location):
        inner = _get_store(store.location.tracking_uri)
        experiment = store.client.get_experiment(experiment_id)
    if not isinstance(inner, SqlAlchemyStore):
        return None
    return BulkWriter(inner, experiment_id, experiment.artifact_location)


@dataclass
class _NewRun:
    entry: RunEntry
    params: dict[str, Any] = field(default_factory=dict)
    metrics: list[Any] = field(default_factory=list)


def _rows(inner: Any, experiment_id: str, run: _NewRun) -> tuple[list[dict[str, Any]], ...]:
    """Rows of one run for the five tables, in the order of ``BulkWriter.write``."""
    from mlflow.entities import RunTag
    from mlflow.utils.validation import _validate_batch_log_data

    entry = run.entry
    metrics, params, tags = _validate_batch_log_data(
        run.metrics,
        list(run.params.values()),
        [RunTag(name, value) for name, value in entry.tags.items()],
    )
    owner = {"run_uuid": entry.run_id}
    points: dict[tuple[Any, ...], dict[str, Any]] = {}
    latest: dict[str, dict[str, Any]] = {}
    for metric in metrics:
        is_nan, value = inner.sanitize_metric_value(metric.value)
        row = {
            "key": metric.key,
            "value": value,
            "timestamp": metric.timestamp,
            "step": metric.step,
            "is_nan": is_nan,
            **owner,
        }
        points.setdefault(tuple(row.values()), row)
        if metric.key not in latest or _age(row) > _age(latest[metric.key]):
            latest[metric.key] = row
    return (
        [
            {
                "name": entry.name,
                "source_type": "UNKNOWN",
                "source_name": "",
                "entry_point_name": "",
                "user_id": entry.tags.get("mlflow.user", "unknown"),
                "status": entry.status,
                "start_time": entry.start_time,
                "end_time": entry.end_time,
                "deleted_time": None,
                "source_version": "",
                "lifecycle_stage": "active",
                "artifact_uri": entry.artifact_uri,
                "experiment_id": int(experiment_id),
                **owner,
            }
        ],
        [{"key": tag.key, "value": tag.value, **owner} for tag in tags],
        [{"key": param.key, "value": param.value, **owner} for param in params],
        list(points.values()),
        list(latest.values()),
    )


def _age(row: dict[str, Any]) -> tuple[int, int, float]:
    """What MLflow takes a metric's latest value by."""
    return row["step"], row["timestamp"], row["value"]
