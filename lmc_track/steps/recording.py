"""Putting a study, its evaluation sets and evaluations on record."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import polars as pl

from lmc_track.errors import InputError
from lmc_track.geometry.evaluation import Predictions
from lmc_track.plain_text import markdown_escaped
from lmc_track.progress import Progress
from lmc_track.steps.left_out import (
    VALIDATION,
    judgement,
    note_dropped,
    note_file_changes,
    show_left_out,
    without_dropped,
)
from lmc_track.steps.model_folders import weights_folder
from lmc_track.steps.planning import Plan, plan_study, planned_seeds
from lmc_track.study import Study, restore_study
from lmc_track.tasks.dataset import Dataset
from lmc_track.tracking.advice import own_command
from lmc_track.tracking.experiments import renamed_from
from lmc_track.tracking.keys import dataset_key, digest
from lmc_track.tracking.links import EvaluatedOn
from lmc_track.tracking.location import Location
from lmc_track.tracking.lock import study_lock
from lmc_track.tracking.places import check_in_place
from lmc_track.tracking.recorder import MetricValue
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.store import Store
from lmc_track.tracking.studies import (
    StudyRecord,
    find_study,
    merge,
    refuse_former_name,
    study_names,
    write_study,
)
from lmc_track.tracking.tags import EVAL_TAG, FILE_TAG, slot


@contextmanager
def working_on(
    study: Study, location: Location, progress: Progress
) -> Iterator[tuple[Plan, StudyRecord]]:
    """Plan ``study``, put it on record and hold its lock while the caller works on it.

    Raises:
        InputError: the study is wrong, another one than is recorded, or has no models.
    """
    check_in_place(location)  # before the work of planning
    store = Store(location)
    if store.absent and not planned_seeds(study):  # before a home is made for it
        raise _no_models(study)
    plan = plan_on_record(study, location, progress)
    if not plan.facts.models:
        raise _no_models(study, [one.name for one in plan.facts.left_out if one.kind == "model"])
    with study_lock(location, study.name):
        record = write_study(store, plan.facts)
        record_datasets(plan, record)
        show_left_out(record)
        yield in_study_order(plan, record), record
        show_left_out(record)
        store.analyze()


def _no_models(study: Study, dropped: Sequence[str] = ()) -> InputError:
    if dropped:
        return InputError(
            f"every model of the study {study.name!r} is dropped",
            f"Count one again: lmc-track drop {study.name} {dropped[0]} --undo",
        )
    return InputError(
        f"the study {study.name!r} has no models: finetune.seeds is empty and none is registered",
        f"Give it seeds, or register models: lmc-track register {study.name} SOURCE",
    )


def plan_on_record(
    study: Study, location: Location, progress: Progress, stand_in: Path | None = None
) -> Plan:
    """Plan ``study`` with the models that are registered already; nothing is written.

    What was dropped from the study is not in the plan. What the study file no longer has of what
    is recorded is said. ``stand_in`` is a classifier that gives configuration and tokenizer where
    no base model is named and no model is registered yet.

    Raises:
        InputError: the study is wrong, or another one than is recorded.
    """
    existing = find_study(Store(location), study.name, kinds=("model",))
    progress.begin(f"Planning {study.name}: its data and its base model are read")
    if existing is None:
        plan = plan_study(study, location, progress, stand_in=stand_in)
        refuse_former_name(Store(location), plan.facts)
        return plan
    registered = [model for model in existing.facts.models if model.source == "registered"]
    if not study.model.base:
        for model in registered:
            if (run := existing.index.find("model", model.key)) is not None:
                stand_in = weights_folder(existing.artifacts, location, run)
                break
    plan = plan_study(study, location, progress, registered=registered, stand_in=stand_in)
    # Said before the lock is asked for: the answer does not depend on who works on it.
    merged = merge(existing.facts, plan.facts)
    note_file_changes(existing.facts, merged, progress)
    note_dropped(merged, progress)
    return without_dropped(plan, merged)


def in_study_order(plan: Plan, record: StudyRecord) -> Plan:
    """``plan`` with its models as they are on record: at their positions, in that order."""
    planned = {model.key for model in plan.facts.models}
    models = tuple(model for model in record.facts.models if model.key in planned)
    return replace(plan, facts=replace(plan.facts, models=models))


def recorded_study(name: str, location: Location) -> Study:
    """The study file, as last resolved, of the recorded study ``name``.

    Raises:
        InputError: nothing of that name is recorded.
    """
    record = find_recorded(name, location, kinds=())
    return restore_study(record.facts.file, source=f"the recorded study {name!r}")


def find_recorded(name: str, location: Location, kinds: Iterable[str] | None = None) -> StudyRecord:
    """The recorded study ``name`` with all its runs, or only those of ``kinds``.

    Raises:
        InputError: nothing of that name is recorded.
    """
    store = Store(location)
    record = find_study(store, name, kinds)
    if record is None:
        names = study_names(store)
        if name in names:
            raise InputError(
                f"the study {name!r} has no finished run of its own: it was deleted in MLflow, or "
                "its creation was interrupted",
                "Restore it in MLflow, or run the study file, which makes it anew.",
            )
        if (renamed := renamed_from(store, name)) is not None:
            raise InputError(
                f"there is no study {name!r} in {location.shown_uri}: it is called "
                f"{renamed.name!r} now",
                f"Name it so, or rename it back: "
                f"{own_command(location, 'rename', renamed.name, name)}",
            )
        raise InputError(
            f"there is no study {name!r} in {location.shown_uri}",
            f"Recorded are: {', '.join(names)}."
            if names
            else "No study is recorded there yet; --home names another place.",
        )
    return record


def record_datasets(plan: Plan, record: StudyRecord) -> None:
    """A run for every evaluation set that has none yet."""
    record.recorder.delete(record.index.unfinished("dataset"))
    for data in plan.datasets.values():
        record_dataset(data, record)


def record_dataset(data: Dataset, record: StudyRecord) -> None:
    """A run for the evaluation set ``data``, unless there is one."""
    recorder = record.recorder
    key = dataset_key(data.name, data.digest)
    if record.index.find("dataset", key) is not None:
        return
    run = recorder.start("dataset", key, f"data {data.name}", _dataset_note(data))
    write_examples(data, record, run)
    recorder.log(run, params=_dataset_params(data))
    recorder.log_inputs(run, [EvaluatedOn(data.name, data.digest, data.source, "evaluation")])
    recorder.finish(run)
    record.index.add(run)


def write_examples(data: Dataset, record: StudyRecord, run: RunEntry) -> None:
    """Write the examples of ``data`` to the artifacts of ``run``."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "examples.parquet"
        data.frame.write_parquet(file)
        record.recorder.artifacts.put(run.run_id, run.artifact_uri, file, "examples.parquet")


