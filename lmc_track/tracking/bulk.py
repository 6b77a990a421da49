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
    "SqlDataset": {
        "dataset_uuid", "experiment_id", "name", "digest", "dataset_source_type",
        "dataset_source", "dataset_schema", "dataset_profile",
    },
    "SqlInput": {
        "input_uuid", "source_type", "source_id", "destination_type", "destination_id", "step",
    },
    "SqlInputTag": {"input_uuid", "name", "value"},
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

    def log_inputs(self, run: RunEntry, datasets: Sequence[Any], used: Sequence[Any]) -> None:
        """Take up MLflow's ``DatasetInput`` and ``LoggedModelInput`` entities."""
        new = self._runs[run.run_id]
        for data in datasets:
            new.datasets.setdefault((data.dataset.name, data.dataset.digest), data)
        new.models |= {model.model_id: model for model in used}

    def write(self) -> None:
        """Insert the runs held: all of them or, on any error, none."""
        from mlflow.store.tracking.dbmodels import models

        tables = [getattr(models, name).__table__ for name in _COLUMNS]
        rows: dict[Any, list[dict[str, Any]]] = {table: [] for table in tables}
        with self._inner.ManagedSessionMaker(read_only=False) as session:
            datasets = self._known_datasets(session, models.SqlDataset)
            for run in self._runs.values():
                parts = (
                    *_rows(self._inner, self._experiment_id, run),
                    *_input_rows(self._experiment_id, run, datasets),
                )
                for table, more in zip(tables, parts, strict=True):
                    rows[table].extend(more)
            for table, values in rows.items():
                for start in range(0, len(values), _ROWS):
                    session.execute(table.insert(), values[start : start + _ROWS])
        self._runs = {}

    def _known_datasets(self, session: Any, table: Any) -> dict[tuple[str, str], str]:
        """Ids of the experiment's data sets by name and digest, where any run held needs them."""
        if not any(run.datasets for run in self._runs.values()):
            return {}
        there = session.query(table).filter(table.experiment_id == int(self._experiment_id))
        return {(data.name, data.digest): data.dataset_uuid for data in there}

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
    datasets: dict[tuple[str, str], Any] = field(default_factory=dict)
    models: dict[str, Any] = field(default_factory=dict)


def _rows(inner: Any, experiment_id: str, run: _NewRun) -> tuple[list[dict[str, Any]], ...]:
    """Rows of one run for the first five tables of ``_COLUMNS``."""
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


def _input_rows(
    experiment_id: str, run: _NewRun, datasets: dict[tuple[str, str], str]
) -> tuple[list[dict[str, Any]], ...]:
    """Rows of one run for the last three tables of ``_COLUMNS``; new data sets get their id."""
    new, inputs, tags = [], [], []
    for named, data in run.datasets.items():
        if named not in datasets:
            datasets[named] = uuid.uuid4().hex
            new.append(
                {
                    "dataset_uuid": datasets[named],
                    "experiment_id": int(experiment_id),
                    "name": data.dataset.name,
                    "digest": data.dataset.digest,
                    "dataset_source_type": data.dataset.source_type,
                    "dataset_source": data.dataset.source,
                    "dataset_schema": data.dataset.schema,
                    "dataset_profile": data.dataset.profile,
                }
            )
        inputs.append(_edge("DATASET", datasets[named], "RUN", run.entry.run_id))
        tags += [
            {"input_uuid": inputs[-1]["input_uuid"], "name": tag.key, "value": tag.value}
            for tag in data.tags
        ]
    inputs += [
        _edge("RUN_INPUT", run.entry.run_id, "MODEL_INPUT", model_id) for model_id in run.models
    ]
    return new, inputs, tags


def _edge(source_type: str, source: str, destination_type: str, destination: str) -> dict[str, Any]:
    return {
        "input_uuid": uuid.uuid4().hex,
        "source_type": source_type,
        "source_id": source,
        "destination_type": destination_type,
        "destination_id": destination,
        "step": 0,
    }


def _age(row: dict[str, Any]) -> tuple[int, int, float]:
    """What MLflow takes a metric's latest value by."""
    return row["step"], row["timestamp"], row["value"]
