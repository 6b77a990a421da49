"""How far the precision of evaluation moves losses and gaps, on a sample of a study's paths."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import polars as pl

from lmc_track.errors import WorkError
from lmc_track.execution import Placement, Tick, carry_out
from lmc_track.geometry.curves import convexity_gap
from lmc_track.geometry.encoding import EncodedDataset
from lmc_track.geometry.engine import Engine, EngineSettings
from lmc_track.geometry.evaluation import Predictions
from lmc_track.geometry.weights_cache import Checkpoint
from lmc_track.progress import Progress
from lmc_track.steps.computing import computing_on
from lmc_track.steps.left_out import counting_plan
from lmc_track.steps.pairs import planned_pairs
from lmc_track.steps.path_works import checkpoint
from lmc_track.steps.planning import Plan
from lmc_track.steps.recording import working_on
from lmc_track.study import Study
from lmc_track.tracking.location import Location
from lmc_track.tracking.studies import StudyRecord
from lmc_track.tracking.tags import PRECISION_TAG

PRECISION_FILE = "precision_check.json"
# Paths that are looked at; each has all points of the common grid and both its ends.
_PATHS = 3


@dataclass(frozen=True)
class PrecisionDifference:
    """What bf16 changes on one data set: the greatest absolute differences from fp32.

    Losses and gaps are in nats, accuracies are shares. ``example_loss`` is the greatest
    difference of a single example's loss, ``loss`` that of a point's mean loss, ``gap`` that of
    a path's convexity gap; ``fp32_gap`` is the greatest gap itself.
    """

    dataset: str
    n_paths: int
    n_points: int
    loss: float
    example_loss: float
    accuracy: float
    gap: float
    fp32_gap: float


@dataclass(frozen=True)
class _Pair:
    model_a: Checkpoint
    model_b: Checkpoint


@dataclass(frozen=True)
class _InBoth:
    """One path in both precisions; the points of a curve are in the order of the grid."""

    encoded: dict[str, EncodedDataset]
    settings: EngineSettings
    alphas: tuple[float, ...]

    def __call__(self, pair: _Pair, tick: Tick) -> tuple[list[dict[str, Predictions]], ...]:
        curves = []
        for precision in ("fp32", "bf16"):
            engine = Engine(self.encoded, replace(self.settings, precision=precision))
            needed = dict.fromkeys(self.alphas, self.encoded)
            curve = []
            for _, found in engine.path_predictions(pair.model_a, pair.model_b, needed):
                curve.append(found)
                tick()
            curves.append(curve)
        return tuple(curves)


def precision_check_step(
    study: Study, location: Location, progress: Progress, placement: Placement
) -> pl.DataFrame:
    """Measure and record what bf16 changes; one row for each data set.

    Raises:
        WorkError: fewer than two models are finetuned.
    """
    with (
        working_on(study, location, progress) as (plan, record),
        computing_on(plan, record, progress, placement) as computing,
    ):
        plan = counting_plan(plan, record)
        pairs = _sampled(plan, record)
        results: list[tuple[list[dict[str, Predictions]], ...]] = []
        title = f"Comparing {len(pairs)} path{'s' if len(pairs) > 1 else ''}"
        with progress.track(title, 2 * len(pairs) * len(plan.facts.alphas), "points") as bar:
            carry_out(
                pairs,
                _InBoth(plan.encoded, computing.settings, plan.facts.alphas),
                lambda _, found: results.append(found),
                bar.advance,
                pool=computing.cluster,
            )
        found = [_difference(name, plan.facts.alphas, results) for name in plan.datasets]
        _record(record, found)
    return pl.DataFrame([asdict(one) for one in found])


def _sampled(plan: Plan, record: StudyRecord) -> list[_Pair]:
    """Pairs of finished models, chosen by a hash of their keys."""
    models = plan.facts.models
    runs = [record.index.find("model", model.key) for model in models]
    there = [
        (a, b)
        for a, b in planned_pairs(plan.study, models)
        if runs[a] is not None and runs[b] is not None
    ]
    if not there:
        raise WorkError(
            "precisions are compared on paths, and no two models are finetuned yet",
            f"Run first: lmc-track finetune {plan.study.name}",
        )

    def drawn(pair: tuple[int, int]) -> str:
        text = f"precision {models[pair[0]].key} {models[pair[1]].key}"
        return hashlib.sha256(text.encode()).hexdigest()

    chosen = sorted(sorted(there, key=drawn)[:_PATHS])
    ends = {k: run for k, run in enumerate(runs) if run is not None}
    return [_Pair(checkpoint(record, ends[a]), checkpoint(record, ends[b])) for a, b in chosen]


def _difference(
    name: str,
    alphas: Sequence[float],
    results: Sequence[tuple[list[dict[str, Predictions]], ...]],
) -> PrecisionDifference:
    full = [[point[name] for point in curves[0]] for curves in results]
    half = [[point[name] for point in curves[1]] for curves in results]
    points = [pair for a, b in zip(full, half, strict=True) for pair in zip(a, b, strict=True)]
    gaps = [
        [convexity_gap(alphas, [point.mean_loss for point in curve]) for curve in curves]
        for curves in (full, half)
    ]
    return PrecisionDifference(
        dataset=name,
        n_paths=len(results),
        n_points=len(points),
        loss=max(abs(a.mean_loss - b.mean_loss) for a, b in points),
        example_loss=max(float(np.abs(a.loss - b.loss).max()) for a, b in points),
        accuracy=max(abs(_accuracy(a) - _accuracy(b)) for a, b in points),
        gap=max(abs(a - b) for a, b in zip(*gaps, strict=True)),
        fp32_gap=max(gaps[0]),
    )


def _accuracy(predictions: Predictions) -> float:
    return predictions.metrics("accuracy")["accuracy"]


def _record(record: StudyRecord, found: Sequence[PrecisionDifference]) -> None:
    run = record.run
    content = [asdict(one) for one in found]
    record.artifacts.put_json(run.run_id, run.artifact_uri, content, PRECISION_FILE)
    tags = record.recorder.raised_revision(run) | {PRECISION_TAG: PRECISION_FILE}
    record.recorder.log(run, tags=tags)
