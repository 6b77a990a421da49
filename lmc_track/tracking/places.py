"""Where a store says that its artifacts are, and where they are on this machine.

MLflow records absolute addresses. A home that was moved, or copied, has its artifacts beside its
database all the same, so what is below a folder that the home has is looked for in the home. That
is enough to read. Before anything is written the store has to name the home itself
(``rerooting``): MLflow would write to the recorded place, which may be another home.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from lmc_track.errors import InputError
from lmc_track.tracking.advice import own_command
from lmc_track.tracking.database import engine_of
from lmc_track.tracking.failures import reporting
from lmc_track.tracking.location import Location
from lmc_track.tracking.tags import KIND_TAG, STUDY_TAG

_PATIENCE = 30
"""Seconds to wait for a writer."""


def local_folder(artifact_uri: str) -> Path | None:
    """The folder behind a ``file:`` artifact URI; None where a server holds the artifacts."""
    parts = urlsplit(artifact_uri)
    return Path(unquote(parts.path)) if parts.scheme in ("", "file") else None


class Standing(Enum):
    """How a recorded folder of artifacts stands to the home that the store is opened with."""

    IN_PLACE = "the folder of this home, or one that no home has"
    MOVED = "only this home has what is recorded there"
    COPIED = "this home has what is recorded there, and so has the recorded place"
    FOREIGN = "another home has it, and this one, whose own store names it, has not"


@dataclass(frozen=True)
class Root:
    """A folder that a store names for the artifacts of its studies.

    ``text`` is its address as recorded, without a slash at its end; ``folder`` is None where that
    is not a folder of this machine.
    """

    text: str
    folder: Path | None
    standing: Standing

    @property
    def in_home(self) -> bool:
        """Whether what is recorded there is in the home, which is another place."""
        return self.standing in (Standing.MOVED, Standing.COPIED)


class Places:
    """Finds the artifacts of one store's runs."""

    def __init__(self, location: Location, roots: Iterable[Root]) -> None:
        self.roots = tuple(roots)
        self._artifacts = location.own_artifacts
        self._elsewhere = tuple(root.text for root in self.roots if root.in_home)

    def folder(self, artifact_uri: str) -> Path | None:
        """The folder of artifacts that are recorded at ``artifact_uri``; None as local_folder."""
        for root in self._elsewhere:
            if artifact_uri.startswith(f"{root}/"):
                below = PurePosixPath(unquote(artifact_uri[len(root) + 1 :]))
                if ".." not in below.parts and not below.is_absolute():
                    return self._artifacts / below
        return local_folder(artifact_uri)


@contextmanager
def plain_connection(location: Location) -> Iterator[Any]:
    """A connection that only reads, to a database that is there; MLflow has no part in it.

    Raises:
        InputError, WorkError: it cannot be reached.
    """
    with reporting(location, opening=True):
        file = location.sqlite_file
        engine = engine_of(location.tracking_uri) if file is None else _reader(location, file)
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()


def _reader(location: Location, file: Path) -> Any:
    import sqlalchemy

    # What nobody here may write has to be told apart: see ``Location.opened_uri``.
    settled = location.opened_uri != location.tracking_uri
    uri = f"file:{quote(str(file))}?{'immutable=1' if settled else 'mode=ro'}"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(uri, uri=True, timeout=_PATIENCE)

    return sqlalchemy.create_engine("sqlite://", creator=connect, poolclass=sqlalchemy.NullPool)


def places_of(location: Location) -> Places:
    """Where the store of ``location`` says its artifacts are, compared with what is there.

    Raises:
        InputError, WorkError: the store cannot be reached.
    """
    if location.artifact_root is None or location.lacks_store:
        return Places(location, ())
    with plain_connection(location) as connection:
        return Places(location, _roots(connection, location))


