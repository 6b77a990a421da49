"""The rows that MLflow's client would make of new runs, checked as MLflow checks them.

What is plainly allowed is passed at once, a name once for all runs; everything else is put to
MLflow's own validation, which allows it or says what is wrong with it.
"""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from lmc_track.tracking.links import EvaluatedOn, linked_datasets
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.tags import NAME_TAG

COLUMNS: dict[str, tuple[str, ...]] = {
    "SqlRun": (
        "run_uuid", "name", "source_type", "source_name", "entry_point_name", "user_id", "status",
        "start_time", "end_time", "deleted_time", "source_version", "lifecycle_stage",
        "artifact_uri", "experiment_id",
    ),
    "SqlTag": ("key", "value", "run_uuid"),
    "SqlParam": ("key", "value", "run_uuid"),
    "SqlMetric": ("key", "value", "timestamp", "step", "is_nan", "run_uuid"),
    "SqlLatestMetric": ("key", "value", "timestamp", "step", "is_nan", "run_uuid"),
    "SqlDataset": (
        "dataset_uuid", "experiment_id", "name", "digest", "dataset_source_type",
        "dataset_source", "dataset_schema", "dataset_profile",
    ),
    "SqlInput": (
        "input_uuid", "source_type", "source_id", "destination_type", "destination_id", "step",
    ),
    "SqlInputTag": ("input_uuid", "name", "value"),
}  # fmt: skip
"""Columns of MLflow's tables by the name of their class, parents before children."""

Row = tuple[Any, ...]
Metric = tuple[str, Any, Any, Any]
"""Name, value, timestamp (milliseconds since 1970), step."""

# What MLflow writes for infinity, which SQL does not know.
_MOST = 1.7976931348623157e308


def ordered_id() -> str:
    """32 hexadecimal digits, as MLflow's ids have, that grow with time (UUID version 7).

    The indexes of MLflow's tables have run ids in them: ids that grow are put side by side, ids
    drawn at random each on another page.
    """
    drawn = uuid.uuid4().int
    moment = time.time_ns() // 1_000_000
    return f"{moment:012x}7{(drawn >> 64) & 0xFFF:03x}{drawn & ((1 << 64) - 1):016x}"


@dataclass
class NewRun:
    """A run that is not in the store yet, with all that was logged to it."""

    entry: RunEntry
    user: str
    params: dict[str, str] = field(default_factory=dict)
    metrics: list[Metric] = field(default_factory=list)
    datasets: dict[EvaluatedOn, None] = field(default_factory=dict)
    models: dict[str, None] = field(default_factory=dict)

    def add_params(self, params: Mapping[str, str]) -> None:
        """Take up params; one that was logged with another value is refused, as MLflow does."""
        for name, value in params.items():
            if self.params.setdefault(name, value) != value:
                from mlflow.exceptions import MlflowException

                raise MlflowException.invalid_parameter_value(
                    f"Changing param values is not allowed: {name!r} is {self.params[name]!r} "
                    f"in the run {self.entry.name!r} and cannot become {value!r}"
                )


