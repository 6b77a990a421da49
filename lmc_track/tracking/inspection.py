"""Looking at a tracking store without changing it, or making one where there is none."""

from __future__ import annotations

import logging
import os
import socket
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from lmc_track.errors import InputError, WorkError
from lmc_track.tracking.failures import reporting
from lmc_track.tracking.location import Location
from lmc_track.tracking.places import plain_connection
from lmc_track.tracking.tags import STUDY_TAG

_SECONDS = 5
_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mysql": "MySQL", "mssql": "SQL Server"}


@dataclass(frozen=True)
class StoreLook:
    """``what`` is the store with its version; ``revision`` is that of its tables, None where a
    server does not tell."""

    what: str
    studies: int
    revision: str | None


def look_at(location: Location) -> StoreLook:
    """What the store of ``location`` is, which must be there.

    Raises:
        InputError, WorkError: it cannot be reached, or is damaged.
    """
    if location.artifact_root is None:
        return _look_at_server(location)
    from sqlalchemy import text

    with plain_connection(location) as connection:
        name = connection.dialect.name
        version = ".".join(map(str, connection.dialect.server_version_info or ()))
        revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
        studies = connection.scalar(
            text(
                "SELECT count(*) FROM experiment_tags t JOIN experiments e "
                "ON e.experiment_id = t.experiment_id "
                "WHERE t.key = :key AND e.lifecycle_stage = 'active'"
            ),
            {"key": STUDY_TAG},
        )
    return StoreLook(f"{_NAMES.get(name, name)} {version}", int(studies or 0), revision)


def _look_at_server(location: Location) -> StoreLook:
    parts = urlsplit(location.tracking_uri)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), _SECONDS).close()
    except OSError as error:
        raise InputError(
            f"nobody answers at {parts.hostname}:{port}: {error.strerror or error}",
            "Start the server, or name another with --tracking-uri.",
        ) from None
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", str(2 * _SECONDS))
    for name in ("mlflow", "urllib3"):
        logging.getLogger(name).setLevel(logging.ERROR)
    from mlflow.tracking import MlflowClient

    with reporting(location, opening=True):
        client = MlflowClient(tracking_uri=location.tracking_uri)
        found = client.search_experiments(filter_string=f"tags.`{STUDY_TAG}` LIKE '%'")
    return StoreLook(f"MLflow server {_server_version(location)}".strip(), len(found), None)


def _server_version(location: Location) -> str:
    from mlflow.exceptions import MlflowException
    from mlflow.utils.rest_utils import MlflowHostCreds, http_request

    try:
        answer: Any = http_request(MlflowHostCreds(location.tracking_uri), "/version", "GET")
        return str(answer.text).strip()[:40] if answer.status_code == 200 else ""
    except (MlflowException, OSError):
        return ""


@dataclass(frozen=True)
class SqliteLook:
    """``statistics`` says for how many runs SQLite has counted its tables; None: never."""

    journal_mode: str
    runs: int
    statistics: int | None


def look_at_sqlite(file: Path) -> SqliteLook:
    """How an SQLite store is set up.

    Raises:
        WorkError: it cannot be read.
    """
    try:
        connection = sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True, timeout=_SECONDS)
        try:
            mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
            runs = connection.execute("SELECT count(*) FROM runs").fetchone()[0]
            counted = connection.execute(
                "SELECT name FROM sqlite_master WHERE name = 'sqlite_stat1'"
            ).fetchone()
            told = (
                counted
                and connection.execute(
                    "SELECT stat FROM sqlite_stat1 WHERE tbl = 'runs' AND stat IS NOT NULL"
                ).fetchone()
            )
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise WorkError(
            f"{file} cannot be read: {error}", "Restore it from a backup, or move it away."
        ) from None
    return SqliteLook(str(mode), int(runs), int(told[0].split()[0]) if told else None)
