"""Finetuned checkpoints that exist already become models of a study.

All of them are found, checked and scored on validation before the first is recorded.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from lmc_track.errors import InputError
from lmc_track.models.admission import check_files
from lmc_track.models.checkpoints import weights_digest
from lmc_track.models.functions import function_digest_of
from lmc_track.models.sources import FoundCheckpoint, expand, locate_checkpoint
from lmc_track.names import is_name, safe_name
from lmc_track.progress import Progress
from lmc_track.steps.candidates import (
    Candidate,
    Problems,
    check_known,
    checked_candidates,
    distinct,
    scored_candidates,
)
from lmc_track.steps.left_out import note_failed, show_left_out
from lmc_track.steps.model_folders import weights_folder
from lmc_track.steps.model_records import FUNCTION_PARAM, record_registered
from lmc_track.steps.planning import Plan
from lmc_track.steps.recording import in_study_order, plan_on_record, record_datasets
from lmc_track.study import Study
from lmc_track.tracking.keys import registered_key
from lmc_track.tracking.location import Location, prepare
from lmc_track.tracking.lock import study_lock
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.store import Store
from lmc_track.tracking.studies import (
    RecordedModel,
    StudyFacts,
    StudyRecord,
    add_models,
    find_study,
    write_study,
)

# What --name may have in braces.
_FIELDS = ("", "parent", "name", "step")
# Models that are named one by one.
_MOST_TOLD = 5


@dataclass(frozen=True)
class Options:
    """How sources are registered.

    ``name`` is a pattern in which ``{}`` stands for the number that a range gave, ``{parent}`` for
    the folder that a source lies in, ``{name}`` for its own and ``{step}`` for its training step.
    ``labels`` is the order of the models' outputs where their configurations do not say it, or say
    it wrongly. With ``skip_bad`` sources that do not fit are left out, and the others registered.
    """

    revision: str | None = None
    name: str | None = None
    labels: tuple[str, ...] | None = None
    copy: bool = False
    skip_bad: bool = False


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

    Sources are folders, hub ids with ``@revision``, ranges (``run-{0..9}``) of either, patterns
    (``runs/*/checkpoint-*``) and folders of a Trainer's runs.

    Raises:
        InputError: some cannot be found or do not fit the study, all of which are named; nothing is
            recorded.
    """
    options = options or Options()
    environ = os.environ if environ is None else environ
    _check_pattern(options.name)
    expanded = expand(sources)
    prepare(location)
    problems = Problems()
    found = []
    with progress.track("Finding checkpoints", len(expanded), "models") as work:
        for source in expanded:
            with problems.of(source.text):
                one = locate_checkpoint(source, options.revision, location.cache, environ)
                check_files(one.folder, source.text)
                found.append(one)
            work.advance()
    if not found:
        raise problems.error(len(expanded))
    plan = plan_on_record(study, location, progress, stand_in=found[0].folder)
    existing = find_study(Store(location), study.name, kinds=("model",))
    digested = []
    for one in found:
        with problems.of(one.source.text):
            digested.append((one, weights_digest(one.folder)))
    new = _not_on_record(digested, existing)
    names = _names(new, plan.facts if existing is None else existing.facts, plan.facts, options)
    taken = list(new.values())
    check_known(plan, [one for one in found if one not in taken], problems)
    fitting = checked_candidates(plan, new, names, options.labels, progress, problems)
    recorded = {}
    if fitting and existing is not None:
        recorded = _functions(existing, location, {*new}, progress)
    candidates = scored_candidates(plan, distinct(fitting, recorded, problems), progress, problems)
    if problems:
        if not options.skip_bad or not (candidates or len(taken) < len(digested)):
            raise problems.error(len(expanded))
        for note in problems.notes():
            progress.note(note)
    if candidates or existing is None:
        with study_lock(location, study.name):
            record = write_study(Store(location), plan.facts)
            record_datasets(plan, record)
            record = _record(
                in_study_order(plan, record), record, candidates, progress, options.copy
            )
            note_failed(record, progress)
            show_left_out(record)
    existing = find_study(Store(location), study.name, kinds=("model",))
    assert existing is not None
    sound = [(one, digest) for one, digest in digested if one.source.text not in problems]
    outcome = _outcome(sound, candidates, existing)
    if options.name is not None:
        _tell_ignored(options.name, outcome, names, candidates, progress)
    return outcome


def _check_pattern(pattern: str | None) -> None:
    """Raise InputError where ``--name`` has a field that nothing is known for."""
    fields = re.findall(r"\{([^{}]*)\}", pattern or "")
    if unknown := [field for field in fields if field not in _FIELDS]:
        known = ", ".join(f"{{{field}}}" for field in _FIELDS)
        raise InputError(
            f"--name: there is no {{{unknown[0]}}}",
            f"It may have {known}, as in {{parent}}-{{step}}.",
        )


