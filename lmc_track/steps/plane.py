"""Measuring the plane through three models of a study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from lmc_track.errors import InputError, WorkError
from lmc_track.execution import Placement, carry_out
from lmc_track.geometry.planes import PlaneFrame, plane_grid
from lmc_track.models.checkpoints import weight_count
from lmc_track.progress import Progress
from lmc_track.spelling import suggestion
from lmc_track.steps.computing import Computing, computing_on
from lmc_track.steps.dry_run import reading_rate
from lmc_track.steps.interpolate import evaluate_models
from lmc_track.steps.model_checks import check_one_architecture
from lmc_track.steps.plane_records import (
    PAIRS,
    begin_plane,
    known_frame,
    read_routes,
    record_plane,
    tell_progress,
)
from lmc_track.steps.plane_works import (
    Framing,
    GridSettings,
    MeasuredRows,
    MeasuringRows,
    Numbers,
    PlaneWork,
    Row,
    plane_work,
)
from lmc_track.steps.planning import Plan
from lmc_track.steps.recording import find_recorded, plan_on_record, working_on
from lmc_track.study import Study
from lmc_track.tracking.left_out import described, left_out
from lmc_track.tracking.location import Location
from lmc_track.tracking.studies import RecordedModel, StudyRecord


@dataclass(frozen=True)
class PlaneOutcome:
    """A plane's run; ``points`` are those that were evaluated now. ``routes``: one row for each
    data set and pair of models."""

    run_id: str
    models: tuple[str, ...]
    points: int
    routes: pl.DataFrame


def plane_step(
    study: Study,
    names: Sequence[str],
    location: Location,
    progress: Progress,
    grid: GridSettings | None = None,
    datasets: Sequence[str] = (),
    placement: Placement | None = None,
) -> PlaneOutcome:
    """Measure the plane through the models ``names`` on ``datasets`` (all of the study's).

    What is on record is not measured again; the order of the names makes no difference.

    Raises:
        InputError: the study, a model or a data set is not there, a model is named twice, has no
            weights, or the three span no plane.
        WorkError: a model is not finetuned yet, or models differ in architecture.
    """
    check_models(study.name, names, location)
    with working_on(study, location, progress) as (whole, record):
        models = _models(record, names)
        plan = _narrowed(whole, models, datasets)
        with computing_on(whole, record, progress, placement or Placement()) as computing:
            evaluate_models(plan, record, progress, computing)
            work = plane_work(plan, record, models, grid or GridSettings())
            points = _measure(plan, record, work, progress, computing) if work.missing else 0
        run = record.index.find("plane", work.key)
        assert run is not None
        routes = read_routes(record, run)
    rows = [
        {
            "dataset": dataset,
            "model_a": work.names[a],
            "model_b": work.names[b],
            "route_loss": route["loss"] if route else None,
            "route_barrier": route["barrier"] if route else None,
            "route_length": route["length"] if route else None,
        }
        for dataset in plan.datasets
        for (a, b), pair in PAIRS.items()
        for route in [routes[dataset][pair]]
    ]
    return PlaneOutcome(run.run_id, work.names, points, pl.DataFrame(rows))


def planned_plane(
    study: Study,
    names: Sequence[str],
    location: Location,
    progress: Progress,
    grid: GridSettings | None = None,
    datasets: Sequence[str] = (),
    placement: Placement | None = None,
) -> pl.DataFrame:
    """What ``plane_step`` would do: points planned and to do, tokens read, seconds of the network.

    Raises:
        InputError, WorkError: as ``plane_step``; nothing is recorded.
    """
    check_models(study.name, names, location)
    whole = plan_on_record(study, location, progress)
    record = find_recorded(study.name, location)
    models = _models(record, names)
    plan = _narrowed(whole, models, datasets)
    work = plane_work(plan, record, models, grid or GridSettings())
    rows, n = MeasuredRows(plan, work), work.grid.points
    lacking = [rows.lacking(j, work.missing) for j in range(n)]
    tokens = n * sum(int(plan.encoded[name].lengths.sum()) for left in lacking for name in left)
    rate = reading_rate(whole, record, placement or Placement())
    progress.note(f"{rate:,.0f} tokens a second here; times are of the networks alone.")
    return pl.DataFrame(
        {
            "what": ["plane points"],
            "planned": [n * n],
            "to_do": [n * sum(bool(left) for left in lacking)],
            "tokens": [tokens],
            "seconds": [round(tokens / rate, 3)],
        }
    )


def check_models(study: str, names: Sequence[str], location: Location) -> None:
    """Raise what is wrong with naming ``names``, before anything is planned or recorded."""
    if len(names) != 3:
        named = f"{len(names)} were named" if len(names) != 1 else "one was named"
        raise InputError(
            f"a plane goes through three models; {named}",
            f"Name three of the study: lmc-track plane {study} A B C",
        )
    twice = [name for k, name in enumerate(names) if name in names[:k]]
    if twice:
        raise InputError(f"the model {twice[0]} is named twice", "Name three different models.")
    _models(find_recorded(study, location, kinds=["model"]), names)


def _models(record: StudyRecord, names: Sequence[str]) -> tuple[RecordedModel, ...]:
    """The models ``names``, in study order; all are on record with their weights."""
    known = {model.name: model for model in record.facts.models}
    out = {one.name: one for one in left_out(record) if one.kind == "model"}
    for name in names:
        if name not in known:
            raise InputError(
                f"the study {record.facts.name!r} has no model {name!r}",
                suggestion(name, known, listing="It has"),
            )
        if name in out:
            raise InputError(
                f"the model {name} is left out of the study ({described(out[name])})",
                f"See how it counts again: lmc-track drop {record.facts.name}",
            )
        model = known[name]
        if model.source == "imported":
            raise InputError(
                f"the model {name} was imported: only its results are known, not its weights",
                "Register the checkpoints themselves: lmc-track register STUDY SOURCE",
            )
        if record.index.find("model", model.key) is None:
            raise WorkError(
                f"the model {name} is not finetuned yet",
                f"Run first: lmc-track finetune {record.facts.name}",
            )
    return tuple(model for model in record.facts.models if model.name in names)


def _narrowed(plan: Plan, models: tuple[RecordedModel, ...], datasets: Sequence[str]) -> Plan:
    """``plan`` of these models and data sets alone."""
    for name in datasets:
        if name not in plan.datasets:
            raise InputError(
                f"--datasets: the study evaluates no set {name!r}",
                suggestion(name, plan.datasets, listing="It has"),
            )
    kept = [name for name in plan.datasets if not datasets or name in datasets]
    return replace(
        plan,
        datasets={name: plan.datasets[name] for name in kept},
        encoded={name: plan.encoded[name] for name in kept},
        facts=replace(plan.facts, models=models),
    )


def _measure(
    plan: Plan, record: StudyRecord, work: PlaneWork, progress: Progress, computing: Computing
) -> int:
    """Evaluate what is missing and put it on record; returns how many points that were."""
    check_one_architecture(zip(work.names, work.checkpoints, strict=True))
    frame = known_frame(work.run) or _frame(plan, work, computing)
    grid = plane_grid(frame, work.grid.points, work.grid.margin)
    rows, n = MeasuredRows(plan, work), work.grid.points
    todo = [
        Row(
            j, tuple(frame.shares(x, y) for x in grid.xs), work.checkpoints,
            rows.lacking(j, work.missing),
        )
        for j, y in enumerate(grid.ys)
    ]  # fmt: skip
    todo = [row for row in todo if row.datasets]
    examples = n * sum(len(plan.encoded[name]) for row in todo for name in row.datasets)
    run = begin_plane(plan, record, work, frame)
    done = n - len(todo)

    def keep(row: Row, found: dict[str, list[Numbers]]) -> None:
        nonlocal done
        rows.keep(row.number, found)
        done += 1
        tell_progress(record, run, done, work)

    with progress.track("Measuring the plane", n * n, "points", n * done) as bar:
        carry_out(
            todo,
            MeasuringRows(plan.encoded, computing.settings, plan.origin, plan.task.metric),
            keep,
            bar.advance,
            pool=computing.pool(weight_count(plan.base), len(todo), examples),
        )
    record_plane(plan, record, work, frame, run, rows)
    return n * len(todo)


def _frame(plan: Plan, work: PlaneWork, computing: Computing) -> PlaneFrame:
    """Computed where the models are: on the workers of a cluster, where there is one."""
    found: list[PlaneFrame] = []
    carry_out(
        [work],
        Framing(plan.encoded, computing.settings, plan.origin),
        lambda _, frame: found.append(frame),
        lambda _: None,
        pool=computing.cluster,
    )
    return found[0]
