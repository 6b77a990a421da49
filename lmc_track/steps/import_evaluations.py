"""Putting evaluation logs on record: predictions of models, and the data set they are on."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from lmc_track.errors import InputError
from lmc_track.geometry.metrics import summarize
from lmc_track.importers.evaluation_logs import EvaluationLog, EvaluationLogs
from lmc_track.importers.subset_tables import SubsetTable
from lmc_track.names import is_name
from lmc_track.progress import Progress
from lmc_track.steps.import_records import record_models
from lmc_track.steps.import_study import Import, StudyWords, importing
from lmc_track.steps.recording import record_dataset
from lmc_track.tasks.dataset import Dataset, build_dataset
from lmc_track.tracking.keys import digest
from lmc_track.tracking.location import Location
from lmc_track.tracking.recorder import MetricValue
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.studies import RecordedDataset, StudyRecord
from lmc_track.tracking.tags import EVAL_TAG, FILE_TAG

_TEXTS = {1: ("sentence",), 2: ("sentence1", "sentence2")}


@dataclass(frozen=True)
class ImportedEvaluations:
    """What an import of evaluation logs did. ``n_outside``: examples the subsets' table lacks."""

    n_models: int
    n_examples: int
    n_new: int
    n_outside: int
    projected: bool


def import_evaluations(
    study: str,
    logs: EvaluationLogs,
    dataset: str,
    location: Location,
    progress: Progress,
    *,
    subsets: SubsetTable | None = None,
    words: StudyWords | None = None,
) -> ImportedEvaluations:
    """Record the predictions of ``logs`` on the evaluation set ``dataset`` of ``study``.

    Raises:
        InputError: ``dataset`` is no name or holds other examples in the study, its labels are
            none of the study's, the study has no such models, or other predictions of them. Nothing
            was recorded.
    """
    if not is_name(dataset):
        raise InputError(f"{dataset!r} is no name of a data set", "Such as hans or validation.")
    source = f"evaluation logs such as {logs.logs[0].model.original}.json"
    data, n_outside = _dataset(logs, dataset, source, subsets)
    with importing(study, location, words or StudyWords(), StudyWords()) as work:
        _check_labels(work, logs)
        models = [work.model(log.model) for log in logs.logs]
        recorded = RecordedDataset(data.name, data.role, data.digest, data.digest)
        work.dataset(recorded)
        if work.is_imported and (not work.facts.label_names or dataset == "validation"):
            work.facts = replace(work.facts, label_names=logs.examples.label_names)
        files = [_file_name(log, data) for log in logs.logs]
        _check_recorded(work, logs, [m.key for m in models], files, dataset)
        record = work.record()
        record_dataset(data, record)
        named = [(model, log.model) for model, log in zip(models, logs.logs, strict=True)]
        runs = record_models(record, named, source)
        n_new = 0
        with progress.track("Recording predictions", len(models), "models") as tracked:
            for model, log, file in zip(models, logs.logs, files, strict=True):
                run = runs[model.key]
                if run.evaluation(dataset) is None:
                    _record(record, run, log, logs, data, file)
                    n_new += 1
                if not run.finished:
                    record.recorder.finish(run)
                    record.index.add(run)
                tracked.advance()
    projected = any(log.projected for log in logs.logs)
    return ImportedEvaluations(len(models), len(data), n_new, n_outside, projected)


def _dataset(
    logs: EvaluationLogs, name: str, source: str, subsets: SubsetTable | None
) -> tuple[Dataset, int]:
    """The examples as a data set with halves and subsets, and how many the table lacks."""
    examples = logs.examples
    width = len(examples.texts[0])
    columns = _TEXTS.get(width, tuple(f"sentence{k + 1}" for k in range(width)))
    found = [subsets.of(texts) if subsets else () for texts in examples.texts]
    n_outside = sum(names is None for names in found)
    if subsets is not None and n_outside == len(found):
        raise InputError(
            f"{subsets.file}: no example of the logs is in it",
            "Name the columns of their texts with --text-columns, in the order of the model's "
            "input.",
        )
    data = build_dataset(
        name,
        "validation" if name == "validation" else "diagnostic",
        texts={c: [texts[k] for texts in examples.texts] for k, c in enumerate(columns)},
        labels=examples.labels.tolist(),
        source=source,
        subsets=[list(dict.fromkeys(names or ())) for names in found],
    )
    return data, n_outside


def _check_labels(work: Import, logs: EvaluationLogs) -> None:
    """Refuse labels that the study does not know, nor as the negation of one that it knows."""
    known = set(work.facts.label_names)
    known |= {f"{prefix}{name}" for name in known for prefix in ("non-", "not_")}
    unknown = [name for name in logs.examples.label_names if known and name not in known]
    if unknown:
        raise InputError(
            f"{logs.logs[0].model.where}: label_dict has the unknown labels {', '.join(unknown)}",
            f"The labels of the study {work.name!r} are {', '.join(work.facts.label_names)}.",
        )


def _file_name(log: EvaluationLog, data: Dataset) -> str:
    told = {"data": data.digest, "logits": log.logits.tobytes().hex()}
    return f"predictions/{digest(told)[:16]}.parquet"


def _check_recorded(
    work: Import, logs: EvaluationLogs, keys: Sequence[str], files: Sequence[str], dataset: str
) -> None:
    if work.existing is None:
        return
    for log, key, file in zip(logs.logs, keys, files, strict=True):
        run = work.existing.index.find("model", key)
        known = None if run is None else run.evaluated().get(dataset)
        if known is not None and known[1] != file:
            raise InputError(
                f"{log.model.where}: other predictions of {log.model.name} on {dataset} are on "
                "record",
                "Import these under another name of the data set, or into another study.",
            )


def _record(
    record: StudyRecord,
    run: RunEntry,
    log: EvaluationLog,
    logs: EvaluationLogs,
    data: Dataset,
    file_name: str,
) -> None:
    """File first, numbers next, tags last, as all evaluations are written."""
    labels = logs.examples.labels
    frame = pl.DataFrame(
        {
            "dataset": pl.Series([data.name] * len(data), dtype=pl.String),
            "example_id": data.frame["example_id"],
            "label": labels,
            "loss": log.loss,
            "logits": pl.Series(log.logits, dtype=pl.Array(pl.Float32, log.logits.shape[1])),
        }
    ).with_columns(pl.col("logits").cast(pl.List(pl.Float32)))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "predictions.parquet"
        frame.write_parquet(file, compression="zstd")
        record.artifacts.put(run.run_id, run.artifact_uri, file, file_name)
    values = summarize(labels, log.logits, log.loss, "accuracy")
    tags = record.recorder.raised_revision(run) if run.finished else {}
    tags |= {FILE_TAG + data.name: file_name, EVAL_TAG + data.name: data.digest}
    metrics = [MetricValue(f"{metric}/{data.name}", value) for metric, value in values.items()]
    record.recorder.log(run, metrics=metrics, tags=tags)
