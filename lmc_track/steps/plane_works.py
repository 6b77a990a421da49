"""What a plane still lacks, and how its rows are measured: nothing here writes to the record.

Rows that are measured wait in the home's cache until the plane is whole, so that an interrupted
one goes on where it was.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lmc_track.errors import InputError, WorkError
from lmc_track.execution import Tick
from lmc_track.geometry.encoding import EncodedDataset
from lmc_track.geometry.engine import EngineSettings, shared_engine
from lmc_track.geometry.planes import DegeneratePlaneError, PlaneFrame, Shares
from lmc_track.geometry.weights_cache import Checkpoint
from lmc_track.steps.path_works import checkpoint, missing_evaluations
from lmc_track.steps.planning import Plan
from lmc_track.tracking.keys import digest, plane_key
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.studies import RecordedModel, StudyRecord

Numbers = dict[str, float]
"""A point's metrics on one data set, by name."""


@dataclass(frozen=True)
class GridSettings:
    """``points`` a side; ``margin`` beyond the models, in longer sides of the box they fill."""

    points: int = 21
    margin: float = 0.2


@dataclass(frozen=True)
class PlaneWork:
    """A plane through three models in study order; ``missing`` are data sets it has no values
    on. ``run`` is the plane's own, finished or not; None where it was never begun."""

    models: tuple[RecordedModel, ...]
    runs: tuple[RunEntry, ...]
    checkpoints: tuple[Checkpoint, ...]
    grid: GridSettings
    key: str
    run: RunEntry | None
    missing: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(model.name for model in self.models)

    @property
    def finished(self) -> bool:
        return self.run is not None and self.run.finished


@dataclass(frozen=True)
class Row:
    """Points of one row of the grid, by their shares, to be evaluated on ``datasets``."""

    number: int
    points: tuple[Shares, ...]
    models: tuple[Checkpoint, ...]
    datasets: tuple[str, ...]


@dataclass(frozen=True)
class Framing:
    """Finds where three models are in their plane."""

    encoded: dict[str, EncodedDataset]
    settings: EngineSettings
    base: Path | None

    def __call__(self, work: PlaneWork, tick: Tick) -> PlaneFrame:
        engine = shared_engine(self.encoded, self.settings, self.base)
        try:
            return engine.plane_frame(work.checkpoints)
        except DegeneratePlaneError as error:
            raise _no_plane(work.names, error) from None


@dataclass(frozen=True)
class MeasuringRows:
    """Measures rows with one engine, as long as others are not asked for."""

    encoded: dict[str, EncodedDataset]
    settings: EngineSettings
    base: Path | None
    task_metric: str

    def __call__(self, row: Row, tick: Tick) -> dict[str, list[Numbers]]:
        engine = shared_engine(self.encoded, self.settings, self.base)
        found: dict[str, list[Numbers]] = {name: [] for name in row.datasets}
        for predictions in engine.plane_predictions(row.models, row.points, row.datasets):
            for name, one in predictions.items():
                found[name].append(one.metrics(self.task_metric))
            tick()
        return found


def plane_work(
    plan: Plan, record: StudyRecord, models: Sequence[RecordedModel], grid: GridSettings
) -> PlaneWork:
    """What the plane through ``models``, which have runs, lacks of the data sets of ``plan``.

    Raises:
        WorkError: it was measured with other weights than the models have now.
    """
    runs = tuple(
        run for model in models if (run := record.index.find("model", model.key)) is not None
    )
    key = plane_key([model.key for model in models], plan.precision, grid.points, grid.margin)
    run = record.index.find("plane", key)
    if run is None:
        unfinished = record.index.unfinished("plane")
        begun = [one for one in unfinished if one.key == key and _is_of(one, runs)]
        run = begun[0] if begun else None
    else:
        _check_weights(run, runs)
    missing = plan.encoded if run is None else missing_evaluations(plan, run, plan.precision)
    checkpoints = tuple(checkpoint(record, one) for one in runs)
    return PlaneWork(tuple(models), runs, checkpoints, grid, key, run, tuple(missing))


def _is_of(begun: RunEntry, models: Sequence[RunEntry]) -> bool:
    """Whether a plane was begun with these runs of its models, and not with deleted ones."""
    told = [begun.params.get(f"model_{side}_run") for side in "abc"]
    return all(one in (None, run.run_id) for one, run in zip(told, models, strict=True))


def _check_weights(run: RunEntry, models: Sequence[RunEntry]) -> None:
    for side, model in zip("abc", models, strict=True):
        if run.params[f"weights_digest_{side}"] != model.params["weights_digest"]:
            raise WorkError(
                f"the plane {run.name} was measured with other weights of {model.name} than the "
                "study now holds",
                f"Delete its run {run.run_id} in MLflow and measure the plane again.",
            )


def _no_plane(names: Sequence[str], error: DegeneratePlaneError) -> InputError:
    remedy = "Name three models that differ."
    if error.same is not None:
        a, b = (names[k] for k in error.same)
        return InputError(f"{a} and {b} have the same weights: no plane is theirs alone", remedy)
    return InputError(
        f"the weights of {names[0]}, {names[1]} and {names[2]} lie on one line: many planes go "
        "through it",
        remedy,
    )


class MeasuredRows:
    """Rows of one plane that were measured, kept in a folder until all are.

    A row is of the weights, the grid and the data it was measured with, or it is not found.
    """

    def __init__(self, plan: Plan, work: PlaneWork) -> None:
        weights = [run.params["weights_digest"] for run in work.runs]
        self._folder = plan.location.cache / "planes" / digest([work.key, weights])[:32]
        self._encodings = {name: data.digest for name, data in plan.encoded.items()}

    def lacking(self, row: int, datasets: Sequence[str]) -> tuple[str, ...]:
        """Which of ``datasets`` the row is not measured on yet."""
        return tuple(name for name in datasets if not self._file(row, name).exists())

    def keep(self, row: int, found: dict[str, list[Numbers]]) -> None:
        """Take up what was measured, each data set whole or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for name, points in found.items():
            file = self._file(row, name)
            part = file.with_suffix(f".{os.getpid()}.part")
            part.write_text(json.dumps(points), encoding="utf-8")
            part.replace(file)

    def read(self, row: int, dataset: str) -> list[Numbers]:
        found: list[Numbers] = json.loads(self._file(row, dataset).read_text(encoding="utf-8"))
        return found

    def forget(self) -> None:
        """The plane is on record: its rows need not wait any longer."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _file(self, row: int, dataset: str) -> Path:
        return self._folder / f"{row}-{self._encodings[dataset][:32]}.json"
