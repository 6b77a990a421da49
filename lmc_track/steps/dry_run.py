"""What a study would do: counted, and timed by a few batches on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from lmc_track.analysis.verdict.published_power import power_clause
from lmc_track.execution import Placement, worth_sharing
from lmc_track.geometry.batching import Batching
from lmc_track.geometry.calibration import measured_rate
from lmc_track.geometry.encoding import encode
from lmc_track.geometry.modules import ALL
from lmc_track.models.base import longest_input, read_base
from lmc_track.models.checkpoints import stored_tensors, weight_count
from lmc_track.models.recipe import total_steps
from lmc_track.progress import Progress
from lmc_track.steps.computing import known_batching, typical_tokens
from lmc_track.steps.left_out import counting_plan, note_failed
from lmc_track.steps.pairs import planned_pairs
from lmc_track.steps.path_works import inner_alphas
from lmc_track.steps.planning import Plan, planned_seeds
from lmc_track.steps.recording import plan_on_record
from lmc_track.study import Study
from lmc_track.tasks.sampling import sample
from lmc_track.tracking.keys import path_key, point_key
from lmc_track.tracking.location import Location
from lmc_track.tracking.store import Store
from lmc_track.tracking.studies import StudyRecord, find_study

# An example learned from costs a pass forward and about two backward.
_PASSES = 3
# Training sentences that are tokenized to know how long they are.
_SAMPLED = 500
# Bytes of one prediction without its logits: two numbers, a loss and its data set, compressed.
_PREDICTION = 12


@dataclass(frozen=True)
class _Row:
    what: str
    planned: int
    to_do: int
    tokens: int = 0
    bytes: int = 0


def planned_work(
    study: Study,
    location: Location,
    progress: Progress,
    placement: Placement,
    modules: Sequence[str] = (ALL,),
) -> pl.DataFrame:
    """One row for each kind of work: planned, to do, and what that takes.

    ``tokens`` are read (learned from, for models to be finetuned), ``megabytes`` (10^6) are
    written, ``seconds`` are those of the networks alone, from the rate that a full batch of
    typical length is read at here; training is taken for three times as long as reading.
    Points that refinement may add are not counted. What so many models could show is noted.

    Raises:
        InputError: as ``plan_on_record``; nothing is recorded.
    """
    plan = plan_on_record(study, location, progress)
    record = find_study(Store(location), study.name)
    if record is not None:
        note_failed(record, progress)
        plan = counting_plan(plan, record)
    rate = reading_rate(plan, record, placement)
    rows = list(_rows(plan, record, modules))
    progress.note(f"{rate:,.0f} tokens a second here; times are of the networks alone.")
    ends = sum(model.checkpoint_of is None for model in plan.facts.models)
    progress.note(f"{power_clause(ends, 'show').capitalize()} (see lmc-track plan).")
    return pl.DataFrame(
        {
            "what": [row.what for row in rows],
            "planned": [row.planned for row in rows],
            "to_do": [row.to_do for row in rows],
            "tokens": [row.tokens for row in rows],
            "megabytes": [round(row.bytes / 1e6, 1) for row in rows],
            "seconds": [
                round(row.tokens * (_PASSES if row.what == "models" else 1) / rate, 3)
                for row in rows
            ],
        }
    )


@dataclass(frozen=True)
class _OfOne:
    """``read``: tokens of one evaluation of one network, ``predictions``: bytes that it writes;
    ``checkpoint``: bytes of one network's weights."""

    read: int
    predictions: int
    checkpoint: int


def _of_one(plan: Plan) -> _OfOne:
    examples = sum(len(data) for data in plan.encoded.values())
    return _OfOne(
        read=sum(int(data.lengths.sum()) for data in plan.encoded.values()),
        predictions=examples * (_PREDICTION + 4 * len(plan.task.label_names)),
        checkpoint=sum(tensor.end - tensor.begin for tensor in stored_tensors(plan.base)),
    )


