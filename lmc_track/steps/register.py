"""Finetuned checkpoints that exist already become models of a study.

All of them are found, checked and scored on validation before the first is recorded.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lmc_track.analysis.label_order import fit_order, in_order, names_labels, order_by_names
from lmc_track.errors import InputError
from lmc_track.geometry.encoding import encode
from lmc_track.geometry.engine import shared_engine
from lmc_track.geometry.evaluation import Predictions
from lmc_track.models.admission import admit, check_files, frame_of
from lmc_track.models.base import longest_input, read_base
from lmc_track.models.checkpoints import weights_digest
from lmc_track.models.hub import VOCABULARIES
from lmc_track.models.sources import FoundCheckpoint, expand, locate_checkpoint
from lmc_track.names import is_name, safe_name
from lmc_track.progress import Progress
from lmc_track.steps.model_records import Candidate, record_registered
from lmc_track.steps.planning import Plan
from lmc_track.steps.recording import in_study_order, plan_on_record, record_datasets
from lmc_track.study import Study
from lmc_track.tracking.keys import registered_key
from lmc_track.tracking.location import Location, prepare
from lmc_track.tracking.lock import study_lock
from lmc_track.tracking.store import Store
from lmc_track.tracking.studies import (
    RecordedModel,
    StudyFacts,
    StudyRecord,
    add_models,
    find_study,
    write_study,
)

# Texts whose tokens are compared with those of a checkpoint's own tokenizer.
_COMPARED_TEXTS = 64


@dataclass(frozen=True)
class Options:
    """How sources are registered.

    ``name`` is a pattern in which ``{}`` stands for the number that a range gave, ``labels`` the
    order of the models' outputs where their configurations do not say it, or say it wrongly.
    """

    revision: str | None = None
    name: str | None = None
    labels: tuple[str, ...] | None = None
    copy: bool = False


@dataclass(frozen=True)
class Registered:
    """A registered model; ``is_new`` is False where its weights were on record already."""

    name: str
    origin: str
    label_order: tuple[str, ...] | None
    balanced_accuracy: float | None
    weights_digest: str
    is_new: bool


def register_models(
    study: Study,
    sources: Sequence[str],
    location: Location,
    progress: Progress,
    options: Options | None = None,
    environ: Mapping[str, str] | None = None,
) -> list[Registered]:
    """Make the checkpoints that ``sources`` name models of ``study``.

    Sources are folders, hub ids with ``@revision``, and ranges (``run-{0..9}``) of either.

    Raises:
        InputError: one of them cannot be found or does not fit the study; nothing is recorded.
    """
    options = options or Options()
    environ = os.environ if environ is None else environ
    expanded = expand(sources)
    prepare(location)
    with progress.track("Finding checkpoints", len(expanded), "models") as work:
        found = []
        for source in expanded:
            found.append(locate_checkpoint(source, options.revision, location.cache, environ))
            check_files(found[-1].folder, source.text)
            work.advance()
    plan = plan_on_record(study, location, progress, stand_in=found[0].folder)
    existing = find_study(Store(location), study.name, kinds=("model",))
    keyed = [(one, registered_key(weights_digest(one.folder))) for one in found]
    new = _not_on_record(keyed, existing)
    names = _names(new, plan.facts if existing is None else existing.facts, plan.facts, options)
    candidates = _score(plan, _checked(plan, new, names, options, progress), progress)
    if candidates or existing is None:
        with study_lock(location, study.name):
            record = write_study(Store(location), plan.facts)
            record_datasets(plan, record)
            _record(in_study_order(plan, record), record, candidates, progress, options.copy)
    existing = find_study(Store(location), study.name, kinds=("model",))
    assert existing is not None
    return _outcome(keyed, candidates, existing)


def _not_on_record(
    keyed: list[tuple[FoundCheckpoint, str]], existing: StudyRecord | None
) -> dict[str, FoundCheckpoint]:
    """The checkpoints that are not registered yet, by key; of two with the same weights one."""
    on_record = (
        {m.key for m in existing.facts.models if existing.index.find("model", m.key)}
        if existing is not None
        else set()
    )
    new: dict[str, FoundCheckpoint] = {}
    for one, key in keyed:
        if key not in on_record:
            new.setdefault(key, one)
    return new


def _names(
    new: Mapping[str, FoundCheckpoint], recorded: StudyFacts, planned: StudyFacts, options: Options
) -> dict[str, str]:
    """A name for each key: the last part of the source, or as the pattern says; all different."""
    listed = {model.key: model.name for model in recorded.models}
    taken = {model.name for facts in (recorded, planned) for model in facts.models}
    names: dict[str, str] = {}
    for number, (key, one) in enumerate(new.items()):
        if key in listed:  # its run was deleted in MLflow: it comes back under its name
            names[key] = listed[key]
            continue
        name = safe_name(one.last_part)[:90]
        if options.name is not None:
            name = options.name.replace("{}", one.source.number or str(number))
            if not is_name(name):
                raise InputError(
                    f"--name: {name!r} is no name",
                    "Use letters, digits and _ . - (at most 100).",
                )
            if name in taken:
                raise InputError(
                    f"--name: the study has a model named {name!r} already",
                    "Let {} stand in it for the number of each source, as in run-{}.",
                )
        elif not is_name(name):
            name = "model"
        unique, count = name, 1
        while unique in taken:
            count += 1
            unique = f"{name}-{count}"
        names[key] = unique
        taken.add(unique)
    return names


def _checked(
    plan: Plan,
    new: Mapping[str, FoundCheckpoint],
    names: Mapping[str, str],
    options: Options,
    progress: Progress,
) -> list[Candidate]:
    """What fits the study, with the order in which it says that its outputs stand."""
    labels = plan.facts.label_names
    if not new:
        return []
    given = None
    if options.labels is not None:
        given = order_by_names(options.labels, labels)
        if given is None:
            raise InputError(
                f"--labels: {', '.join(options.labels)} are not the study's labels",
                f"Give {', '.join(labels)} in the order of the models' outputs.",
            )
    frame = frame_of(plan.base, len(labels))
    limit = longest_input(*read_base(plan.base))
    candidates = []
    with progress.track("Checking checkpoints", len(new), "models") as work:
        for key, one in new.items():
            shown = one.source.text
            admitted = admit(one.folder, shown, frame)
            _check_tokenizer(plan, one.folder, shown, limit)
            order = given
            if given is None and names_labels(admitted.label_names):
                order = order_by_names(admitted.label_names, labels)
            candidates.append(
                Candidate(
                    name=names[key],
                    key=key,
                    found=one,
                    config_labels=admitted.label_names,
                    order=order,
                    order_from="given" if given is not None else "config",
                    frame=frame,
                )
            )
            work.advance()
    return candidates


def _check_tokenizer(plan: Plan, folder: Path, shown: str, limit: int | None) -> None:
    """Refuse a checkpoint that was finetuned to read texts as other tokens.

    One without a tokenizer of its own is taken to read as the study's base model does.
    """
    if not any((folder / name).is_file() for name in VOCABULARIES):
        return
    own = read_base(folder)[1]
    data, ours = plan.datasets["validation"], plan.encoded["validation"].inputs["input_ids"]
    few = replace(data, frame=data.frame.head(_COMPARED_TEXTS))
    theirs = encode(few, own, limit).inputs["input_ids"]
    for row, (mine, other) in enumerate(zip(ours, theirs, strict=False)):
        if not np.array_equal(mine, other):
            text = " ".join(data.frame[column][row] for column in data.text_columns)
            raise InputError(
                f"{shown} has a tokenizer that reads texts as other tokens than the study's base "
                f"model does, such as: {text[:60]}",
                "Name the base model that it was finetuned from as model.base.",
            )


def _score(plan: Plan, candidates: list[Candidate], progress: Progress) -> list[Candidate]:
    """The candidates with their answers on validation, after which their label order stands."""
    if not candidates:
        return []
    engine = shared_engine(plan.encoded, plan.precision, plan.origin)
    scored = []
    with progress.track("Scoring on validation", len(candidates), "models") as work:
        for one in candidates:
            answers = engine.model_predictions(one.found.folder, ["validation"])["validation"]
            scored.append(_with_order(plan, one, answers, progress))
            work.advance()
    return scored


def _with_order(plan: Plan, one: Candidate, answers: Predictions, progress: Progress) -> Candidate:
    labels, shown = plan.facts.label_names, one.found.source.text
    outputs = answers.logits.argmax(axis=1)
    fit = fit_order(answers.labels, outputs, len(labels), one.order)
    best = ",".join(in_order(labels, fit.best))
    remedy = f"Register it with --labels {best}, if that is how its outputs stand."
    if one.order is None:
        named = ", ".join(one.config_labels)
        raise InputError(
            f"{shown} does not say which output means which label: its configuration calls them "
            f"{named}, the study {', '.join(labels)}. On validation the order {best} fits best "
            f"(balanced accuracy {fit.best_balanced_accuracy:.2f})",
            remedy,
        )
    if fit.refuted:
        source = "its configuration" if one.order_from == "config" else "--labels"
        raise InputError(
            f"{shown} does not answer in the label order {','.join(in_order(labels, one.order))} "
            f"of {source}: balanced accuracy on validation is {fit.balanced_accuracy:.2f}, in the "
            f"order {best} {fit.best_balanced_accuracy:.2f} (99% interval of the difference "
            f"{fit.difference:.2f} ± {fit.margin:.2f})",
            remedy,
        )
    counts = Counter(outputs.tolist())
    if len(counts) == 1:
        answer = in_order(labels, one.order)[next(iter(counts))]
        progress.note(f"Warning: {shown} answers {answer!r} to every validation example.")
    return one.with_scores(answers, fit.balanced_accuracy)


def _record(
    plan: Plan,
    record: StudyRecord,
    candidates: list[Candidate],
    progress: Progress,
    copy: bool,
) -> None:
    """Record every candidate; those that are finished are listed even after an interruption."""
    stale = {c.key for c in candidates}
    record.recorder.delete(run for run in record.index.unfinished("model") if run.key in stale)
    known = {model.key: model for model in record.facts.models}
    position = max((model.position for model in record.facts.models), default=-1) + 1
    finished: list[RecordedModel] = []
    try:
        with progress.track("Registering models", len(candidates), "models") as work:
            for one in candidates:
                model = known.get(one.key) or RecordedModel(
                    one.name, position, None, None, one.key, source="registered"
                )
                position += one.key not in known
                record_registered(plan, record, model, one, copy=copy)
                finished.append(model)
                work.advance()
    finally:
        add_models(record, finished)


def _outcome(
    keyed: list[tuple[FoundCheckpoint, str]], candidates: list[Candidate], record: StudyRecord
) -> list[Registered]:
    names = {model.key: model.name for model in record.facts.models}
    scored = {one.key: one for one in candidates}
    told: list[Registered] = []
    for one, key in keyed:
        run = record.index.find("model", key)
        assert run is not None
        candidate = scored.pop(key, None)
        order = run.params.get("label_order")
        told.append(
            Registered(
                names[key],
                one.origin,
                None if order is None else tuple(order.split(",")),
                None if candidate is None else candidate.balanced_accuracy,
                run.params["weights_digest"],
                candidate is not None,
            )
        )
    return told
