"""Putting published memberships on record, as a clustering that was not found here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from lmc_track.analysis.clustering import number_clusters
from lmc_track.errors import InputError
from lmc_track.importers.memberships import Memberships
from lmc_track.importers.naming import NamedModel
from lmc_track.progress import Progress
from lmc_track.steps.cluster_records import PUBLISHED, ClusteringOutcome, record_known
from lmc_track.steps.import_records import record_models
from lmc_track.steps.import_study import Import, StudyWords, importing
from lmc_track.tracking.left_out import counting
from lmc_track.tracking.location import Location
from lmc_track.tracking.studies import StudyRecord

REST = "others"


@dataclass(frozen=True)
class ImportedClusters:
    """What an import of memberships did: sizes by cluster number, and models left out."""

    outcome: ClusteringOutcome
    sizes: tuple[int, ...]
    labels: tuple[str, ...]
    n_outside: int


def import_clusters(
    study: str,
    memberships: Memberships,
    location: Location,
    progress: Progress,
    words: StudyWords | None = None,
) -> ImportedClusters:
    """Record ``memberships`` as a clustering of ``study``, by the method ``published``.

    A study that does not exist is made of the models that are named. Of one that exists, models
    that are not named are one cluster more where the file says so, and else in none.

    Raises:
        InputError: the study has no such model, or there would be no others. Nothing was recorded.
    """
    source = f"memberships {memberships.file.name}"
    with importing(study, location, words or StudyWords(), StudyWords()) as work:
        members = _members(work, memberships)
        if work.is_imported:
            work.facts = replace(work.facts, primary_method=PUBLISHED)
        record = work.record()
        _record_missing(record, members, memberships, source)
        counted = counting(record).facts.models
        models = [model for model in counted if model.key in members]
        if not models:
            raise InputError(
                f"every model that {memberships.file} names is left out of the study {study!r}",
                f"See how they count again: lmc-track drop {study}",
            )
        texts = [members[model.key] for model in models]
        order = list(dict.fromkeys(texts))
        labels = number_clusters(np.array([order.index(text) for text in texts]))
        numbered = dict(zip(labels.tolist(), texts, strict=True))
        names = tuple(numbered[number] for number in sorted(numbered))
        sizes = tuple(texts.count(name) for name in names)
        listed = " and ".join(filter(None, [", ".join(map(str, sizes[:-1])), str(sizes[-1])]))
        decision = f"Published, not found here ({source}): clusters of {listed} models."
        settings = {"source": memberships.file.name, "labels": list(names)}
        outcome = record_known(
            record, PUBLISHED, [m.key for m in models], labels.tolist(), settings, decision
        )
    outside = len(record.facts.models) - len(models)
    return ImportedClusters(outcome, sizes, names, outside)


def _record_missing(
    record: StudyRecord, members: Mapping[str, str], told: Memberships, source: str
) -> None:
    """Runs of imported models that have none: of a study that memberships alone make."""
    named = {model.name: model for model, _ in told.members}
    missing = [
        (model, named.get(model.name, NamedModel(model.name, model.name, str(told.file))))
        for model in record.facts.models
        if model.key in members and record.index.find("model", model.key) is None
    ]
    for run in record_models(record, missing, source).values():
        record.recorder.finish(run)
        record.index.add(run)


def _members(work: Import, told: Memberships) -> dict[str, str]:
    """The label of the cluster of each model, by the key that it has in the study."""
    known = {model.name: model for model in work.facts.models}
    members: dict[str, str] = {}
    for named, label in told.members:
        if work.existing is not None and named.name not in known:
            shown = ", ".join(list(known)[:6]) + (", …" if len(known) > 6 else "")
            raise InputError(
                f"{named.where}: the study {work.name!r} has no model {named.name!r}",
                f"Its models are {shown}; --match and --name say what models are called here.",
            )
        members[work.model(named).key] = label
    if told.rest:
        others = [
            model.key
            for model in work.facts.models
            if model.key not in members and (model.source == "imported" or work.has_run(model))
        ]
        if not others:
            raise InputError(
                f"{told.file} names one cluster, and the study {work.name!r} has no other models",
                "Import the models first, such as with: lmc-track import scores",
            )
        members |= dict.fromkeys(others, REST)
    return members
