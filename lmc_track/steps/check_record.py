"""Checks of the tracking store, the results file and the locks."""

from __future__ import annotations

import os
from collections.abc import Iterator

from lmc_track.errors import InputError, LmcTrackError
from lmc_track.steps.findings import Finding, fail, ok, warn
from lmc_track.tracking.inspection import (
    look_at,
    look_at_sqlite,
)
from lmc_track.tracking.location import Location
from lmc_track.tracking.lock_state import holder, is_held
from lmc_track.tracking.places import displacement
from lmc_track.tracking.schema_revision import installed_revision, other_revision
from lmc_track.warehouse.connection import Limits, reading

# A statistic of fewer runs than this share of those there are now misleads SQLite.
_STALE = 0.1
_FEW = 1_000


def check_store(location: Location) -> Iterator[Finding]:
    """Whether the store answers, which it is, and of which MLflow its tables are."""
    if location.lacks_store:
        yield ok("tracking store", f"{location.shown_uri} is not made yet")
        return
    look = look_at(location)
    studies = f"{look.studies} {'study' if look.studies == 1 else 'studies'}"
    yield ok("tracking store", f"{look.what} at {location.shown_uri}, {studies}")
    if look.revision is None:
        return
    if look.revision == installed_revision():
        yield ok("MLflow schema", f"revision {look.revision}, as the installed MLflow has it")
    else:
        other = other_revision(location, look.revision)
        yield fail("MLflow schema", other.message, other.remedy)


def check_place(location: Location) -> Iterator[Finding]:
    """Whether the store names this home for its artifacts."""
    check = "place of home"
    if location.lacks_store or location.artifact_root is None:
        return
    try:
        moved = displacement(location)
    except LmcTrackError:  # told by the check of the store
        return
    if moved is None:
        yield ok(check, f"{location.home}, where the store says")
    else:
        yield fail(check, moved.message, moved.remedy)


def check_sqlite(location: Location) -> Iterator[Finding]:
    """Whether SQLite lets readers go on beside a writer, and knows how to sort fast."""
    file = location.sqlite_file
    if file is None or not file.exists():
        return
    look = look_at_sqlite(file)
    if look.journal_mode == "wal":
        yield ok("SQLite journal", "WAL: readers and a writer do not wait for each other")
    else:
        yield warn(
            "SQLite journal",
            f"{look.journal_mode}: readers and a writer wait for each other",
            "Any command that works on a study sets WAL, where the file system allows it.",
        )
    counted = look.statistics
    if counted is None and look.runs < _FEW:
        yield ok("SQLite statistics", f"none, and not needed for {look.runs:,} runs")
    elif counted is None or counted < _STALE * look.runs:
        yield warn(
            "SQLite statistics",
            f"of {counted or 0:,} runs; there are {look.runs:,}",
            "The MLflow UI sorts slowly without: any command that works on a study makes them.",
        )
    else:
        yield ok("SQLite statistics", f"of {counted:,} runs; there are {look.runs:,}")


def check_results(location: Location) -> Iterator[Finding]:
    """Whether the results file can be read, and is of this program and this store."""
    path = location.results_path
    if not path.exists():
        yield ok("results", f"{path} is not made yet: lmc-track ingest makes it")
        return
    try:
        with reading(path, location.tracking_uri, Limits(seconds=10)) as connection:
            row = connection.execute("SELECT version, program FROM schema_version").fetchall()[0]
            models = connection.execute("SELECT count(*) FROM models").fetchall()[0][0]
    except InputError as error:
        yield fail("results", error.message, error.remedy)
        return
    yield ok("results", f"schema {row[0]} of lmc-track {row[1]}, {models:,} models")


def check_locks(location: Location) -> Iterator[Finding]:
    """Who holds the locks of the home."""
    held = [path for path in sorted(location.locks.glob("*.lock")) if is_held(path)]
    if not held:
        yield ok("locks", "none is held")
    for path in held:
        process = holder(path)
        name = path.stem.replace("study-", "study ", 1)
        if process is None:
            yield ok("locks", f"{name}: held, somebody works on it")
        elif _lives(process):
            yield ok("locks", f"{name}: held by process {process}")
        else:
            yield fail(
                "locks",
                f"{name}: held by process {process}, which is gone",
                f"If no other machine works on it, remove {path}.",
            )


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
