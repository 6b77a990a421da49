"""What the paths of a study still lack: points, evaluations, curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from lmc_track.errors import WorkError
from lmc_track.geometry.grid import interior
from lmc_track.geometry.modules import ALL
from lmc_track.geometry.refinement import next_alpha
from lmc_track.geometry.weights_cache import Checkpoint
from lmc_track.steps.model_folders import weights_folder
from lmc_track.steps.pairs import planned_pairs
from lmc_track.steps.planning import Plan
from lmc_track.tracking.keys import digest, path_key, point_key
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.studies import RecordedModel, StudyRecord
from lmc_track.tracking.tags import GRID_TAG, slot


@dataclass(frozen=True)
class Refinement:
    """An adaptive grid: ``known`` maps alpha to the validation loss (nats) that is on record.

    At most ``limit`` points are added, each evaluated on ``datasets``.
    """

    known: dict[float, float]
    limit: int
    tolerance: float
    datasets: tuple[str, ...]

    def next(self, found: Mapping[float, float], added: int) -> float | None:
        """Where to look next, with the losses ``found`` since and ``added`` points among them."""
        if added >= self.limit:
            return None
        losses = {**self.known, **found}
        alphas = sorted(losses)
        if not all(isfinite(loss) for loss in losses.values()):
            return None
        return next_alpha(alphas, [losses[alpha] for alpha in alphas], self.tolerance)


@dataclass(frozen=True)
class PathWork:
    """What one path still lacks: ``needed`` maps alpha to the data sets missing there.

    ``refinement`` is how the path is looked at further once its common grid is known.
    ``distances`` says that how far apart its ends are is not on record yet.
    """

    model_a: RecordedModel
    model_b: RecordedModel
    run_a: RunEntry
    run_b: RunEntry
    checkpoint_a: Checkpoint
    checkpoint_b: Checkpoint
    modules: str
    key: str
    needed: dict[float, list[str]]
    refinement: Refinement | None
    run: RunEntry | None

    @property
    def most_points(self) -> int:
        """How many points are evaluated at most."""
        return len(self.needed) + (self.refinement.limit if self.refinement else 0)

    @property
    def distances(self) -> bool:
        return self.run is None or "l2_distance" not in self.run.metrics


def path_works(
    plan: Plan, record: StudyRecord, *, new_points: bool, modules: Sequence[str]
) -> Iterator[PathWork]:
    """The paths along which ``modules`` move that lack something.

    They come in study order, so that neighbours share a model. Without ``new_points`` only what
    is on record is looked at.
    """
    unfinished = {run.key: run for run in record.index.unfinished("path")}
    for first, second in planned_pairs(plan.study, plan.facts.models):
        for kind in modules:
            # A module that moves from a to b and one that moves from b to a are two networks.
            orders = ((first, second),) if kind == ALL else ((first, second), (second, first))
            for a, b in orders:
                model_a, model_b = plan.facts.models[a], plan.facts.models[b]
                key = path_key(model_a.key, model_b.key, plan.precision, kind)
                run = record.index.find("path", key)
                if run is None and new_points:
                    run = unfinished.get(key)
                if run is None and not new_points:
                    continue
                work = _work(plan, record, model_a, model_b, kind, key, run, new_points)
                if work is not None:
                    yield work


def recorded_modules(record: StudyRecord) -> list[str]:
    """What moves along the paths on record, the whole network first."""
    found = {run.params["modules"] for run in record.index.all("path")}
    return [ALL, *sorted(found - {ALL})]


def refined_points(record: StudyRecord, run: RunEntry | None) -> dict[float, RunEntry]:
    """The points of a path that the common grid did not have when they were added, by alpha."""
    if run is None:
        return {}
    return {
        float(point.params["alpha"]): point
        for point in record.index.children(run)
        if point.tags[GRID_TAG] == "refined"
    }


def inner_alphas(plan: Plan, modules: str) -> tuple[float, ...]:
    """The alphas of the common grid at which a path has points.

    Where the whole network moves, both ends are models; where a part of it does, the far end is
    a network of its own.
    """
    alphas = plan.facts.alphas
    return interior(alphas) if modules == ALL else alphas[1:]


def _work(
    plan: Plan,
    record: StudyRecord,
    model_a: RecordedModel,
    model_b: RecordedModel,
    modules: str,
    key: str,
    run: RunEntry | None,
    new_points: bool,
) -> PathWork | None:
    index = record.index
    run_a, run_b = index.find("model", model_a.key), index.find("model", model_b.key)
    if run_a is None or run_b is None:
        return None
    if run is not None:
        _check_weights(run, run_a, run_b)
    needed: dict[float, list[str]] = {}
    refined = refined_points(record, run)
    for alpha in sorted({*inner_alphas(plan, modules), *refined}):
        point = index.find("point", point_key(key, alpha))
        if point is None:
            if new_points:
                needed[alpha] = list(plan.datasets)
        elif missing := missing_evaluations(plan, point, plan.precision):
            needed[alpha] = missing
    refinement = None
    if new_points and modules == ALL and plan.study.interpolate.refine > len(refined):
        refinement = _refinement(plan, record, run_a, run_b, key, refined)
        if not needed and refinement.next({}, 0) is None:
            refinement = None
    curves_missing = run is None or not run.finished or _stale_curves(plan, record, run, modules)
    if not needed and not curves_missing and refinement is None:
        return None
    ends = checkpoint(record, run_a), checkpoint(record, run_b)
    return PathWork(model_a, model_b, run_a, run_b, *ends, modules, key, needed, refinement, run)


def _refinement(
    plan: Plan,
    record: StudyRecord,
    run_a: RunEntry,
    run_b: RunEntry,
    key: str,
    refined: Mapping[float, RunEntry],
) -> Refinement:
    end = f"loss/{slot('validation', plan.precision, record.facts.precision)}"
    known = {0.0: run_a.metrics[end], 1.0: run_b.metrics[end]}
    for alpha in sorted({*interior(plan.facts.alphas), *refined}):
        point = record.index.find("point", point_key(key, alpha))
        if point is not None and "loss/validation" in point.metrics:
            known[alpha] = point.metrics["loss/validation"]
    section = plan.study.interpolate
    limit = section.refine - len(refined)
    return Refinement(known, limit, section.refine_tolerance, tuple(plan.datasets))


def model_folder(record: StudyRecord, run: RunEntry) -> Path:
    """The folder with the weights of a recorded model."""
    return weights_folder(record.artifacts, record.recorder.store.location, run)


def checkpoint(record: StudyRecord, run: RunEntry) -> Checkpoint:
    """The weights of a recorded model, which must be those that were recorded."""
    return Checkpoint(model_folder(record, run), run.params["weights_digest"])


def missing_evaluations(plan: Plan, run: RunEntry, own_precision: str) -> list[str]:
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


def curve_state(
    plan: Plan, record: StudyRecord, run: RunEntry, modules: str, name: str
) -> tuple[str, list[float]]:
    """A digest of what a path's curve on data set ``name`` shows, and the alphas of its points."""
    data = plan.encoded[name].digest
    alphas = [
        alpha
        for alpha in sorted({*inner_alphas(plan, modules), *refined_points(record, run)})
        if (point := record.index.find("point", point_key(run.key, alpha))) is not None
        and point.evaluation(name) == data
    ]
    return digest([data, [alpha.hex() for alpha in alphas]]), alphas


def _stale_curves(plan: Plan, record: StudyRecord, run: RunEntry, modules: str) -> bool:
    return any(
        run.evaluation(name) != curve_state(plan, record, run, modules, name)[0]
        for name in plan.datasets
    )
