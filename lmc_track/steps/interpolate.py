"""Evaluating models and the points between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lmc_track.errors import InputError, LmcTrackError, WorkError
from lmc_track.execution import Failure, Tick, carry_out
from lmc_track.geometry.encoding import EncodedDataset
from lmc_track.geometry.engine import EngineSettings, shared_engine
from lmc_track.geometry.evaluation import Predictions
from lmc_track.geometry.modules import ALL, canonical_modules
from lmc_track.geometry.weights_cache import Checkpoint
from lmc_track.models.checkpoints import stored_tensors, weight_count
from lmc_track.progress import Progress
from lmc_track.steps.computing import Computing
from lmc_track.steps.left_out import counting_plan, judge_recorded, note_failed
from lmc_track.steps.measuring import Measuring
from lmc_track.steps.model_checks import check_one_architecture
from lmc_track.steps.path_records import PathResult, record_path
from lmc_track.steps.path_works import (
    PathWork,
    checkpoint,
    missing_evaluations,
    model_folder,
    path_works,
    recorded_modules,
)
from lmc_track.steps.planning import Plan
from lmc_track.steps.recording import record_predictions
from lmc_track.tracking.left_out import has_no_weights
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.studies import StudyRecord
from lmc_track.tracking.tags import PARENT_TAG

# Failed paths that are told one by one.
_MOST_TOLD = 5


@dataclass(frozen=True)
class _Lacking:
    """A recorded model and the data sets it was not evaluated on."""

    run: RunEntry
    model: Checkpoint
    datasets: list[str]


@dataclass(frozen=True)
class _Evaluating:
    encoded: dict[str, EncodedDataset]
    settings: EngineSettings
    base: Path | None

    def __call__(self, item: _Lacking, tick: Tick) -> dict[str, Predictions]:
        engine = shared_engine(self.encoded, self.settings, self.base)
        predictions = engine.model_predictions(item.model, item.datasets)
        tick()
        return predictions


def evaluate_models(
    plan: Plan, record: StudyRecord, progress: Progress, computing: Computing
) -> int:
    """Evaluate recorded models on the data sets they lack; returns how many gained some.

    Models that failed are named.
    """
    own = record.facts.precision
    todo = [
        _Lacking(run, checkpoint(record, run), missing)
        for model in plan.facts.models
        if (run := record.index.find("model", model.key)) is not None
        and not has_no_weights(run)
        and (missing := missing_evaluations(plan, run, own))
    ]
    if todo:
        _evaluate(plan, record, progress, computing, todo)
    judge_recorded(plan, record)
    note_failed(record, progress)
    return len(todo)


def _evaluate(
    plan: Plan,
    record: StudyRecord,
    progress: Progress,
    computing: Computing,
    todo: Sequence[_Lacking],
) -> None:
    check_one_architecture((item.run.name, item.model) for item in todo)
    examples = sum(len(plan.encoded[name]) for item in todo for name in item.datasets)
    with progress.track("Evaluating models", len(todo), "models") as work:

        def keep(item: _Lacking, found: dict[str, Predictions]) -> None:
            record_predictions(plan, record, item.run, found, plan.precision)
            work.tell(item.run.name)

        carry_out(
            todo,
            _Evaluating(plan.encoded, computing.settings, plan.origin),
            keep,
            work.advance,
            pool=computing.pool(weight_count(plan.base), len(todo), examples),
        )


def evaluate_points(
    plan: Plan, record: StudyRecord, progress: Progress, computing: Computing
) -> int:
    """Evaluate the points that are on record on the data sets they lack; none are added."""
    plan = counting_plan(plan, record)
    kinds = recorded_modules(record)
    return _walk(plan, record, progress, computing, kinds, new_points=False)


def interpolate_paths(
    plan: Plan,
    record: StudyRecord,
    progress: Progress,
    computing: Computing,
    modules: Sequence[str] = (ALL,),
) -> int:
    """Measure every planned path between models that count; returns how many had work to do.

    ``modules`` move along the paths, each in its own: for a part of the network (as
    ``geometry.modules`` names it) every pair has a path in either direction. A path that cannot
    be measured keeps no other from being so, and is told at the end.

    Raises:
        WorkError: a planned model has not been finetuned yet, models differ in architecture, or
            paths failed.
        InputError: the models have no such module.
    """
    plan = counting_plan(plan, record)
    if not plan.facts.models:
        return 0
    first = _every_run(plan, record)[0]
    kinds = [_known_modules(given, model_folder(record, first)) for given in modules]
    kinds = list(dict.fromkeys(kinds))
    return _walk(plan, record, progress, computing, kinds, new_points=True)


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
    computing: Computing,
    modules: Sequence[str],
    *,
    new_points: bool,
) -> int:
    _clear(record)
    works = list(path_works(plan, record, new_points=new_points, modules=modules))
    if not works:
        return 0
    ends = {
        model.name: one
        for work in works
        for model, one in ((work.model_a, work.checkpoint_a), (work.model_b, work.checkpoint_b))
    }
    check_one_architecture(ends.items())
    if record.recorder.notice is not None:
        progress.note(record.recorder.notice)
    points = sum(work.most_points for work in works)
    examples = sum(
        len(plan.encoded[name])
        for work in works
        for names in work.needed.values()
        for name in names
    )
    title = f"Measuring {len(works)} path{'s' if len(works) > 1 else ''}"
    with progress.track(title, points, "points") as bar:
        done = 0

        def keep(work: PathWork, result: PathResult) -> None:
            nonlocal done
            record_path(plan, record, work, result)
            done += 1
            bar.tell(f"{done:,} of {len(works):,} paths")

        failures = carry_out(
            works,
            Measuring(plan.encoded, computing.settings, plan.origin),
            keep,
            bar.advance,
            pool=computing.pool(weight_count(plan.base), len(works), examples),
            together=record.recorder.together,
            go_on=True,
        )
    if failures:
        raise _told(failures, len(works))
    return len(works)


def _told(failures: Sequence[Failure[PathWork]], works: int) -> LmcTrackError:
    """One error for all paths that could not be measured."""
    reasons = [failure.error for failure in failures]
    if not all(isinstance(reason, LmcTrackError) for reason in reasons):
        raise next(r for r in reasons if not isinstance(r, LmcTrackError))
    lines = [
        f"  {failure.item.model_a.name} to {failure.item.model_b.name}: "
        f"{str(failure.error).partition(chr(10))[0]}"
        for failure in failures[:_MOST_TOLD]
    ]
    if len(failures) > _MOST_TOLD:
        lines.append(f"  … and {len(failures) - _MOST_TOLD} more")
    remedies = dict.fromkeys(r.remedy for r in reasons if isinstance(r, LmcTrackError))
    return WorkError(
        f"{len(failures)} of {works} paths could not be measured:\n" + "\n".join(lines),
        "\n".join(remedies) + "\nThe others are on record.",
    )


def _clear(record: StudyRecord) -> None:
    """Delete the points that do not count: half-logged ones, and those of a path that is gone."""
    index = record.index
    paths = {run.run_id for run in (*index.all("path"), *index.unfinished("path"))}
    orphans = [run for run in index.all("point") if run.tags[PARENT_TAG] not in paths]
    record.recorder.delete([*index.unfinished("point"), *orphans])
    for run in orphans:
        index.remove(run)
