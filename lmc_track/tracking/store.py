"""The connection to one MLflow tracking store."""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import AbstractContextManager, closing, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any

from filelock import FileLock

from lmc_track.tracking.database import opening
from lmc_track.tracking.failures import reporting as reporting
from lmc_track.tracking.location import Location, is_read_only, prepare
from lmc_track.tracking.places import Places, local_folder, places_of
from lmc_track.tracking.schema_revision import check_revision

_NOISY = ("mlflow", "alembic", "sqlalchemy")


class Store:
    """One tracking store, opened on first use."""

    def __init__(self, location: Location) -> None:
        self.location = location

    @property
    def absent(self) -> bool:
        """Whether the store is an SQLite file that nobody has made yet: there is nothing in it."""
        return self.location.lacks_store

    @cached_property
    def client(self) -> Any:
        """An ``MlflowClient`` on the store; the home and an SQLite file are made when missing.

        A home that is there and cannot be written is read as it is.

        Raises:
            InputError: the home cannot be made, or the store cannot be reached.
        """
        if not is_read_only(self.location):
            prepare(self.location)
        os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
        # A server that is gone should be reported, not waited for during minutes.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
        for name in _NOISY:
            logging.getLogger(name).setLevel(logging.WARNING)
        from mlflow.tracking import MlflowClient

        _quiet()
        with reporting(self.location, opening=True):
            if self.absent:
                self._make()
            with self._opening():
                # In here, since another program may be making the tables, revision by revision.
                if self.location.artifact_root is not None:
                    check_revision(self.location)
                client = MlflowClient(tracking_uri=self.opened_uri)
                client.search_experiments(max_results=1)
            if self.opened_uri == self.location.tracking_uri:
                self._use_wal()
        return client

    def _opening(self) -> AbstractContextManager[None]:
        if self.location.artifact_root is None or self.location.sqlite_file is not None:
            return nullcontext()
        return opening(self.location.tracking_uri)

    @property
    def opened_uri(self) -> str:
        return self.location.opened_uri

    @cached_property
    def _places(self) -> Places:
        return places_of(self.location)

    def folder_of(self, artifact_uri: str) -> Path | None:
        """Where artifacts that are recorded at ``artifact_uri`` are on this machine.

        In the home, where it has them; None where a server holds them.
        """
        root = self.location.artifact_root
        if root is None or artifact_uri.startswith(f"{root}/"):
            return local_folder(artifact_uri)
        return self._places.folder(artifact_uri)

    def _make(self) -> None:
        """Make the SQLite store, whole under its name or not at all.

        MLflow makes the tables in many steps. Two programs that begin at once would get into
        each other's, and one that is killed among them would leave a file that nothing can open.
        """
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        file = self.location.sqlite_file
        assert file is not None
        with FileLock(self.location.locks / "store.lock"):
            if file.exists():
                return
            unfinished = file.with_name(f".{file.name}.new")
            unfinished.unlink(missing_ok=True)
            store = SqlAlchemyStore(f"sqlite:///{unfinished}", self.location.artifact_root)
            _quiet()  # what was imported for it has loggers of its own
            store.engine.dispose()
            unfinished.replace(file)

    def _use_wal(self) -> None:
        """Readers such as the MLflow UI then never wait for a writer, nor it for them."""
        self._tell_sqlite("PRAGMA journal_mode=WAL")

    def analyze(self) -> None:
        """Give SQLite the statistics without which the MLflow UI sorts slowly."""
        self._tell_sqlite("ANALYZE")

    def _tell_sqlite(self, statement: str) -> None:
        """Execute ``statement`` where the store is an SQLite file."""
        file = self.location.sqlite_file
        if file is None:
            return
        with reporting(self.location), closing(sqlite3.connect(file, timeout=30)) as connection:
            connection.execute(statement)


def _quiet() -> None:
    # Creating the SQLite store logs a line for every migration; none is the user's business.
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    # It prints the traceback of every error that it raises.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
