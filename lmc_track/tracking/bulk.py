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


@dataclass
class NewRun:
    """A run that is not in the store yet, with all that was logged to it."""

    entry: RunEntry
    params: dict[str, Any] = field(default_factory=dict)
    metrics: list[Any] = field(default_factory=list)

    def log(self, params: Sequence[Any], metrics: Sequence[Any]) -> None:
        """Take up MLflow's ``Param`` and ``Metric`` entities; a param keeps its first value."""
        for param in params:
            self.params.setdefault(param.key, param)
        self.metrics.extend(metrics)


def bulk_store(store: Store) -> Any | None:
    """MLflow's store behind ``store`` if it is a database whose tables are the ones known here."""
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
    return inner if isinstance(inner, SqlAlchemyStore) else None


def new_run_uri(experiment_root: str) -> tuple[str, str]:
    """An id for a new run, and where MLflow puts the artifacts of a run of that id."""
    from mlflow.utils.uri import append_to_uri_path

    run_id = uuid.uuid4().hex
    return run_id, append_to_uri_path(experiment_root, run_id, "artifacts")


def insert_runs(inner: Any, experiment_id: str, runs: Sequence[NewRun]) -> None:
    """Insert ``runs`` into MLflow's store ``inner``: all of them or, on any error, none."""
    from mlflow.store.tracking.dbmodels import models

    rows: dict[Any, list[dict[str, Any]]] = {
        table.__table__: []
        for table in (
            models.SqlRun, models.SqlTag, models.SqlParam, models.SqlMetric, models.SqlLatestMetric
        )
    }  # fmt: skip
    for run in runs:
        for table, more in zip(rows, _rows(inner, experiment_id, run), strict=True):
            rows[table].extend(more)
    with inner.ManagedSessionMaker(read_only=False) as session:
        for table, values in rows.items():
            for start in range(0, len(values), _ROWS):
                session.execute(table.insert(), values[start : start + _ROWS])


def _rows(inner: Any, experiment_id: str, run: NewRun) -> tuple[list[dict[str, Any]], ...]:
    """Rows of one run for the five tables, in the order of ``insert_runs``."""
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
