"""Which MLflow experiments are studies, and what they are called.

A study is the experiment that has the tag ``lmc.study``, known by its id. It is called what the
experiment is called, so renaming that in MLflow renames the study. MLflow takes any text for a
name: where it is no name of a study, the study keeps the one in the tag. A run's own tag
``lmc.study`` is what the study was called when the run was made.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lmc_track.errors import InputError
from lmc_track.names import fitting_name, is_name
from lmc_track.tracking.advice import mlflow_command
from lmc_track.tracking.failures import reading_store
from lmc_track.tracking.store import Store, reporting
from lmc_track.tracking.tags import NOTE_TAG, STUDY_TAG

FORMER_TAG = "lmc.study.former"
"""Names that the study had before, a JSON list."""


@dataclass(frozen=True)
class StudyExperiment:
    """An experiment that is a study; times in milliseconds since 1970.

    ``name`` is the study's, ``title`` the experiment's, which differs where it is no name of a
    study. ``note`` is the experiment's description in MLflow.
    """

    experiment_id: str
    name: str
    title: str
    former: tuple[str, ...]
    deleted: bool
    artifact_uri: str
    note: str
    created: int
    changed: int


def all_studies(store: Store) -> list[StudyExperiment]:
    """Every study of the store in the order they were made, deleted ones too; no two of one name.

    Raises:
        InputError, WorkError: the store cannot be reached.
    """
    from mlflow.entities import ViewType

    if store.absent:
        return []
    client, found, token = store.client, [], None
    with reading_store(store.location):
        while True:
            page = client.search_experiments(ViewType.ALL, page_token=token)
            found += [one for one in page if STUDY_TAG in one.tags]
            token = page.token
            if not token:
                break
    ordered = sorted(found, key=lambda one: (one.creation_time or 0, one.name))
    names = _names(ordered)
    return [_study(one, names[one.experiment_id]) for one in ordered]


def _study(experiment: Any, name: str) -> StudyExperiment:
    tags = experiment.tags
    former = [*_former(tags), *([tags[STUDY_TAG]] if tags[STUDY_TAG] != name else [])]
    return StudyExperiment(
        experiment_id=experiment.experiment_id,
        name=name,
        title=experiment.name,
        former=tuple(dict.fromkeys(one for one in former if one != name)),
        deleted=experiment.lifecycle_stage == "deleted",
        artifact_uri=experiment.artifact_location or "",
        note=tags.get(NOTE_TAG, ""),
        created=experiment.creation_time or 0,
        changed=experiment.last_update_time or 0,
    )


def _former(tags: Mapping[str, str]) -> list[str]:
    """Whoever may write to a store may write anything there."""
    try:
        read = json.loads(tags.get(FORMER_TAG, "[]"))
    except (ValueError, RecursionError):
        return []
    return [one for one in read if isinstance(one, str)] if isinstance(read, list) else []


def _names(experiments: Iterable[Any]) -> dict[str, str]:
    """A name for each experiment by its id: of two that would have one, the fitting title wins."""
    experiments = list(experiments)
    names = {one.experiment_id: one.name for one in experiments if is_name(one.name)}
    taken = set(names.values())
    for one in experiments:
        if one.experiment_id in names:
            continue
        tag = one.tags[STUDY_TAG]
        name = tag if is_name(tag) else fitting_name(one.name)
        if name in taken:
            name = fitting_name(f"{name[:80]}-{one.experiment_id}")
        names[one.experiment_id] = name
        taken.add(name)
    return names


def study_called(store: Store, name: str) -> StudyExperiment | None:
    """The study ``name``; None where there is none.

    Raises:
        InputError: it is deleted, or MLflow has an experiment of that name that is not a study.
    """
    studies = all_studies(store)
    for one in studies:
        if one.name == name:
            if one.deleted:
                raise _deleted(store, one)
            return one
    if store.absent:
        return None
    with reporting(store.location):
        experiment = store.client.get_experiment_by_name(name)
    if experiment is None or any(one.experiment_id == experiment.experiment_id for one in studies):
        return None
    raise InputError(
        f"MLflow has an experiment {name!r} that is not a study of lmc-track",
        "Take another study.name, or rename that experiment in MLflow. If it was a study, it has "
        f"lost its tag {STUDY_TAG}: give it back there.",
    )


def _deleted(store: Store, study: StudyExperiment) -> InputError:
    restore = mlflow_command(
        store.location, "experiments", "restore", "--experiment-id", study.experiment_id
    )
    return InputError(
        f"the study {study.name!r} was deleted in MLflow",
        f"Restore it there, or with: {restore}. Or take another study.name.",
    )


def renamed_from(store: Store, name: str) -> StudyExperiment | None:
    """The newest study that was called ``name`` before it was renamed; None where none was."""
    found = [one for one in all_studies(store) if name in one.former and not one.deleted]
    return found[-1] if found else None


def former_tags(study: StudyExperiment, name: str) -> dict[str, str]:
    """The tags of a study that is called ``name`` from now on."""
    former = [one for one in (*study.former, study.name) if one != name]
    return {STUDY_TAG: name, FORMER_TAG: json.dumps(list(dict.fromkeys(former)))}
