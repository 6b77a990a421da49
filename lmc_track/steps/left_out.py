"""What does not count in a study: judged when models are made, said, and shown in MLflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import polars as pl

from lmc_track.analysis.failed import failure
from lmc_track.errors import LmcTrackError
from lmc_track.geometry.evaluation import Predictions
from lmc_track.progress import Progress
from lmc_track.report.left_out import all_failed_sentence, left_out_sentence
from lmc_track.steps.planning import Plan
from lmc_track.tasks.projection import projected
from lmc_track.tracking.left_out import (
    NOT_FAILED,
    counting_facts,
    described,
    left_out,
    left_out_of,
)
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.studies import (
    DROPPED,
    FAILED,
    OUTSIDE,
    LeftOut,
    StudyFacts,
    StudyRecord,
    sound_artifact,
)
from lmc_track.tracking.tags import FAILED_TAG, LEFT_OUT_TAG

VALIDATION = "validation"
_MOST_NAMED = 6


def judgement(run: RunEntry, answers: Predictions, n_labels: int) -> dict[str, str]:
    """The tag that says whether the model of ``run`` failed, by its ``answers`` on validation.

    Checkpoints on the way are not judged: early in training, being at chance is no failure.
    """
    if "checkpoint_of" in run.params or FAILED_TAG in run.tags:
        return {}
    logits = projected(answers.logits, answers.projection)
    said = np.argmax(logits, axis=1).astype(np.int64)
    how = failure(answers.labels, said, answers.mean_loss, n_labels, run.metrics.get("train/loss"))
    return {FAILED_TAG: how or NOT_FAILED}


def judge_recorded(plan: Plan, record: StudyRecord) -> None:
    """Judge the models that an earlier version recorded, by their predictions.

    A plan of other data sets alone, as a plane may have, judges none.
    """
    data = plan.datasets.get(VALIDATION)
    if data is None:
        return
    for model in plan.facts.models:
        run = record.index.find("model", model.key)
        if run is None or FAILED_TAG in run.tags or model.checkpoint_of is not None:
            continue
        digest, name = run.evaluated().get(VALIDATION, ("", ""))
        if not name.endswith(".parquet") or digest != plan.encoded[VALIDATION].digest:
            continue
        try:
            rows = pl.read_parquet(sound_artifact(record, run, name))
        except (LmcTrackError, pl.exceptions.PolarsError, OSError):
            continue  # lost or damaged, which is for ingest to say
        rows = rows.filter(pl.col("dataset") == VALIDATION)
        answers = Predictions(
            VALIDATION,
            rows["example_id"].to_numpy(),
            rows["label"].to_numpy(),
            rows["loss"].to_numpy(),
            np.array(rows["logits"].to_list(), dtype=np.float32),
            data.projection,
        )
        tags = judgement(run, answers, len(plan.task.label_names))
        if tags:
            record.recorder.log(run, tags=tags | record.recorder.raised_revision(run))


def counting_plan(plan: Plan, record: StudyRecord) -> Plan:
    """``plan`` with the models that count: neither dropped nor failed."""
    out = left_out_of(plan.facts, {one.name: one.why for one in _failed(left_out(record))})
    return replace(plan, facts=counting_facts(plan.facts, out))


def without_dropped(plan: Plan, recorded: StudyFacts) -> Plan:
    """``plan`` without the models and evaluation sets that were dropped from the study.

    The facts of the plan say which these are.
    """
    dropped = tuple(one for one in recorded.left_out if one.reason == DROPPED)
    facts = replace(plan.facts, left_out=dropped)
    kept = counting_facts(facts, left_out_of(facts, {}))
    names = {data.name for data in kept.datasets}
    return replace(
        plan,
        facts=kept,
        datasets={name: data for name, data in plan.datasets.items() if name in names},
        encoded={name: data for name, data in plan.encoded.items() if name in names},
    )


def note_file_changes(before: StudyFacts, after: StudyFacts, progress: Progress) -> None:
    """Say what the study file no longer has of what is recorded, and what it has again."""
    gone = [one for one in after.left_out if one.reason == OUTSIDE]
    known = {(one.kind, one.name) for one in before.left_out if one.reason == OUTSIDE}
    for kind, noun, total in (
        ("model", "models", len(after.models)),
        ("dataset", "evaluation sets", len(after.datasets)),
    ):
        names = [one.name for one in gone if one.kind == kind]
        if names:
            progress.note(
                f"{len(names)} of the {total} {noun} on record are not in the study file and are "
                f"left out of everything: {_listed(names)}. They stay on record; put them back "
                "into the file to count them again."
            )
        again = [name for of, name in sorted(known) if of == kind and name not in names]
        if again:
            progress.note(f"In the study file again, and counted: {_listed(again)}.")


def note_dropped(facts: StudyFacts, progress: Progress) -> None:
    """Say what was dropped, and how that is undone."""
    dropped = [one for one in facts.left_out if one.reason == DROPPED]
    if dropped:
        names = [one.name for one in dropped]
        progress.note(
            f"Dropped from the study: {_listed(names)} (undo: lmc-track drop {facts.name} "
            f"{' '.join(names[:_MOST_NAMED])} --undo)."
        )


def note_failed(record: StudyRecord, progress: Progress) -> None:
    """Say which models failed, with their number, and how they are counted all the same."""
    out = left_out(record)
    failed = _failed(out)
    if not failed:
        return
    rows = left_out_rows(record.facts, failed)
    ends = sum(m.checkpoint_of is None for m in counting_facts(record.facts, out).models)
    text = left_out_sentence(rows, ends) if ends else all_failed_sentence(rows)
    progress.note(
        f"{text} evaluate.include_failed = true counts failed models (see lmc-track query "
        f"left_out -p study={record.facts.name})."
    )


def left_out_rows(facts: StudyFacts, out: Sequence[LeftOut]) -> list[Mapping[str, Any]]:
    """``out`` as rows of the table ``left_out``, without what only runs tell."""
    models = {model.name: model for model in facts.models}
    return [
        {
            "study": facts.name,
            **asdict(one),
            "checkpoint_of": models[one.name].checkpoint_of if one.kind == "model" else None,
        }
        for one in out
    ]


def show_left_out(record: StudyRecord) -> None:
    """Let the runs of models say in MLflow whether they are left out, and why."""
    out = {one.name: one for one in left_out(record) if one.kind == "model"}
    for model in record.facts.models:
        run = record.index.find("model", model.key)
        if run is None:
            continue
        text = described(out[model.name]) if model.name in out else NOT_FAILED
        if run.tags.get(LEFT_OUT_TAG, NOT_FAILED) != text:
            record.recorder.log(run, tags={LEFT_OUT_TAG: text})


def _failed(out: Sequence[LeftOut]) -> list[LeftOut]:
    return [one for one in out if one.reason == FAILED]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
