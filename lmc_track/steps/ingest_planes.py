"""Reading the planes of a study from its record, for the results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import polars as pl

from lmc_track.steps.plane_records import POSITIONS
from lmc_track.tracking.artifact_reading import read_table
from lmc_track.tracking.keys import plane_key
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.studies import StudyRecord
from lmc_track.warehouse.tables import PLANE_POINTS, frame_schema

_WHERE = ("i", "j", "x", "y", "a", "b", "c", "dataset")
_COLUMNS = {
    **dict.fromkeys(("i", "j"), pl.Int32()),
    **dict.fromkeys(("x", "y", "a", "b", "c", "loss", "accuracy"), pl.Float64()),
    "dataset": pl.String(),
}


def recorded_planes(
    record: StudyRecord, models: Mapping[str, RunEntry]
) -> Iterator[tuple[RunEntry, Callable[[], tuple[dict[str, Any], pl.DataFrame]]]]:
    """Each plane that counts, and what reads its row and its points; ``models`` are runs by key.

    A plane counts while its three models are on record with the weights that it was measured with.
    """
    by_name = {model.name: model.key for model in record.facts.models if model.key in models}
    encodings = {data.name: data.encoding for data in record.facts.datasets}
    for run in record.index.all("plane"):
        keys = [by_name.get(run.params[f"model_{side}"]) for side in "abc"]
        known = [key for key in keys if key is not None]
        if len(known) < 3 or not _is_of(run, known, models):
            continue
        told = run.evaluated()
        passes: dict[str, list[str]] = {}
        for dataset, (digest, file) in told.items():
            if encodings.get(dataset) == digest:
                passes.setdefault(file, []).append(dataset)
        if passes:
            yield run, partial(_read, record, run, passes, [models[key] for key in known])


def _read(
    record: StudyRecord, run: RunEntry, passes: Mapping[str, list[str]], models: list[RunEntry]
) -> tuple[dict[str, Any], pl.DataFrame]:
    frames = [_points(record, run, *one) for one in sorted(passes.items())]
    return _row(record, run, models), pl.concat(frames)


def _is_of(run: RunEntry, keys: list[str], models: Mapping[str, RunEntry]) -> bool:
    """Whether ``run`` is of the models with these keys, as they are now."""
    params = run.params
    key = plane_key(keys, params["precision"], int(params["grid"]), float(params["margin"]))
    digests = [params[f"weights_digest_{side}"] for side in "abc"]
    return key == run.key and digests == [models[k].params.get("weights_digest") for k in keys]


def _row(record: StudyRecord, run: RunEntry, models: list[RunEntry]) -> dict[str, Any]:
    ended = run.end_time if run.end_time is not None else run.start_time
    return {
        "plane_id": run.run_id,
        "study": record.facts.name,
        "key": run.key,
        **{f"model_{side}": run.params[f"model_{side}"] for side in "abc"},
        **{f"model_{side}_id": model.run_id for side, model in zip("abc", models, strict=True)},
        "precision": run.params["precision"],
        "n_grid": int(run.params["grid"]),
        "margin": float(run.params["margin"]),
        **{name: run.metrics[name] for name in POSITIONS},
        "created": datetime.fromtimestamp(run.start_time / 1000, UTC).replace(tzinfo=None),
        "seconds": (ended - run.start_time) / 1000,
    }


def _points(record: StudyRecord, run: RunEntry, file: str, datasets: list[str]) -> pl.DataFrame:
    """One row for each point, data set and metric; error beside accuracy."""
    path = record.artifacts.get(run.run_id, run.artifact_uri, file)
    wide = read_table(run, path, _COLUMNS).filter(pl.col("dataset").is_in(datasets))
    wide = wide.with_columns(error=1 - pl.col("accuracy"))
    schema = frame_schema(PLANE_POINTS)
    return (
        wide.unpivot(index=_WHERE, variable_name="metric")
        .rename({"a": "weight_a", "b": "weight_b", "c": "weight_c"})
        .with_columns(plane_id=pl.lit(run.run_id))
        .select(list(schema))
        .cast(pl.Schema(schema))
    )
