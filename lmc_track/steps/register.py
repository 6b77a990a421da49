"""Finetuned checkpoints that exist already become models of a study.

All of them are found, checked and scored on validation before the first is recorded.
"""

from __future__ import annotations

import os
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
    check_distinct,
    check_known,
    checked_candidates,
    scored_candidates,
)
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
    digested = [(one, weights_digest(one.folder)) for one in found]
    new = _not_on_record(digested, existing)
    names = _names(new, plan.facts if existing is None else existing.facts, plan.facts, options)
    taken = list(new.values())
    check_known(plan, [one for one in found if one not in taken])
    fitting = checked_candidates(plan, new, names, options.labels, progress)
    if fitting and existing is not None:
        check_distinct(fitting, _functions(existing, location, {*new}, progress))
    else:
        check_distinct(fitting, {})
    candidates = scored_candidates(plan, fitting, progress)
    if candidates or existing is None:
        with study_lock(location, study.name):
            record = write_study(Store(location), plan.facts)
            record_datasets(plan, record)
            _record(in_study_order(plan, record), record, candidates, progress, options.copy)
    existing = find_study(Store(location), study.name, kinds=("model",))
    assert existing is not None
    return _outcome(digested, candidates, existing)


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
        add_models(record, finished)


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
