"""Putting paths and their points on record: each point whole, then the path's curves."""

from __future__ import annotations

from dataclasses import dataclass, field

from lmc_track.geometry.curves import barrier_height, convexity_gap
from lmc_track.geometry.evaluation import Predictions
from lmc_track.geometry.grid import metric_step
from lmc_track.geometry.modules import ALL
from lmc_track.steps.notes import path_note, point_note
from lmc_track.steps.path_works import PathWork, curve_state
from lmc_track.steps.planning import Plan
from lmc_track.steps.recording import evaluated_on, record_predictions
from lmc_track.tracking.keys import point_key
from lmc_track.tracking.recorder import MetricValue
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.studies import StudyRecord
from lmc_track.tracking.tags import EVAL_TAG, GRID_TAG, slot


@dataclass(frozen=True)
class PointResult:
    """A point's new predictions; when its weights were begun and its last data set was done."""

    predictions: dict[str, Predictions]
    started: int
    ended: int


@dataclass
class PathResult:
    """A path's new predictions, and how far apart its ends are where that was not known yet.

    Times are milliseconds since 1970.
    """

    started: int
    points: dict[float, PointResult] = field(default_factory=dict)
    l2_distance: float | None = None
    cosine: float | None = None


def record_path(plan: Plan, record: StudyRecord, work: PathWork, result: PathResult) -> None:
    """Points first, each whole; then the path's curves; a finished path has all its points."""
    with record.recorder.together():
        run = work.run or _start_path(record, work, result.started)
        if not run.finished:  # one taken up again may have been stopped before it had any
            record.recorder.log(run, params=_identity(plan, work))
        points = record.recorder.each(
            lambda item: _record_point(plan, record, run, work, *item), result.points.items()
        )
        for point in points:
            record.index.add(point)
        _record_curves(plan, record, run, work, result)
        inputs = evaluated_on(plan, plan.datasets)
        record.recorder.log_inputs(run, inputs, [work.run_a, work.run_b])
        if not run.finished:
            record.recorder.finish(run)
    record.index.add(run)


def _identity(plan: Plan, work: PathWork) -> dict[str, object]:
    """All that is needed to rebuild the weights of any point of the path."""
    return {
        "model_a": work.model_a.name,
        "model_b": work.model_b.name,
        "model_a_run": work.run_a.run_id,
        "model_b_run": work.run_b.run_id,
        "weights_digest_a": work.run_a.params["weights_digest"],
        "weights_digest_b": work.run_b.params["weights_digest"],
        "precision": plan.precision,
        "modules": work.modules,
    }


def _start_path(record: StudyRecord, work: PathWork, started: int) -> RunEntry:
    a, b = work.model_a.name, work.model_b.name
    name = f"{a} to {b}" if work.modules == ALL else f"{a} to {b}, {work.modules}"
    note = path_note(record.experiment_id, work.run_a, work.run_b, work.modules)
    return record.recorder.start("path", work.key, name, note, started=started)


def _record_point(
    plan: Plan,
    record: StudyRecord,
    path: RunEntry,
    work: PathWork,
    alpha: float,
    result: PointResult,
) -> RunEntry:
    key = point_key(work.key, alpha)
    predictions = result.predictions
    point = record.index.find("point", key)
    if point is not None:
        record_predictions(plan, record, point, predictions, plan.precision)
        return point
    point = record.recorder.start(
        "point",
        key,
        f"alpha {alpha:.4g}, {path.name}",
        point_note(work.model_a.name, work.model_b.name, alpha, work.modules),
        parent=path.run_id,
        tags={GRID_TAG: "common" if alpha in plan.facts.alphas else "refined"},
        started=result.started,
    )
    params = {"alpha": repr(alpha), **_identity(plan, work)}
    record_predictions(plan, record, point, predictions, plan.precision, params=params)
    record.recorder.finish(point, ended=result.ended)
    return point


def _record_curves(
    plan: Plan, record: StudyRecord, run: RunEntry, work: PathWork, result: PathResult
) -> None:
    """The path's curves, from its endpoints' and points' own runs.

    Timestamps are the path's start, so that logging again after an interruption changes
    nothing.
    """
    at = run.start_time
    revision = run.revision + 1 if run.finished else run.revision
    names = list(dict.fromkeys(("loss", "accuracy", plan.task.metric)))
    values: list[MetricValue] = []
    tags: dict[str, str] = {}
    curves: dict[str, dict[str, list[float]]] = {}
    own = record.facts.precision
    for name in plan.datasets:
        state, inner = curve_state(plan, record, run, work.modules, name)
        alphas = [0.0, *inner, *([1.0] if work.modules == ALL else [])]
        curve: dict[str, list[float]] = {"alpha": alphas}
        for metric in names:
            end = f"{metric}/{slot(name, plan.precision, own)}"
            points = [record.index.find("point", point_key(work.key, a)) for a in inner]
            curve[metric] = [
                work.run_a.metrics[end],
                *(point.metrics[f"{metric}/{name}"] for point in points if point is not None),
                *([work.run_b.metrics[end]] if work.modules == ALL else []),
            ]
            values += [
                MetricValue(f"{metric}/{name}", value, metric_step(alpha), at)
                for alpha, value in zip(alphas, curve[metric], strict=True)
            ]
        # Further points can only raise a maximum: paths are compared on the grid they share.
        common = [k for k, alpha in enumerate(alphas) if alpha in plan.facts.alphas]
        grid, losses = [alphas[k] for k in common], [curve["loss"][k] for k in common]
        values += [
            MetricValue(f"convexity_gap/{name}", convexity_gap(grid, losses), revision, at),
            MetricValue(f"barrier_height/{name}", barrier_height(grid, losses), revision, at),
        ]
        curves[name] = curve
        tags[EVAL_TAG + name] = state
    if result.l2_distance is not None:
        values.append(MetricValue("l2_distance", result.l2_distance, 0, at))
    if result.cosine is not None:
        values.append(MetricValue("cosine", result.cosine, 0, at))
    content = {**_identity(plan, work), "curves": curves}
    record.recorder.artifacts.put_json(run.run_id, run.artifact_uri, content, "curve.json")
    if run.finished:
        tags = record.recorder.raised_revision(run) | tags
    record.recorder.log(run, metrics=values, tags=tags)
