"""Whether the files of the record are, byte for byte, what was written."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lmc_track.errors import InputError, LmcTrackError
from lmc_track.steps.damage import Damage, remedies
from lmc_track.steps.findings import Finding, fail, ok, warn
from lmc_track.steps.model_folders import weights_folder
from lmc_track.tracking.artifact_reading import DamagedArtifactError
from lmc_track.tracking.location import Location
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.stamps import artifacts_of
from lmc_track.tracking.store import Store
from lmc_track.tracking.studies import StudyRecord, find_study, study_names

# Damaged artifacts of one study that have a line of their own.
_MOST_TOLD = 50


@dataclass
class _Counted:
    verified: int = 0
    bytes: int = 0
    unknown: int = 0
    damaged: list[Damage] = field(default_factory=list)


def check_files(location: Location, study: str | None = None) -> Iterator[Finding]:
    """Size and SHA-256 of every artifact of all recorded studies, or of ``study`` alone.

    All that is recorded is read: of a server, it is fetched.

    Raises:
        InputError: ``study`` is not recorded.
    """
    store = Store(location)
    names = study_names(store)
    if study is not None and study not in names:
        raise InputError(
            f"There is no study {study!r} in {location.shown_uri}", "Correct its name."
        )
    for name in names if study is None else [study]:
        check = f"files of {name}"
        try:
            record = find_study(store, name)
        except LmcTrackError as error:
            yield fail(check, error.message, error.remedy)
            continue
        if record is not None:
            yield from _findings(check, _count(record, location))


def _findings(check: str, counted: _Counted) -> Iterator[Finding]:
    for one in counted.damaged[:_MOST_TOLD]:
        yield fail(check, str(one), " ".join(remedies([one])))
    if len(counted.damaged) > _MOST_TOLD:
        more = len(counted.damaged) - _MOST_TOLD
        yield fail(check, f"{more:,} more artifacts are damaged", "See those above.")
    if counted.unknown:
        yield warn(
            check,
            f"{counted.unknown:,} artifacts are not verifiable: they were recorded by a version "
            "that kept no digests",
            "They are there; ingest finds out whether they can be read and fit their numbers.",
        )
    if not counted.damaged:
        size = counted.bytes / 1e6
        yield ok(check, f"{counted.verified:,} artifacts ({size:,.1f} MB) are what was written")


def _count(record: StudyRecord, location: Location) -> _Counted:
    counted = _Counted()
    for run in [record.run, *(one for one in record.index.finished() if one is not record.run)]:
        _count_run(record, run, counted)
        if run.kind == "model" and _stays_elsewhere(run):
            try:
                weights_folder(record.artifacts, location, run, os.environ | _OFFLINE)
            except DamagedArtifactError:
                continue  # counted already
            except LmcTrackError as error:
                origin = run.params.get("origin", "")
                counted.damaged.append(
                    Damage(record.facts.name, run, "checkpoint", origin, error.message)
                )
    return counted


_OFFLINE = {"HF_HUB_OFFLINE": "1"}


def _stays_elsewhere(run: RunEntry) -> bool:
    return run.params.get("weights_artifact", "model") != "model"


def _count_run(record: StudyRecord, run: RunEntry, counted: _Counted) -> None:
    folder = record.recorder.store.folder_of(run.artifact_uri)
    for name, stamp in artifacts_of(run):
        with tempfile.TemporaryDirectory() as place:
            hidden = False
            try:
                if folder is not None:
                    file = folder / name
                else:
                    file = record.artifacts.fetch(run.run_id, name, Path(place))
                if stamp is not None:
                    why = stamp.difference(file)
                    hidden = why is not None and stamp.difference(file, whole=False) is None
                else:
                    # An older version did not give every path its curves.
                    why = None if file.exists() or run.kind == "path" else "it is missing"
            except LmcTrackError as error:
                file, why = Path(name), error.message
            if why is not None:
                counted.damaged.append(Damage(record.facts.name, run, name, str(file), why, hidden))
            elif stamp is None:
                counted.unknown += 1
            else:
                counted.verified += 1
                counted.bytes += stamp.size