class RowMaker:
    """Makes rows of new runs of one experiment."""

    def __init__(self, experiment_id: int) -> None:
        """Take MLflow's own validation.

        Raises:
            ImportError: this MLflow has no such functions.
        """
        from mlflow.tracking.metric_value_conversion_utils import (
            convert_metric_value_to_float_if_possible,
        )
        from mlflow.utils import validation

        self._experiment_id = experiment_id
        self._as_float = convert_metric_value_to_float_if_possible
        self._check_metric = validation._validate_metric
        self._check_param = validation._validate_param
        self._check_tag = validation._validate_tag
        self._check_datasets = validation._validate_dataset_inputs
        self._longest_param = validation.MAX_PARAM_VAL_LENGTH
        self._longest_tag = validation.MAX_TAG_VAL_LENGTH
        # A name that is refused raises, and is looked at anew the next time.
        self._metric_name = lru_cache(4096)(lambda name: self._check_metric(name, 0.0, 0, 0))
        self._param_name = lru_cache(4096)(lambda name: self._check_param(name, ""))
        self._tag_name = lru_cache(4096)(lambda name: self._check_tag(name, ""))
        self._linked = lru_cache(4096)(self._checked_dataset)

    def rows(
        self, runs: Sequence[NewRun], datasets: dict[tuple[str, str], str]
    ) -> dict[str, list[Row]]:
        """Rows by table, in the order of ``COLUMNS``, of ``runs``.

        ``datasets`` maps name and digest of the experiment's data sets to their ids; new ones
        are added to it.

        Raises:
            MlflowException: MLflow allows no such name or value.
        """
        made: dict[str, list[Row]] = {table: [] for table in COLUMNS}
        for run in runs:
            made["SqlRun"].append(self._run(run))
            run_id = run.entry.run_id
            made["SqlTag"] += [
                (name, self._tag(name, value), run_id) for name, value in run.entry.tags.items()
            ]
            made["SqlParam"] += [
                (name, self._param(name, value), run_id) for name, value in run.params.items()
            ]
            metrics = self._metrics(run)
            made["SqlMetric"] += metrics
            made["SqlLatestMetric"] += _latest(metrics)
            self._add_inputs(run, datasets, made)
        return made

    def _run(self, run: NewRun) -> Row:
        entry = run.entry
        name = entry.tags.get(NAME_TAG)
        if not name:
            from mlflow.exceptions import MlflowException

            raise MlflowException.invalid_parameter_value("A run has no name.")
        return (
            entry.run_id, name, "UNKNOWN", "", "", run.user, entry.status,
            entry.start_time, entry.end_time, None, "", "active",
            entry.artifact_uri, self._experiment_id,
        )  # fmt: skip

    def _tag(self, name: str, value: Any) -> Any:
        self._tag_name(name)
        if type(value) is str and len(value) <= self._longest_tag:
            return value
        return self._check_tag(name, value).value

    def _param(self, name: str, value: Any) -> Any:
        self._param_name(name)
        if type(value) is str and len(value) <= self._longest_param:
            return value
        return self._check_param(name, value).value

    def _metrics(self, run: NewRun) -> list[Row]:
        """The run's metrics in the order they were logged, each once."""
        found: dict[Row, None] = {}
        run_id = run.entry.run_id
        for name, value, timestamp, step in run.metrics:
            self._metric_name(name)
            if not (
                type(value) is float
                and type(timestamp) is int
                and type(step) is int
                and timestamp >= 0
            ):
                value = self._as_float(value)
                self._check_metric(name, value, timestamp, step)
            is_nan = math.isnan(value)
            if is_nan:
                value = 0.0
            elif math.isinf(value):
                value = math.copysign(_MOST, value)
            found[name, value, timestamp, step, is_nan, run_id] = None
        return list(found)

    def _checked_dataset(self, data: EvaluatedOn) -> Any:
        """MLflow's ``DatasetInput`` of ``data``."""
        linked = linked_datasets([data])
        self._check_datasets(linked)
        return linked[0]

    def _add_inputs(
        self, run: NewRun, datasets: dict[tuple[str, str], str], made: dict[str, list[Row]]
    ) -> None:
        run_id = run.entry.run_id
        listed: set[str] = set()
        for data in run.datasets:
            linked = self._linked(data)
            dataset = linked.dataset
            named = (dataset.name, dataset.digest)
            if named not in datasets:
                datasets[named] = ordered_id()
                made["SqlDataset"].append(
                    (datasets[named], self._experiment_id, *named, dataset.source_type,
                     dataset.source, dataset.schema, dataset.profile)
                )  # fmt: skip
            if datasets[named] in listed:
                continue
            listed.add(datasets[named])
            input_id = ordered_id()
            made["SqlInput"].append((input_id, "DATASET", datasets[named], "RUN", run_id, 0))
            made["SqlInputTag"] += [(input_id, tag.key, tag.value) for tag in linked.tags]
        made["SqlInput"] += [
            (ordered_id(), "RUN_INPUT", run_id, "MODEL_INPUT", model, 0) for model in run.models
        ]


def _latest(metrics: Sequence[Row]) -> list[Row]:
    """The latest value of each metric: of the greatest step, timestamp and value."""
    latest: dict[str, tuple[Row, Row]] = {}
    for row in metrics:
        name, value, timestamp, step, *_ = row
        age = (step, timestamp, value)
        if name not in latest or age > latest[name][0]:
            latest[name] = age, row
    return [row for _, row in latest.values()]
