"""The revision of MLflow's tables in a database: compared before use, changed only when asked.

MLflow itself brings an older database to its own revision whenever it opens one, as far as a table
is missing, without a copy and without a word.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from lmc_track.errors import InputError
from lmc_track.tracking.advice import own_command
from lmc_track.tracking.backup import back_up
from lmc_track.tracking.database import engine_of, is_postgresql, opening
from lmc_track.tracking.failures import reporting
from lmc_track.tracking.location import Location, prepare
from lmc_track.tracking.places import plain_connection


@lru_cache(maxsize=1)
def installed_revision() -> str:
    """The revision of the tables that the installed MLflow works with."""
    from mlflow.store.db.utils import _get_latest_schema_revision

    return str(_get_latest_schema_revision())


def recorded_revision(location: Location) -> str | None:
    """The revision of the tables in a database that is there; None where it has none yet.

    Raises:
        InputError, WorkError: the database cannot be read.
    """
    from sqlalchemy import inspect, text

    with plain_connection(location) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if found is None else str(found)


def check_revision(location: Location) -> None:
    """Refuse a database whose tables are not those of the installed MLflow; nothing is changed.

    Raises:
        InputError: they are older or newer, or the database cannot be reached.
    """
    found = recorded_revision(location)
    if found is not None and found != installed_revision():
        raise other_revision(location, found)


def other_revision(location: Location, found: str) -> InputError:
    """What to tell of tables with the revision ``found``, and what to do."""
    import mlflow

    installed = f"the installed MLflow {mlflow.__version__} has {installed_revision()}"
    store = f"the tracking store {location.shown_uri}"
    if _is_older(found):
        copy = " (a copy of the file is kept)" if location.sqlite_file else ""
        before = "" if location.sqlite_file else "make a backup, then "
        return InputError(
            f"{store} was written by an older MLflow: its tables have the revision {found}, "
            f"{installed}",
            f"To bring them up to date, {before}run: {own_command(location, 'upgrade')}{copy}. "
            "Or install the MLflow that wrote it.",
        )
    return InputError(
        f"{store} was written by a newer MLflow, or is damaged: its tables have the revision "
        f"{found}; {installed} and does not know it",
        "Install the MLflow that wrote it: pip install --upgrade mlflow",
    )


def _is_older(revision: str) -> bool:
    """Whether the installed MLflow knows how to come from ``revision`` to its own."""
    from alembic.script import ScriptDirectory
    from alembic.util.exc import CommandError
    from mlflow.store.db.utils import _get_alembic_config

    try:
        folder = _get_alembic_config("").get_main_option("script_location")
        return ScriptDirectory(folder).get_revision(revision) is not None
    except CommandError:
        return False


@dataclass(frozen=True)
class Upgrade:
    """Revisions of the tables ``before`` and ``after``; ``copy`` is of the file as it was."""

    before: str
    after: str
    copy: Path | None

    @property
    def done(self) -> bool:
        return self.before != self.after


def upgrade_tables(location: Location) -> Upgrade:
    """Bring the tables to the revision of the installed MLflow, an SQLite file copied before.

    Raises:
        InputError: there is no database, or it is a newer one, or a server stands before it.
        WorkError: it cannot be changed.
    """
    if location.artifact_root is None:
        raise InputError(
            f"{location.shown_uri} is a server, whose owner keeps its database",
            "Where that is: mlflow db upgrade DATABASE, after a backup.",
        )
    if location.lacks_store or (before := recorded_revision(location)) is None:
        raise InputError(
            f"there is no tracking store at {location.shown_uri}", "--home names another place."
        )
    after = installed_revision()
    if before == after:
        return Upgrade(before, after, None)
    if not _is_older(before):
        raise other_revision(location, before)
    prepare(location)
    with reporting(location):
        copy = back_up(location, f"before-upgrade-from-{before}")
        if is_postgresql(location.tracking_uri):
            with opening(location.tracking_uri):
                _upgrade(location)
        else:
            _upgrade(location)
    return Upgrade(before, after, copy)


def _upgrade(location: Location) -> None:
    import logging

    from mlflow.store.db.utils import _upgrade_db

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    engine: Any = engine_of(location.tracking_uri)
    try:
        _upgrade_db(engine)
    finally:
        engine.dispose()