def _dataset_note(data: Dataset) -> str:
    source = markdown_escaped(data.source)
    note = f"Evaluation set {data.name} ({data.role}): {len(data):,} examples from {source}."
    if data.drawn:
        note += f" Drawn: {markdown_escaped('; '.join(data.drawn))}."
    if data.projection is not None:
        names = markdown_escaped(", ".join(data.projection.label_names))
        note += f" Labels of its own: {names}; logits are projected by {data.projection.how}."
    return f"{note}\n\nArtifact examples.parquet: the examples, with their halves and subsets."


def _dataset_params(data: Dataset) -> dict[str, object]:
    projection = data.projection
    halves = data.frame["half"].to_list()
    return {
        "dataset": data.name,
        "role": data.role,
        "data_digest": data.digest,
        "source": data.source,
        "n_examples": len(data),
        "n_discovery": halves.count("discovery"),
        "n_held_out": halves.count("held-out"),
        "text_columns": " ".join(data.text_columns),
        # Where nothing is projected the labels are those of the study.
        "label_names": None if projection is None else json.dumps(projection.label_names),
        "projection": None if projection is None else projection.how,
        "projection_groups": None if projection is None else json.dumps(projection.groups),
        "drawn": "; ".join(data.drawn) or "all",
        "n_source": len(data) if data.n_source is None else data.n_source,
    }


def record_predictions(
    plan: Plan,
    record: StudyRecord,
    run: RunEntry,
    predictions: Mapping[str, Predictions],
    precision: str,
    *,
    params: Mapping[str, object] | None = None,
) -> None:
    """Log one evaluation pass of a model or point: file first, numbers next, tags last.

    The tag that makes an evaluation count is written in the same batch as its numbers, after
    them; a finished run also has its revision raised.
    """
    own = precision if run.kind == "point" else record.facts.precision
    slots = {name: slot(name, precision, own) for name in predictions}
    digests = {slots[name]: plan.encoded[name].digest for name in predictions}
    file_name = f"predictions/{digest(digests)[:16]}.parquet"
    record.recorder.artifacts.put_bytes(
        run.run_id, run.artifact_uri, predictions_file(predictions), file_name
    )
    metrics = [
        MetricValue(f"{metric}/{slots[name]}", value, dataset=(name, plan.datasets[name].digest))
        for name, one in predictions.items()
        for metric, value in one.metrics(plan.task.metric).items()
    ]
    if run.kind == "model":  # a point's are those of its path
        record.recorder.log_inputs(run, evaluated_on(plan, predictions))
    tags = record.recorder.raised_revision(run) if run.finished else {}
    tags |= {FILE_TAG + name: file_name for name in slots.values()}
    tags |= {EVAL_TAG + name: value for name, value in digests.items()}
    if run.kind == "model" and slots.get(VALIDATION) == VALIDATION:
        tags |= judgement(run, predictions[VALIDATION], len(plan.task.label_names))
    record.recorder.log(run, params=params, metrics=metrics, tags=tags)


def evaluated_on(plan: Plan, names: Iterable[str]) -> list[EvaluatedOn]:
    """The evaluation sets ``names`` as MLflow lists them among a run's inputs."""
    return [
        EvaluatedOn(name, (data := plan.datasets[name]).digest, data.source, "evaluation")
        for name in names
    ]


def predictions_file(predictions: Mapping[str, Predictions]) -> bytes:
    """The content of the Parquet file that holds one evaluation pass."""
    frame = pl.concat(
        pl.DataFrame(
            {
                "dataset": pl.Series([one.dataset], dtype=pl.String).new_from_index(
                    0, len(one.labels)
                ),
                "example_id": one.example_ids,
                "label": one.labels,
                "loss": one.loss,
                "logits": pl.Series(one.logits, dtype=pl.Array(pl.Float32, one.logits.shape[1])),
            }
        ).with_columns(pl.col("logits").cast(pl.List(pl.Float32)))
        for one in predictions.values()
    )
    file = io.BytesIO()
    frame.write_parquet(file, compression="zstd")
    return file.getvalue()
