"""Evaluating models and the points between them, and recording every path's curve."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from lmc_track.errors import WorkError
from lmc_track.execution import Tick, carry_out, worth_sharing
from lmc_track.geometry.curves import barrier_height, convexity_gap
from lmc_track.geometry.encoding import EncodedDataset
from lmc_track.geometry.engine import shared_engine
from lmc_track.geometry.evaluation import Predictions
from lmc_track.geometry.grid import metric_step
from lmc_track.geometry.interpolation import interior
from lmc_track.models.checkpoints import weight_count
from lmc_track.progress import Progress
from lmc_track.steps.planning import Plan, planned_pairs
from lmc_track.steps.recording import record_predictions
from lmc_track.tracking.keys import digest, path_key, point_key
from lmc_track.tracking.recorder import MetricValue, now
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.studies import RecordedModel, StudyRecord
from lmc_track.tracking.tags import EVAL_TAG, GRID_TAG, PARENT_TAG, slot


@dataclass(frozen=True)
class PathWork:
    """What one path still lacks: ``needed`` maps alpha to the data sets missing there.

    ``distances`` says that how far apart its ends are is not on record yet.
    """

    model_a: RecordedModel
    model_b: RecordedModel
    run_a: RunEntry
    run_b: RunEntry
    folder_a: Path
    folder_b: Path
    key: str
    needed: dict[float, list[str]]
    run: RunEntry | None

    @property
    def distances(self) -> bool:
        return self.run is None or "l2_distance" not in self.run.metrics


@dataclass(frozen=True)
class _PointResult:
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
    points: dict[float, _PointResult] = field(default_factory=dict)
    l2_distance: float | None = None
    cosine: float | None = None


@dataclass(frozen=True)
class _Measuring:
    """Measures one path and writes nothing, so any process can do it."""

    encoded: dict[str, EncodedDataset]
    precision: str
    base: Path

    def __call__(self, work: PathWork, tick: Tick) -> PathResult:
        engine = shared_engine(self.encoded, self.precision, self.base)
        ends = (work.folder_a, work.folder_b)
        started = now()
        result = PathResult(started)
        for alpha, predictions in engine.path_predictions(*ends, work.needed):
            ended = now()
            result.points[alpha] = _PointResult(predictions, started, ended)
            started = ended
            tick()
        if work.distances:
            result.l2_distance = engine.l2_distance(*ends)
            result.cosine = engine.update_cosine(*ends)
        return result


def evaluate_models(plan: Plan, record: StudyRecord, progress: Progress) -> int:
    """Evaluate recorded models on the data sets they lack; returns how many gained some."""
    own = record.facts.precision
    todo: list[tuple[RunEntry, list[str]]] = []
    for model in plan.facts.models:
        run = record.index.find("model", model.key)
        if run is not None and (missing := _missing(plan, run, own)):
            todo.append((run, missing))
    if not todo:
        return 0
    engine = shared_engine(plan.encoded, plan.precision, plan.base)
    with progress.track("Evaluating models", len(todo), "models") as work:
        for run, missing in todo:
            folder = model_folder(record, run)
            predictions = engine.model_predictions(folder, missing)
            record_predictions(plan, record, run, predictions, plan.precision)
            work.advance()
    return len(todo)


def evaluate_points(plan: Plan, record: StudyRecord, progress: Progress) -> int:
    """Evaluate the points that are on record on the data sets they lack; none are added."""
    return _walk(plan, record, progress, new_points=False)


def interpolate_paths(plan: Plan, record: StudyRecord, progress: Progress) -> int:
    """Measure every planned path between finished models; returns how many had work to do.

    Raises:
        WorkError: a planned model has not been finetuned yet.
    """
    absent = [m.name for m in plan.facts.models if record.index.find("model", m.key) is None]
    if absent:
        raise WorkError(
            f"{len(absent)} of {len(plan.facts.models)} models are not finetuned yet: "
            f"{', '.join(absent[:5])}{', …' if len(absent) > 5 else ''}",
            f"Run first: lmc-track finetune {plan.study.name}",
        )
    return _walk(plan, record, progress, new_points=True)


def model_folder(record: StudyRecord, run: RunEntry) -> Path:
    """The folder with the weights of a recorded model."""
    return record.artifacts.get(run.run_id, run.artifact_uri, "model")


def _walk(plan: Plan, record: StudyRecord, progress: Progress, *, new_points: bool) -> int:
    _clear(record)
    works = list(_path_works(plan, record, new_points=new_points))
    if not works:
        return 0
    points = sum(len(work.needed) for work in works)
    examples = sum(
        len(plan.encoded[name])
        for work in works
        for names in work.needed.values()
        for name in names
    )
    title = f"Measuring {len(works)} path{'s' if len(works) > 1 else ''}"
    with progress.track(title, points, "points") as bar:
        carry_out(
            works,
            _Measuring(plan.encoded, plan.precision, plan.base),
            lambda work, result: _record(plan, record, work, result),
            bar.advance,
            workers=worth_sharing(weight_count(plan.base), len(works), examples),
        )
    return len(works)


def _clear(record: StudyRecord) -> None:
    """Delete the points that do not count: half-logged ones, and those of a path that is gone."""
    index = record.index
    paths = {run.run_id for run in (*index.all("path"), *index.unfinished("path"))}
    orphans = [run for run in index.all("point") if run.tags[PARENT_TAG] not in paths]
    record.recorder.delete([*index.unfinished("point"), *orphans])
    for run in orphans:
        index.remove(run)


def _path_works(plan: Plan, record: StudyRecord, *, new_points: bool) -> Iterable[PathWork]:
    """The paths that lack something, in study order so that neighbours share a model."""
    index, models = record.index, plan.facts.models
    unfinished = {run.key: run for run in index.unfinished("path")}
    for first, second in planned_pairs(plan.study, models):
        model_a, model_b = models[first], models[second]
        run_a, run_b = index.find("model", model_a.key), index.find("model", model_b.key)
        if run_a is None or run_b is None:
            continue
        key = path_key(model_a.key, model_b.key, plan.precision)
        run = index.find("path", key) or (unfinished.get(key) if new_points else None)
        if run is None and not new_points:
            continue
        if run is not None:
            _check_weights(run, run_a, run_b)
        needed: dict[float, list[str]] = {}
        for alpha in interior(plan.facts.alphas):
            point = index.find("point", point_key(key, alpha))
            if point is None:
                if new_points:
                    needed[alpha] = list(plan.datasets)
            elif missing := _missing(plan, point, plan.precision):
                needed[alpha] = missing
        curves_missing = run is None or not run.finished or _stale_curves(plan, record, run)
        if needed or (curves_missing and (new_points or run is not None)):
            folders = model_folder(record, run_a), model_folder(record, run_b)
            yield PathWork(model_a, model_b, run_a, run_b, *folders, key, needed, run)


def _missing(plan: Plan, run: RunEntry, own_precision: str) -> list[str]:
    """Data sets of the plan on which ``run`` has no finished evaluation of these data."""
    return [
        name
        for name, data in plan.encoded.items()
        if run.evaluation(slot(name, plan.precision, own_precision)) != data.digest
    ]


def _check_weights(run: RunEntry, run_a: RunEntry, run_b: RunEntry) -> None:
    for side, model in (("a", run_a), ("b", run_b)):
        measured = run.params.get(f"weights_digest_{side}")
        if measured is not None and measured != model.params["weights_digest"]:
            raise WorkError(
                f"the path {run.name} was measured with other weights of {model.name} than the "
                "study now holds",
                f"Delete its run {run.run_id} in MLflow and run the study again.",
            )


def _record(plan: Plan, record: StudyRecord, work: PathWork, result: PathResult) -> None:
    """Points first, each whole; then the path's curves; a finished path has all its points."""
    with record.recorder.together():
        run = work.run or _start_path(record, work, result.started)
        if not run.finished:  # one taken up again may have been stopped before it had any
            record.recorder.log(run, params=_identity(plan, work))
        for alpha, point in result.points.items():
            _record_point(plan, record, run, work, alpha, point)
        _record_curves(plan, record, run, work, result)
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
        "modules": "all",
    }