def _tell_ignored(
    pattern: str,
    outcome: Sequence[Registered],
    names: Mapping[str, str],
    candidates: Sequence[Candidate],
    progress: Progress,
) -> None:
    """Say which models keep another name than ``--name`` gives: they are on record already."""
    fresh = {names[one.key] for one in candidates}
    kept = [one.name for one in outcome if not one.is_new or one.name not in fresh]
    if kept:
        shown = ", ".join(kept[:_MOST_TOLD]) + (", …" if len(kept) > _MOST_TOLD else "")
        progress.note(
            f"--name {pattern} is ignored for {len(kept)} of {len(outcome)} models, which are on "
            f"record already and keep their names: {shown}."
        )


def _not_on_record(
    digested: list[tuple[FoundCheckpoint, str]], existing: StudyRecord | None
) -> dict[str, FoundCheckpoint]:
    """The checkpoints whose weights no model has, by key; of two with the same weights one."""
    new: dict[str, FoundCheckpoint] = {}
    for one, digest in digested:
        if existing is None or _run_with(existing, digest) is None:
            new.setdefault(registered_key(digest), one)
    return new


def _functions(
    record: StudyRecord, location: Location, new: AbstractSet[str], progress: Progress
) -> dict[str, str]:
    """The names of the recorded models with weights, by the digest of what they compute."""
    runs = [record.index.find("model", model.key) for model in record.facts.models]
    held = [run for run in runs if run and "weights_digest" in run.params and run.key not in new]
    functions: dict[str, str] = {}
    with progress.track("Comparing with models on record", len(held), "models") as work:
        for run in held:
            digest = run.params.get(FUNCTION_PARAM)
            if digest is None:
                digest = function_digest_of(weights_folder(record.artifacts, location, run))
            functions[digest] = f"the model {run.name} on record"
            work.advance()
    return functions


def _run_with(record: StudyRecord, digest: str) -> RunEntry | None:
    """The run of the study's model that has these weights, as found or as put into order."""
    listed = [record.index.find("model", model.key) for model in record.facts.models]
    same = (run for run in listed if run is not None and run.params.get("weights_digest") == digest)
    registered = record.index.find("model", registered_key(digest))
    return registered if registered in listed else next(same, None)


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
        name = safe_name(_usual_name(one))[:90]
        if options.name is not None:
            name = _name(options.name, one, number)
            if not is_name(name):
                raise InputError(
                    f"--name: {name!r} is no name",
                    "Use letters, digits and _ . - (at most 100).",
                )
            if name in taken:
                raise InputError(
                    f"--name: the study has a model named {name!r} already",
                    "Let {} stand in it for the number of each source, as in run-{}, or use "
                    "{parent} and {step}.",
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


def _usual_name(one: FoundCheckpoint) -> str:
    """The last part of the source; a Trainer's checkpoint is named after its run and step."""
    if one.repo is None and one.last_part.startswith("checkpoint-") and one.parent:
        return f"{one.parent}-{one.last_part.removeprefix('checkpoint-')}"
    return one.last_part


def _name(pattern: str, one: FoundCheckpoint, number: int) -> str:
    values = {"": one.source.number or str(number), "parent": one.parent, "name": one.last_part}
    if "{step}" in pattern:
        step = one.step
        if step is None:
            raise InputError(
                f"--name: the training step of {one.source.text} is not known: it is not named "
                "checkpoint-N, and has no trainer_state.json",
                "Leave {step} out.",
            )
        values["step"] = str(step)
    return re.sub(r"\{([^{}]*)\}", lambda field: safe_name(values[field[1]]), pattern)


def _record(
    plan: Plan,
    record: StudyRecord,
    candidates: list[Candidate],
    progress: Progress,
    copy: bool,
) -> StudyRecord:
    """Record every candidate; those that are finished are listed even after an interruption."""
    stale = {c.key for c in candidates}
    record.recorder.delete(run for run in record.index.unfinished("model") if run.key in stale)
    known = {model.key: model for model in record.facts.models}
    position = max((model.position for model in record.facts.models), default=-1) + 1
    finished: list[RecordedModel] = []
    try:
        with progress.track("Registering models", len(candidates), "models") as work:
            for one in candidates:
                if record.index.find("model", one.key) is not None:
                    continue  # another lmc-track was faster
                model = known.get(one.key) or RecordedModel(
                    one.name, position, None, None, one.key, source="registered"
                )
                position += one.key not in known
                record_registered(plan, record, model, one, copy=copy)
                finished.append(model)
                work.advance()
    finally:
        grown = add_models(record, finished)
    return grown


def _outcome(
    digested: list[tuple[FoundCheckpoint, str]], candidates: list[Candidate], record: StudyRecord
) -> list[Registered]:
    scored = {one.key: one for one in candidates}
    told: list[Registered] = []
    for one, digest in digested:
        run = _run_with(record, digest)
        assert run is not None
        candidate = scored.pop(run.key, None)
        order = run.params.get("label_order")
        told.append(
            Registered(
                run.name,
                one.origin,
                None if order is None else tuple(order.split(",")),
                None if candidate is None else candidate.balanced_accuracy,
                run.params["weights_digest"],
                candidate is not None,
            )
        )
    return told
