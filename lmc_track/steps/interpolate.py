"""Evaluating models and the points between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lmc_track.errors import InputError, WorkError
from lmc_track.execution import Tick, carry_out, worth_sharing
from lmc_track.geometry.encoding import EncodedDataset
from lmc_track.geometry.engine import Engine, shared_engine
from lmc_track.geometry.evaluation import Predictions
from lmc_track.geometry.modules import ALL, canonical_modules
from lmc_track.models.checkpoints import stored_tensors, weight_count
from lmc_track.progress import Progress
from lmc_track.steps.path_records import PathResult, PointResult, record_path
from lmc_track.steps.path_works import (
    PathWork,
    missing_evaluations,
    model_folder,
    path_works,
    recorded_modules,
)
from lmc_track.steps.planning import Plan
from lmc_track.steps.recording import record_predictions
from lmc_track.tracking.recorder import now
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.studies import StudyRecord
from lmc_track.tracking.tags import PARENT_TAG


@dataclass(frozen=True)
class _Measuring:
    """Measures one path and writes nothing, so any process can do it."""

    encoded: dict[str, EncodedDataset]
    precision: str
    base: Path | None

    def __call__(self, work: PathWork, tick: Tick) -> PathResult:
        engine = shared_engine(self.encoded, self.precision, self.base)
        ends = (work.folder_a, work.folder_b)
        started = now()
        result = PathResult(started)
        for alpha, predictions in self._points(engine, work):
            ended = now()
            result.points[alpha] = PointResult(predictions, started, ended)
            started = ended
            tick()
        for _ in range(work.most_points - len(result.points)):
            tick()
        if work.distances:
            result.l2_distance = engine.l2_distance(*ends, work.modules)
            result.cosine = engine.update_cosine(*ends, work.modules)
        return result

    def _points(
        self, engine: Engine, work: PathWork
    ) -> Iterator[tuple[float, dict[str, Predictions]]]:
        """What is needed, then where the gap is uncertain, one point after the other."""
        ends = (work.folder_a, work.folder_b)
        found: dict[float, float] = {}
        for alpha, predictions in engine.path_predictions(*ends, work.needed, work.modules):
            if "validation" in predictions:
                found[alpha] = predictions["validation"].mean_loss
            yield alpha, predictions
        added = 0
        while work.refinement is not None:
            further = work.refinement.next(found, added)
            if further is None:
                return
            wanted = {further: work.refinement.datasets}
            for alpha, predictions in engine.path_predictions(*ends, wanted, work.modules):
                found[alpha] = predictions["validation"].mean_loss
                yield alpha, predictions
            added += 1


def evaluate_models(plan: Plan, record: StudyRecord, progress: Progress) -> int:
    """Evaluate recorded models on the data sets they lack; returns how many gained some."""
    own = record.facts.precision
    todo: list[tuple[RunEntry, list[str]]] = []
    for model in plan.facts.models:
        run = record.index.find("model", model.key)
        if run is not None and (missing := missing_evaluations(plan, run, own)):
            todo.append((run, missing))
    if not todo:
        return 0
    engine = shared_engine(plan.encoded, plan.precision, plan.origin)
    with progress.track("Evaluating models", len(todo), "models") as work:
        for run, missing in todo:
            folder = model_folder(record, run)
            predictions = engine.model_predictions(folder, missing)
            record_predictions(plan, record, run, predictions, plan.precision)
            work.advance()
    return len(todo)


def evaluate_points(plan: Plan, record: StudyRecord, progress: Progress) -> int:
    """Evaluate the points that are on record on the data sets they lack; none are added."""
    return _walk(plan, record, progress, recorded_modules(record), new_points=False)


def interpolate_paths(
    plan: Plan, record: StudyRecord, progress: Progress, modules: Sequence[str] = (ALL,)
) -> int:
    """Measure every planned path between finished models; returns how many had work to do.

    ``modules`` move along the paths, each in its own: for a part of the network (as
    ``geometry.modules`` names it) every pair has a path in either direction.

    Raises:
        WorkError: a planned model has not been finetuned yet.
        InputError: the models have no such module.
    """
    first = _every_run(plan, record)[0]
    kinds = [_known_modules(given, model_folder(record, first)) for given in modules]
    return _walk(plan, record, progress, list(dict.fromkeys(kinds)), new_points=True)


def _every_run(plan: Plan, record: StudyRecord) -> list[RunEntry]:
    """The runs of all models, which are there; else a WorkError that says what to run."""
    runs = {model: record.index.find("model", model.key) for model in plan.facts.models}
    absent = [model for model, run in runs.items() if run is None]
    if absent:
        names = ", ".join(model.name for model in absent[:5])
        made = "registered" if absent[0].source == "registered" else "finetuned"
        raise WorkError(
            f"{len(absent)} of {len(runs)} models are not {made} yet: "
            f"{names}{', …' if len(absent) > 5 else ''}",
            f"Run first: lmc-track {'finetune' if made == 'finetuned' else 'register'} "
            f"{plan.study.name}{'' if made == 'finetuned' else ' SOURCE'}",
        )
    return [run for run in runs.values() if run is not None]


def _known_modules(given: str, folder: Path) -> str:
    if given == ALL:
        return given
    try:
        return canonical_modules(given, [tensor.name for tensor in stored_tensors(folder)])
    except ValueError as error:
        message, _, remedy = str(error).partition("; ")
        raise InputError(f"--modules: {message}", f"{remedy[:1].upper()}{remedy[1:]}.") from None


def _walk(
    plan: Plan,
    record: StudyRecord,
    progress: Progress,
    modules: Sequence[str],
    *,
    new_points: bool,
) -> int:
    _clear(record)
    works = list(path_works(plan, record, new_points=new_points, modules=modules))
    if not works:
        return 0
    points = sum(work.most_points for work in works)
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
            _Measuring(plan.encoded, plan.precision, plan.origin),
            lambda work, result: record_path(plan, record, work, result),
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
