"""The first step: finetune the base model once for every planned model that is not there yet."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lmc_track.execution import Tick, carry_out
from lmc_track.geometry.encoding import EncodedDataset
from lmc_track.geometry.engine import EngineSettings, shared_engine
from lmc_track.geometry.evaluation import Predictions
from lmc_track.geometry.weights_cache import Checkpoint
from lmc_track.models.callbacks import DivergedError
from lmc_track.models.checkpoints import weight_count, weights_digest
from lmc_track.models.recipe import total_steps
from lmc_track.progress import Progress
from lmc_track.steps.computing import Computing
from lmc_track.steps.notes import model_note
from lmc_track.steps.planning import Plan
from lmc_track.steps.recording import record_predictions
from lmc_track.study import ModelSeeds
from lmc_track.study.sections import FinetuneSection
from lmc_track.tasks.dataset import Dataset
from lmc_track.tracking.left_out import failure_of
from lmc_track.tracking.links import EvaluatedOn
from lmc_track.tracking.recorder import MetricValue
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.studies import RecordedModel, StudyRecord
from lmc_track.tracking.tags import FAILED_TAG

if TYPE_CHECKING:
    from lmc_track.models.finetuning import TrainingLog

# An example learned from costs a pass forward and about two backward.
_PASSES = 3


@dataclass(frozen=True)
class _Training:
    """One training, and the models of it that are missing: its end, checkpoints on the way."""

    models: tuple[RecordedModel, ...]

    @property
    def first(self) -> RecordedModel:
        return self.models[0]

    @property
    def seeds(self) -> ModelSeeds:
        return _seeds(self.first)

    @property
    def steps(self) -> tuple[int | None, ...]:
        return tuple(model.step for model in self.models)

    def last_step(self, total: int) -> int:
        """The step after which nothing more is wanted, of a training of ``total`` steps."""
        return max(total if step is None else step for step in self.steps)


@dataclass(frozen=True)
class _Finetuned:
    """A classifier in ``folder``, and its answers on every data set."""

    folder: Path
    weights_digest: str
    predictions: dict[str, Predictions]


@dataclass(frozen=True)
class _Trained:
    """How a training went, and its models by step; none where it diverged, which ``how`` tells."""

    log: TrainingLog | None
    models: dict[int | None, _Finetuned]
    how: str = ""


@dataclass(frozen=True)
class _Finetuning:
    """Does one training in ``workplace``; writes nowhere else, so any process can do it.

    ``train`` holds the training sets by the key of a training's first model.
    """

    base: Path
    label_names: Sequence[str]
    train: Mapping[str, Dataset]
    section: FinetuneSection
    encoded: dict[str, EncodedDataset]
    settings: EngineSettings
    workplace: Path

    def __call__(self, training: _Training, tick: Tick) -> _Trained:
        from lmc_track.models.finetuning import checkpoint, finetune

        # A process that died of this training may have left its folder.
        out = Path(tempfile.mkdtemp(dir=self.workplace)) / "model"
        try:
            log = finetune(
                self.base,
                self.label_names,
                self.train[training.first.key],
                training.seeds,
                self.section,
                out,
                tick,
                training.steps,
            )
        except DivergedError as error:
            shutil.rmtree(out.parent)
            where = error.message.partition(": ")[2]
            return _Trained(None, {}, f"its training diverged, as {where}")
        engine = shared_engine(self.encoded, self.settings, self.base)
        models = {}
        for step in training.steps:
            folder = out if training.steps == (None,) else checkpoint(out, step)
            digest = weights_digest(folder)
            predictions = engine.model_predictions(Checkpoint(folder, digest), self.encoded)
            models[step] = _Finetuned(folder, digest, predictions)
        return _Trained(log, models)


@dataclass(frozen=True)
class _Records:
    """Writes finetuned models to the record: a run begins when its training does.

    Nothing of a training is recorded before the whole of it is done, so an interruption leaves no
    model of half a training.
    """

    plan: Plan
    record: StudyRecord
    progress: Progress
    runs: dict[str, RunEntry] = field(default_factory=dict)

    def begin(self, training: _Training) -> None:
        for model in training.models:
            after = "" if model.step is None else f", after {model.step:,} steps"
            self.runs[model.key] = self.record.recorder.start(
                "model",
                model.key,
                model.name,
                model_note(
                    f"{self.plan.facts.base} finetuned on {self.plan.task.name}: "
                    f"head seed {model.head_seed}, data seed {model.data_seed}{after}."
                ),
            )

    def keep(self, training: _Training, trained: _Trained) -> None:
        for model in training.models:
            if trained.log is None:
                self._keep_failed(model, trained.how)
            else:
                self._keep(model, trained.models[model.step], trained.log)
            run = self.runs[model.key]
            if (how := failure_of(run)) is not None:
                self.progress.note(f"{model.name} failed: {how}.")

    def _keep_failed(self, model: RecordedModel, how: str) -> None:
        """Record a model whose training diverged: it has no weights and is not trained again."""
        recorder, run = self.record.recorder, self.runs[model.key]
        tags = {FAILED_TAG: how}
        recorder.log(run, params=_params(self.plan, model, None), tags=tags)
        recorder.log_inputs(run, [_trained_on(self.plan, model)])
        recorder.finish(run)
        self.record.index.add(run)

    def _keep(self, model: RecordedModel, found: _Finetuned, log: TrainingLog) -> None:
        plan, record, run = self.plan, self.record, self.runs[model.key]
        recorder = record.recorder
        recorder.artifacts.put(run.run_id, run.artifact_uri, found.folder, "model")
        shutil.rmtree(found.folder)
        params = _params(plan, model, found.weights_digest)
        recorder.log(run, params=params, metrics=_training_curve(log, model.step))
        recorder.log_model(run, f"{record.facts.name}-{model.name}", params)
        recorder.log_inputs(run, [_trained_on(plan, model)])
        record_predictions(plan, record, run, found.predictions, plan.precision)
        recorder.finish(run)
        record.index.add(run)

    def failed(self, training: _Training) -> None:
        for model in training.models:
            _mark_failed(self.record, self.runs[model.key])


def finetune_models(
    plan: Plan, record: StudyRecord, progress: Progress, computing: Computing
) -> int:
    """Finetune, evaluate and record every planned model without a finished run.

    Returns how many were finetuned. Runs that an interruption left unfinished are deleted
    first; their models are finetuned again.
    """
    record.recorder.delete(record.index.unfinished("model"))
    todo = [
        model
        for model in plan.facts.models
        if model.source == "finetuned" and record.index.find("model", model.key) is None
    ]
    if not todo:
        return 0
    trainings = _trainings(todo)
    train = {one.first.key: plan.task.train_for(one.seeds) for one in trainings}
    steps = sum(
        one.last_step(total_steps(len(train[one.first.key]), plan.study.finetune))
        for one in trainings
    )
    examples = steps * plan.study.finetune.batch_size * _PASSES
    title = f"Finetuning {len(todo)} models" if len(todo) > 1 else f"Finetuning {todo[0].name}"
    records, done = _Records(plan, record, progress), 0
    with (
        tempfile.TemporaryDirectory(
            prefix="finetuning-", dir=plan.location.cache, ignore_cleanup_errors=True
        ) as workplace,
        progress.track(title, steps, "steps") as work,
    ):

        def keep(training: _Training, trained: _Trained) -> None:
            nonlocal done
            records.keep(training, trained)
            for model in training.models:
                done += 1
                work.finished(f"{model.name} is finetuned, {done:,} of {len(todo):,} models")

        carry_out(
            trainings,
            _Finetuning(
                plan.base,
                plan.task.label_names,
                train,
                plan.study.finetune,
                plan.encoded,
                computing.settings,
                Path(workplace),
            ),
            keep,
            work.advance,
            pool=computing.pool(weight_count(plan.base), len(trainings), examples),
            begin=records.begin,
            failed=records.failed,
        )
    return len(todo)


def _trainings(models: Sequence[RecordedModel]) -> list[_Training]:
    """The trainings that make ``models``, in the order of each one's first model."""
    together: dict[ModelSeeds, list[RecordedModel]] = {}
    for model in models:
        together.setdefault(_seeds(model), []).append(model)
    return [_Training(tuple(found)) for found in together.values()]