def _start_path(record: StudyRecord, work: PathWork, started: int) -> RunEntry:
    return record.recorder.start(
        "path",
        work.key,
        f"{work.model_a.name} to {work.model_b.name}",
        f"The straight line of weights from {work.model_a.name} (step 0) to "
        f"{work.model_b.name} (step 10000); steps are alpha times 10,000.",
        started=started,
    )


def _record_point(
    plan: Plan,
    record: StudyRecord,
    path: RunEntry,
    work: PathWork,
    alpha: float,
    result: _PointResult,
) -> None:
    key = point_key(work.key, alpha)
    predictions = result.predictions
    point = record.index.find("point", key)
    if point is not None:
        record_predictions(plan, record, point, predictions, plan.precision)
        return
    point = record.recorder.start(
        "point",
        key,
        f"alpha {alpha:.4g}, {path.name}",
        f"{1 - alpha:.4g} of {work.model_a.name} and {alpha:.4g} of {work.model_b.name}.",
        parent=path.run_id,
        tags={GRID_TAG: "common"},
        started=result.started,
    )
    params = {"alpha": repr(alpha), **_identity(plan, work)}
    record_predictions(plan, record, point, predictions, plan.precision, params=params)
    record.recorder.finish(point, ended=result.ended)
    record.index.add(point)


