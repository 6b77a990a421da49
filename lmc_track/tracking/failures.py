"""What MLflow, a database or a server said when it failed, as an error that tells what to do."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lmc_track.errors import InputError, LmcTrackError, WorkError
from lmc_track.redaction import redacted
from lmc_track.tracking.location import Location

_LOGIN = "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
_ORIGIN = re.compile(r"^\([\w.]+\) ")
_UNAUTHENTICATED, _FORBIDDEN = 401, 403
_GENERAL = "Check that it exists and answers; --tracking-uri names another."

_AGAIN = "then run the same command again: finished work is kept."

# What SQLite and the machine say of work that had begun, and what helps.
_WORK_REMEDIES = (
    (
        re.compile("database is locked"),
        f"Another program keeps it locked for long: end it, {_AGAIN}",
    ),
    (
        re.compile("(?i)database or disk is full|no space left|quota exceeded|file too large"),
        f"There is no room left on its disk: make room, {_AGAIN}",
    ),
    (
        re.compile("disk I/O error"),
        f"Its disk cannot be written: look for room and for faults of the disk, {_AGAIN}",
    ),
    (
        re.compile("(?i)readonly database|read-only file system"),
        f"Let this user write the file and its folder, {_AGAIN}",
    ),
    (
        re.compile("(?i)malformed|not a database|corrupt|could not decode"),
        "The file is damaged: restore it from a backup. SQLite's own program can save what is left "
        "of it: sqlite3 FILE .recover",
    ),
    (
        re.compile("^it does not answer"),
        f"Check that it runs, or name another with --tracking-uri, {_AGAIN}",
    ),
)

# What PostgreSQL says of a connection that it refuses, and what helps.
_DATABASE_REMEDIES = (
    (
        re.compile(r'database ".*" does not exist'),
        "Make the database first, such as with PostgreSQL's own createdb; its tables are made "
        "by lmc-track.",
    ),
    (
        re.compile("password authentication failed|no password supplied"),
        "Give the password in PGPASSWORD, in ~/.pgpass or as part of MLFLOW_TRACKING_URI.",
    ),
    (
        re.compile("permission denied"),
        "Ask the owner of the database for the right to make and write tables in it.",
    ),
)


def failure(error: Exception, location: Location, *, opening: bool = False) -> LmcTrackError:
    """The error to raise in the place of ``error``, which came of using the tracking store.

    ``opening``: whether that was the first use, before which no work had begun.
    """
    status = _http_status(error)
    if status == _UNAUTHENTICATED:
        return _unknown_user(location)
    reason = _reason(error)
    if status == _FORBIDDEN and "Permission denied" in reason:
        return _lacking_permission(location)
    known = (*_WORK_REMEDIES, *_DATABASE_REMEDIES)
    remedies = (remedy for said, remedy in known if said.search(reason))
    closed = isinstance(error, OSError) or "open" in reason or "connect" in reason.lower()
    kind = InputError if opening and closed else WorkError
    return kind(
        f"the tracking store {location.shown_uri} cannot be used: {reason}",
        next(remedies, _GENERAL),
    )


def _http_status(error: Any) -> int | None:
    """The status that a server answered with: MLflow has it, and requests, each in its way."""
    if hasattr(error, "get_http_status_code"):
        return int(error.get_http_status_code())
    return getattr(getattr(error, "response", None), "status_code", None)


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    reason = redacted(_ORIGIN.sub("", lines[0]))[:300]
    if "Max retries exceeded" in reason:
        return "it does not answer, so no connection was made"
    return reason


def _unknown_user(location: Location) -> InputError:
    user = _user()
    where = f"the tracking server {location.shown_uri}"
    if user is None:
        return InputError(
            f"{where} wants to know who you are",
            f"Set {_LOGIN}, or write them to MLflow's own ~/.mlflow/credentials.",
        )
    return InputError(
        f"{where} does not know the user {user!r} with this password",
        f"Set {_LOGIN} to what its administrator gave you.",
    )


def _lacking_permission(location: Location) -> InputError:
    return InputError(
        f"the tracking server {location.shown_uri} does not permit this to the user {_user()!r}",
        "Ask its administrator for the permission to edit the study's experiment, or take "
        "another study.name.",
    )


def _user() -> str | None:
    """Whom MLflow says to be, by the environment or its own file."""
    from mlflow.utils.credentials import read_mlflow_creds

    name: str | None = read_mlflow_creds().username
    return name


@contextmanager
def reporting(location: Location, *, opening: bool = False) -> Iterator[None]:
    """Turn MLflow's own failures into errors that name the store; see ``failure``."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise failure(error, location, opening=opening) from error


@contextmanager
def reading_store(location: Location) -> Iterator[None]:
    """As ``reporting``; and what MLflow cannot make sense of is told as damage of the store."""
    try:
        with reporting(location):
            yield
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        reason = str(error).strip().partition("\n")[0][:200]
        raise WorkError(
            f"the tracking store {location.shown_uri} holds something that MLflow cannot read: "
            f"{type(error).__name__}: {reason}",
            "Restore it from a backup.",
        ) from error
