"""Taking models and evaluation sets out of a study, and back; nothing is deleted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches

from lmc_track.errors import InputError
from lmc_track.progress import Progress
from lmc_track.steps.ingest import ingest
from lmc_track.steps.left_out import VALIDATION, show_left_out
from lmc_track.steps.recording import find_recorded
from lmc_track.tracking.left_out import left_out
from lmc_track.tracking.location import Location
from lmc_track.tracking.lock import study_lock
from lmc_track.tracking.studies import (
    DROPPED,
    FAILED,
    LeftOut,
    StudyFacts,
    StudyRecord,
    keep_left_out,
)


def left_out_of_study(study: str, location: Location) -> list[LeftOut]:
    """All that does not count in ``study``.

    Raises:
        InputError: the study is not recorded.
    """
    return left_out(find_recorded(study, location, kinds=("model",)))


def drop(
    study: str, names: Sequence[str], location: Location, progress: Progress, why: str = ""
) -> list[LeftOut]:
    """Leave the models and evaluation sets ``names`` out of ``study``; returns all left out.

    They stay on record. Results that are there are brought up to date.

    Raises:
        InputError: the study is not recorded, has nothing of that name, or it is validation.
    """

    def dropped(record: StudyRecord) -> list[LeftOut]:
        facts = record.facts
        chosen = [LeftOut(_kind_of(facts, name), name, DROPPED, why) for name in names]
        if any((one.kind, one.name) == ("dataset", VALIDATION) for one in chosen):
            raise InputError(
                "validation cannot be dropped: gaps and clusters are measured on it",
                "Drop models or diagnostics.",
            )
        taken = {(one.kind, one.name) for one in chosen}
        return [*(one for one in facts.left_out if (one.kind, one.name) not in taken), *chosen]

    return _change(study, location, progress, dropped)


def undo_drop(
    study: str, names: Sequence[str], location: Location, progress: Progress
) -> list[LeftOut]:
    """Count ``names`` again, which were dropped from ``study``; returns all that is left out.

    Raises:
        InputError: the study is not recorded, or one of them was not dropped from it.
    """

    def restored(record: StudyRecord) -> list[LeftOut]:
        now = {one.name: one for one in left_out(record)}
        dropped = {one.name for one in record.facts.left_out if one.reason == DROPPED}
        for name in names:
            _kind_of(record.facts, name)
            if name not in dropped:
                raise InputError(f"{name} was not dropped from {study!r}", _remedy(now.get(name)))
        return [
            one for one in record.facts.left_out if one.name not in names or one.reason != DROPPED
        ]

    return _change(study, location, progress, restored)


def _change(
    study: str,
    location: Location,
    progress: Progress,
    changed: Callable[[StudyRecord], list[LeftOut]],
) -> list[LeftOut]:
    changed(find_recorded(study, location, kinds=("model",)))  # before the lock makes a home
    with study_lock(location, study):
        record = find_recorded(study, location, kinds=("model",))
        wanted = changed(record)
        if wanted != list(record.facts.left_out):
            record = keep_left_out(record, wanted)
            show_left_out(record)
        if location.results_path.exists():
            ingest(location, progress)
    return left_out(record)


def _kind_of(facts: StudyFacts, name: str) -> str:
    """Whether ``name`` is a model or an evaluation set of the study."""
    models = [model.name for model in facts.models]
    sets = [data.name for data in facts.datasets]
    if name in models:
        return "model"
    if name in sets:
        return "dataset"
    known = [*models, *sets]
    near = get_close_matches(name, known, n=1)
    shown = ", ".join(known[:8]) + (", …" if len(known) > 8 else "")
    raise InputError(
        f"the study {facts.name!r} has no model or evaluation set {name!r}",
        f"Did you mean {near[0]}?" if near else f"It has {shown}.",
    )


def _remedy(one: LeftOut | None) -> str:
    if one is None:
        return "It counts already."
    if one.reason == FAILED:
        return (
            "It failed: evaluate.include_failed = true in the study file counts failed models "
            "(lmc-track run STUDY --set evaluate.include_failed=true)."
        )
    if one.reason == DROPPED:
        return "It goes with the model that its training ended with: name that one."
    return "It is not in the study file: put it back there, and run the study."