def _roots(connection: Any, location: Location) -> list[Root]:
    from sqlalchemy import inspect

    if not inspect(connection).has_table("experiment_tags"):
        return []
    studies = _column(
        connection,
        "SELECT DISTINCT e.artifact_location FROM experiments e JOIN experiment_tags t "
        "ON t.experiment_id = e.experiment_id WHERE t.key = :key",
        {"key": STUDY_TAG},
    )
    texts = {parent for one in studies if (parent := one.rpartition("/")[0])}
    strange = {text for text in texts if not _is_own(text, location)}
    if not strange:
        return []
    # The run of a study is there from the beginning, and has an artifact.
    witnesses = _column(
        connection,
        "SELECT r.artifact_uri FROM runs r JOIN tags t ON t.run_uuid = r.run_uuid "
        "WHERE t.key = :key AND t.value = 'study' AND r.lifecycle_stage = 'active'",
        {"key": KIND_TAG},
    ) or list(studies)
    return [_root(text, [*witnesses, *studies], location) for text in sorted(strange)]


def _column(connection: Any, statement: str, values: dict[str, str]) -> list[str]:
    from sqlalchemy import text

    return [row[0] for row in connection.execute(text(statement), values) if row[0]]


def _is_own(text: str, location: Location) -> bool:
    if text == location.artifact_root:
        return True
    folder = local_folder(text)
    # By another path, such as through a link or a second mount, the home is still the same.
    return folder is not None and _same(folder.parent, location.home)


def _root(text: str, named: Iterable[str], location: Location) -> Root:
    folder = local_folder(text)
    if folder is None:
        return Root(text, None, Standing.IN_PLACE)
    below = [unquote(one[len(text) + 1 :]) for one in named if one.startswith(f"{text}/")]
    # Runs say more than the folders of studies, whose names another home may have as well.
    runs = [one for one in below if "/" in one] or below
    here = any(_is_there(location.own_artifacts / one) for one in runs)
    there = any(_is_there(folder / one) for one in runs)
    if here:
        return Root(text, folder, Standing.COPIED if there else Standing.MOVED)
    foreign = there and location.has_own_store and _is_there(folder.parent / "mlflow.db")
    return Root(text, folder, Standing.FOREIGN if foreign else Standing.IN_PLACE)


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # what may not be looked at may be there
        return True


class DisplacedHomeError(InputError):
    """The store names another folder than the home that it is opened with."""


def check_in_place(location: Location) -> None:
    """Refuse to write to a store that names another place than this home.

    Raises:
        DisplacedHomeError: it does.
        InputError, WorkError: the store cannot be reached.
    """
    for root in places_of(location).roots:
        if root.standing is not Standing.IN_PLACE:
            raise displaced(location, root)


def displacement(location: Location) -> DisplacedHomeError | None:
    """What ``check_in_place`` would refuse, for those who only read."""
    try:
        check_in_place(location)
    except DisplacedHomeError as error:
        return error
    return None


def displaced(location: Location, root: Root) -> DisplacedHomeError:
    """What to tell of a ``root`` that is not in place, and what to do."""
    home, before = location.home, root.folder.parent if root.folder else root.text
    if root.standing is Standing.MOVED:
        return DisplacedHomeError(
            f"the home {home} was moved: its store {location.shown_uri} still names {before}",
            f"Take it up where it is now: {own_command(location, 'move')}",
        )
    if root.standing is Standing.FOREIGN:
        return DisplacedHomeError(
            f"the store {location.shown_uri} names the artifacts of another home, {before}, and "
            f"{home} does not have them",
            "Copy that home as a whole, or open it where it is: --home " + str(before),
        )
    moved = own_command(location, "move", "--move")
    if not location.has_own_store:
        return DisplacedHomeError(
            f"the store {location.shown_uri} names the artifacts in {before}, which is there, and "
            f"{home} has copies of them",
            f"Go on with those of the store: --home {before}. Or make the store use these: {moved}",
        )
    return DisplacedHomeError(
        f"the home {home} is a copy: its store names the artifacts of {before}, which is there",
        f"Make it a home of its own: {own_command(location, 'move', '--copy')}. Or, where it is "
        f"to take the place of the other: {moved}",
    )
