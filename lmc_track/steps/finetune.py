"""The first step: finetune the base model once for every planned model that is not there yet."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from lmc_track.geometry.engine import Engine
from lmc_track.models.checkpoints import weights_digest
from lmc_track.models.finetuning import TrainingLog, finetune, total_steps
from lmc_track.progress import Progress, Work
from lmc_track.steps.planning import Plan
from lmc_track.steps.recording import record_predictions
from lmc_track.study import ModelSeeds
from lmc_track.tracking.recorder import EvaluatedOn, MetricValue
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.studies import RecordedModel, StudyRecord


def finetune_models(plan: Plan, record: StudyRecord, progress: Progress) -> int:
    """Finetune, evaluate and record every planned model without a finished run.

    Returns how many were finetuned. Runs that an interruption left unfinished are deleted
    first; their models are finetuned again.
    """
    record.recorder.delete(record.index.unfinished("model"))
    todo = [m for m in plan.facts.models if record.index.find("model", m.key) is None]
    if not todo:
        return 0
    engine = Engine(plan.encoded, plan.precision)
    title = f"Finetuning {len(todo)} models" if len(todo) > 1 else f"Finetuning {todo[0].name}"
    with progress.track(title, len(todo) * _steps(plan), "steps") as work:
        for model in todo:
            _finetune_one(plan, record, model, engine, work)
    return len(todo)


def _steps(plan: Plan) -> int:
    return total_steps(len(plan.task.train()), plan.study.finetune)


def _finetune_one(
    plan: Plan, record: StudyRecord, model: RecordedModel, engine: Engine, work: Work
) -> None:
    recorder = record.recorder
    run = recorder.start(
        "model",
        model.key,
        model.name,
        f"{plan.facts.base} finetuned on {plan.task.name}: head seed {model.head_seed}, "
        f"data seed {model.data_seed}.",
    )
    workplace = Path(tempfile.mkdtemp(prefix="finetuning-", dir=plan.location.cache))
    try:
        folder = workplace / "model"
        log = finetune(
            plan.base,
            plan.task.label_names,
            plan.task.train(),
            ModelSeeds(model.head_seed, model.data_seed),
            plan.study.finetune,
            folder,
            work.advance,
        )
        recorder.artifacts.put(run.run_id, run.artifact_uri, folder, "model")
        params = _params(plan, model, weights_digest(folder))
        recorder.log(run, params=params, metrics=_training_curve(log))
        recorder.log_model(run, f"{record.facts.name}-{model.name}", params)
        predictions = engine.model_predictions(folder, plan.datasets)
        record_predictions(plan, record, run, predictions, plan.precision)
        recorder.log_inputs(run, _inputs(plan))
        recorder.finish(run)
        record.index.add(run)
    except Exception:
        _mark_failed(record, run)
        raise
    finally:
        shutil.rmtree(workplace, ignore_errors=True)


def _mark_failed(record: StudyRecord, run: RunEntry) -> None:
    try:
        record.recorder.finish(run, "FAILED")
    except Exception:  # the store itself may be what failed; the first error is the one to tell
        return


def _params(plan: Plan, model: RecordedModel, digest: str) -> dict[str, object]:
    section = plan.study.finetune
    return {
        "name": model.name,
        "position": model.position,
        "source": "finetuned",
        "head_seed": model.head_seed,
        "data_seed": model.data_seed,
        "base": plan.facts.base,
        "base_digest": plan.facts.identity["base_digest"],
        "training_data_digest": plan.facts.identity["training_data_digest"],
        "weights_digest": digest,
        "step": _steps(plan),
        "learning_rate": section.learning_rate,
        "batch_size": section.batch_size,
        "epochs": section.epochs if section.max_steps is None else None,
        "max_steps": section.max_steps,
        "precision": section.precision,
    } | {f"trainer.{name}": value for name, value in section.trainer.items()}


def _training_curve(log: TrainingLog) -> list[MetricValue]:
    values = [
        MetricValue(f"train/{name}", value, step)
        for step, entries in log.steps
        for name, value in entries.items()
    ]
    return [*values, MetricValue("train/seconds", log.seconds, 0)]


def _inputs(plan: Plan) -> list[EvaluatedOn]:
    train = plan.task.train()
    inputs = [EvaluatedOn("train", train.digest, train.source, "training")]
    for name, data in plan.datasets.items():
        inputs.append(EvaluatedOn(name, data.digest, data.source, "evaluation"))
    return inputs