def _rows(plan: Plan, record: StudyRecord | None, modules: Sequence[str]) -> Iterator[_Row]:
    models = plan.facts.models
    absent = [m for m in models if record is None or record.index.find("model", m.key) is None]
    one = _of_one(plan)
    each, size = one.read, one.predictions
    # A checkpoint on the way costs no training of its own.
    trainings = sum(model.checkpoint_of is None for model in absent)
    learned = trainings * _learned_from(plan) if trainings else 0
    yield _Row("models", len(models), len(absent), learned, one.checkpoint * len(absent))
    yield _Row(
        "model evaluations", len(models), len(absent), each * len(absent), size * len(absent)
    )
    paths = paths_to_do = points = points_to_do = 0
    for first, second in planned_pairs(plan.study, models):
        for kind in modules:
            for a, b in ((first, second),) if kind == ALL else ((first, second), (second, first)):
                key = path_key(models[a].key, models[b].key, plan.precision, kind)
                lacking = [
                    alpha
                    for alpha in inner_alphas(plan, kind)
                    if record is None or record.index.find("point", point_key(key, alpha)) is None
                ]
                paths, paths_to_do = paths + 1, paths_to_do + bool(lacking)
                points += len(inner_alphas(plan, kind))
                points_to_do += len(lacking)
    yield _Row("paths", paths, paths_to_do)
    yield _Row("points", points, points_to_do, each * points_to_do, size * points_to_do)


@dataclass(frozen=True)
class StudyCosts:
    """What each finetuned model of a study and each path takes, checkpoints on the way included.

    Seconds are those of the networks alone, bytes those of weights and predictions.
    """

    seconds_of_model: float
    seconds_of_path: float
    bytes_of_model: int
    bytes_of_path: int

    def seconds(self, n_models: int) -> float:
        """Of a study of ``n_models`` with a path between every two, from its beginning."""
        paths = n_models * (n_models - 1) / 2
        return n_models * self.seconds_of_model + paths * self.seconds_of_path

    def bytes(self, n_models: int) -> int:
        paths = n_models * (n_models - 1) // 2
        return n_models * self.bytes_of_model + paths * self.bytes_of_path


def study_costs(
    study: Study, location: Location, progress: Progress, placement: Placement
) -> StudyCosts:
    """What ``planned_work`` counts, for one model and one path of ``study``.

    Raises:
        InputError: as ``plan_on_record``; nothing is recorded.
    """
    plan = plan_on_record(study, location, progress)
    rate = reading_rate(plan, find_study(Store(location), study.name), placement)
    one, networks = _of_one(plan), 1 + len(study.finetune.track_steps)
    learned = _learned_from(plan) if planned_seeds(study) else 0
    # Checkpoints are joined at equal steps, or every one with every other.
    lines = networks**2 if study.interpolate.across_steps else networks
    points = lines * len(inner_alphas(plan, ALL))
    return StudyCosts(
        seconds_of_model=(_PASSES * learned + networks * one.read) / rate,
        seconds_of_path=points * one.read / rate,
        bytes_of_model=networks * (one.checkpoint + one.predictions),
        bytes_of_path=points * one.predictions,
    )


def _learned_from(plan: Plan) -> int:
    """Tokens that one model is finetuned on, all passes together."""
    train = plan.task.train()
    config, tokenizer = read_base(plan.base)
    some = encode(sample(train, _SAMPLED, "random"), tokenizer, longest_input(config, tokenizer))
    section = plan.study.finetune
    sentences = total_steps(len(train), section) * section.batch_size
    return round(float(np.mean(some.lengths)) * sentences)


def reading_rate(plan: Plan, record: StudyRecord | None, placement: Placement) -> float:
    """Tokens a second that all processes together read."""
    batching = None if record is None else known_batching(plan, record.run.tags, placement)
    rate = measured_rate(
        plan.base,
        plan.precision,
        placement.device,
        placement.threads_each,
        batching or Batching(),
        typical_tokens(plan),
    )
    if placement.workers is not None:
        return rate * placement.workers
    # As many processes as a small model is worth where there is much to do.
    return rate * worth_sharing(weight_count(plan.base), len(plan.facts.models), 10**9)