def _curve_state(plan: Plan, record: StudyRecord, key: str, name: str) -> tuple[str, list[float]]:
    """A digest of what the curve on data set ``name`` shows, and its alphas."""
    data = plan.encoded[name].digest
    alphas = [
        alpha
        for alpha in interior(plan.facts.alphas)
        if (point := record.index.find("point", point_key(key, alpha))) is not None
        and point.evaluation(name) == data
    ]
    return digest([data, [alpha.hex() for alpha in alphas]]), alphas


def _stale_curves(plan: Plan, record: StudyRecord, run: RunEntry) -> bool:
    return any(
        run.evaluation(name) != _curve_state(plan, record, run.key, name)[0]
        for name in plan.datasets
    )


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
        state, inner = _curve_state(plan, record, work.key, name)
        alphas = [0.0, *inner, 1.0]
        curve: dict[str, list[float]] = {"alpha": alphas}
        for metric in names:
            end = f"{metric}/{slot(name, plan.precision, own)}"
            points = [record.index.find("point", point_key(work.key, a)) for a in inner]
            curve[metric] = [
                work.run_a.metrics[end],
                *(point.metrics[f"{metric}/{name}"] for point in points if point is not None),
                work.run_b.metrics[end],
            ]
            values += [
                MetricValue(f"{metric}/{name}", value, metric_step(alpha), at)
                for alpha, value in zip(alphas, curve[metric], strict=True)
            ]
        values += [
            MetricValue(
                f"convexity_gap/{name}", convexity_gap(alphas, curve["loss"]), revision, at
            ),
            MetricValue(
                f"barrier_height/{name}", barrier_height(alphas, curve["loss"]), revision, at
            ),
        ]
        curves[name] = curve
        tags[EVAL_TAG + name] = state
    if result.l2_distance is not None:
        values.append(MetricValue("l2_distance", result.l2_distance, 0, at))
    if result.cosine is not None:
        values.append(MetricValue("cosine", result.cosine, 0, at))
    content = {**_identity(plan, work), "curves": curves}
    record.artifacts.put_json(run.run_id, run.artifact_uri, content, "curve.json")
    if run.finished:
        tags = record.recorder.raised_revision(run) | tags
    record.recorder.log(run, metrics=values, tags=tags)
