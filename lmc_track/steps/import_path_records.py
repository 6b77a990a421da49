"""Putting one imported path and its points on record, as a measured one is: points first.

The numbers of a point are its metrics, which ingest reads; there are no predictions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lmc_track.geometry.curves import barrier_height, convexity_gap
from lmc_track.geometry.grid import metric_step
from lmc_track.steps.notes import path_note, point_note
from lmc_track.tracking.artifact_reading import read_json
from lmc_track.tracking.artifact_shapes import CurvesFile
from lmc_track.tracking.keys import point_key
from lmc_track.tracking.recorder import MetricValue
from lmc_track.tracking.runs import RunEntry, RunIndex
from lmc_track.tracking.studies import RecordedModel, StudyRecord
from lmc_track.tracking.tags import EVAL_TAG, GRID_TAG, SOURCE_TAG

Curve = dict[float, dict[str, float]]  # metric → value by alpha, from 0 to 1


@dataclass(frozen=True)
class PathValues:
    """A path from model_a (alpha 0) to model_b, with its curves by data set."""

    key: str
    model_a: RecordedModel
    model_b: RecordedModel
    distance: float
    curves: dict[str, Curve]

    def differs(self, index: RunIndex, dataset: str, within: float) -> float | None:
        """The first alpha at which a recorded point has another value by more than ``within``."""
        for alpha, values in self.curves[dataset].items():
            point = index.find("point", point_key(self.key, alpha))
            if point is None or point.evaluation(dataset) is None:
                continue
            for metric, value in values.items():
                known = point.metrics.get(f"{metric}/{dataset}", value)
                if abs(known - value) > within:
                    return alpha
        return None


def record_imported_path(
    record: StudyRecord,
    path: PathValues,
    models: Mapping[str, RunEntry],
    digests: Mapping[str, str],
    source: str,
) -> int:
    """Record what of ``path`` is not there yet; returns how many points gained something.

    ``models`` are runs by model key, ``digests`` those of the data sets.
    """
    run = record.index.find("path", path.key)
    missing = [name for name in path.curves if run is None or run.evaluation(name) != digests[name]]
    if not missing:
        return 0
    identity = {
        "model_a": path.model_a.name,
        "model_b": path.model_b.name,
        "model_a_run": models[path.model_a.key].run_id,
        "model_b_run": models[path.model_b.key].run_id,
        "precision": record.facts.precision,
        "modules": "all",
    }
    name = f"{path.model_a.name} to {path.model_b.name}"
    with record.recorder.together():
        if run is None:
            run = record.recorder.start(
                "path",
                path.key,
                name,
                path_note(
                    record.experiment_id,
                    models[path.model_a.key],
                    models[path.model_b.key],
                    "all",
                    source,
                ),
                tags={SOURCE_TAG: source},
            )
            record.recorder.log(run, params=identity)
        inner = list(next(iter(path.curves.values())))[1:-1]

        def point(alpha: float) -> RunEntry:
            values = {
                f"{metric}/{data}": value
                for data in missing
                for metric, value in path.curves[data][alpha].items()
            }
            tags = {EVAL_TAG + data: digests[data] for data in missing}
            return _record_point(record, run, path, alpha, identity, values, tags, source)

        points = record.recorder.each(point, inner)
        for one in points:
            record.index.add(one)
        _record_curves(record, run, path, missing, digests, identity)
        if not run.finished:
            record.recorder.finish(run)
    record.index.add(run)
    return len(points)


def _record_point(
    record: StudyRecord,
    run: RunEntry,
    path: PathValues,
    alpha: float,
    identity: Mapping[str, Any],
    values: Mapping[str, float],
    tags: Mapping[str, str],
    source: str,
) -> RunEntry:
    key = point_key(path.key, alpha)
    point = record.index.find("point", key)
    metrics = [MetricValue(name, value) for name, value in values.items()]
    if point is not None:
        raised = record.recorder.raised_revision(point)
        record.recorder.log(point, metrics=metrics, tags=raised | dict(tags))
        return point
    point = record.recorder.start(
        "point",
        key,
        f"alpha {alpha:.4g}, {run.name}",
        point_note(path.model_a.name, path.model_b.name, alpha, "all", source),
        parent=run.run_id,
        tags={GRID_TAG: "common", SOURCE_TAG: source},
    )
    record.recorder.log(
        point, params={"alpha": repr(alpha), **identity}, metrics=metrics, tags=tags
    )
    record.recorder.finish(point)
    return point


def _record_curves(
    record: StudyRecord,
    run: RunEntry,
    path: PathValues,
    missing: list[str],
    digests: Mapping[str, str],
    identity: Mapping[str, Any],
) -> None:
    at = run.start_time
    revision = run.revision + 1 if run.finished else run.revision
    values: list[MetricValue] = []
    for name in missing:
        alphas = list(path.curves[name])
        for metric in path.curves[name][alphas[0]]:
            values += [
                MetricValue(f"{metric}/{name}", path.curves[name][a][metric], metric_step(a), at)
                for a in alphas
            ]
        losses = [path.curves[name][alpha]["loss"] for alpha in alphas]
        values += [
            MetricValue(f"convexity_gap/{name}", convexity_gap(alphas, losses), revision, at),
            MetricValue(f"barrier_height/{name}", barrier_height(alphas, losses), revision, at),
        ]
    tags = {EVAL_TAG + name: digests[name] for name in missing}
    if run.finished:
        tags = record.recorder.raised_revision(run) | tags
    else:
        values.append(MetricValue("l2_distance", path.distance, 0, at))
    curves = _recorded_curves(record, run) | {
        name: {
            "alpha": list(path.curves[name]),
            **{
                metric: [values_at[metric] for values_at in path.curves[name].values()]
                for metric in path.curves[name][0.0]
            },
        }
        for name in missing
    }
    content = {**identity, "curves": curves}
    record.recorder.artifacts.put_json(run.run_id, run.artifact_uri, content, "curve.json")
    record.recorder.log(run, metrics=values, tags=tags)


def _recorded_curves(record: StudyRecord, run: RunEntry) -> dict[str, Any]:
    """The curves that a finished path has already."""
    if not run.finished:
        return {}
    file = record.artifacts.get(run.run_id, run.artifact_uri, "curve.json", immutable=False)
    return dict(read_json(run, file, CurvesFile).curves)