def _seeds(model: RecordedModel) -> ModelSeeds:
    assert model.head_seed is not None
    assert model.data_seed is not None
    return ModelSeeds(model.head_seed, model.data_seed)


def _mark_failed(record: StudyRecord, run: RunEntry) -> None:
    try:
        record.recorder.finish(run, "FAILED")
    except Exception:  # the store itself may be what failed; the first error is the one to tell
        return


def _params(plan: Plan, model: RecordedModel, digest: str | None) -> dict[str, object]:
    section, train = plan.study.finetune, plan.task.train_for(_seeds(model))
    return {
        "name": model.name,
        "position": model.position,
        "source": "finetuned",
        "head_seed": model.head_seed,
        "data_seed": model.data_seed,
        "base": plan.facts.base,
        "base_digest": plan.facts.identity["base_digest"],
        "training_data_digest": train.digest,
        "planted_kind": model.planted,
        "weights_digest": digest,
        "step": total_steps(len(train), section) if model.step is None else model.step,
        "checkpoint_of": model.checkpoint_of,
        "learning_rate": section.learning_rate,
        "batch_size": section.batch_size,
        "epochs": section.epochs if section.max_steps is None else None,
        "max_steps": section.max_steps,
        "precision": section.precision,
    } | {f"trainer.{name}": value for name, value in section.trainer.items()}


def _training_curve(log: TrainingLog, until: int | None) -> list[MetricValue]:
    """The curve up to the step ``until``; the whole training's time is that of its end."""
    values = [
        MetricValue(f"train/{name}", value, step)
        for step, entries in log.steps
        if until is None or step <= until
        for name, value in entries.items()
    ]
    return values if until is not None else [*values, MetricValue("train/seconds", log.seconds, 0)]


def _trained_on(plan: Plan, model: RecordedModel) -> EvaluatedOn:
    train = plan.task.train_for(_seeds(model))
    return EvaluatedOn("train", train.digest, train.source, "training")
