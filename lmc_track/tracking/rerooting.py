"""Making a store name the home that it is in: every address in one transaction, or none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from lmc_track.errors import InputError, WorkError
from lmc_track.tracking.backup import back_up
from lmc_track.tracking.database import engine_of
from lmc_track.tracking.failures import reporting
from lmc_track.tracking.location import Location, prepare
from lmc_track.tracking.places import Root, Standing, displaced, local_folder, places_of

_COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
    ("trace_tags", "value"),
)
"""Where MLflow's tables have addresses of artifacts; a database may lack the later ones."""


@dataclass(frozen=True)
class Move:
    """What was done: ``roots`` name the home now, ``copy`` is of the SQLite file as it was.

    ``lost`` are ids of runs whose artifacts are not in the home.
    """

    roots: tuple[Root, ...]
    rows: int
    copy: Path | None
    lost: tuple[str, ...]


def take_up(location: Location, *, copy: bool = False, move: bool = False) -> Move:
    """Make the store name this home wherever it names a place whose artifacts the home has.

    Where that place still has them too, ``copy`` says that this home is a copy of it, which only a
    home with a store of its own can be, and ``move`` that it takes its place.

    Raises:
        InputError: it is not said which of the two, or the home lacks the artifacts.
        WorkError: the home is being worked on, or its database cannot be changed.
    """
    roots = _displaced_roots(location, copy=copy, move=move)
    if not roots:
        return Move((), 0, None, ())
    prepare(location)
    with _alone(location), reporting(location):
        roots = _displaced_roots(location, copy=copy, move=move)  # nobody changes them now
        kept = back_up(location, "before-move")
        rows, lost = _rewrite(location, roots)
    return Move(tuple(roots), rows, kept, lost)


def _displaced_roots(location: Location, *, copy: bool, move: bool) -> list[Root]:
    found = [r for r in places_of(location).roots if r.standing is not Standing.IN_PLACE]
    for root in found:
        if root.standing is Standing.FOREIGN or (
            root.standing is Standing.COPIED and not (copy or move)
        ):
            raise displaced(location, root)
        if root.standing is Standing.COPIED and copy:
            _check_copy(location, root)
    return found


def _check_copy(location: Location, root: Root) -> None:
    assert root.folder is not None
    if not location.has_own_store:
        raise InputError(
            f"the store {location.shown_uri} is one for both homes: {root.folder.parent} would "
            "lose what this one takes",
            "Copy the database as well and name the copy with --tracking-uri, with --move; or "
            "share the results with lmc-track export.",
        )
    if root.folder.resolve() == location.own_artifacts.resolve():
        raise InputError(
            f"{location.own_artifacts} is a link to {root.folder.resolve()}, which is that of the "
            "other home too",
            "Put a copy of that folder in the place of the link.",
        )


@contextmanager
def _alone(location: Location) -> Iterator[None]:
    """Nobody works on any study of the home, nor ingests, while this lasts."""
    with ExitStack() as held:
        for path in sorted({location.locks / "move.lock", *location.locks.glob("*.lock")}):
            lock = FileLock(path, timeout=0)
            try:
                held.enter_context(lock)
            except Timeout:
                raise WorkError(
                    f"another lmc-track is working in {location.home} (lock {path})",
                    "Wait until it is done, or end it.",
                ) from None
        yield


def _rewrite(location: Location, roots: Sequence[Root]) -> tuple[int, tuple[str, ...]]:
    """Rewrite the addresses; how many rows that were, and the runs that have no artifacts here."""
    from sqlalchemy import text

    new = location.own_artifacts.as_uri()
    engine = engine_of(location.tracking_uri)
    try:
        with engine.begin() as connection:
            tables = _tables(connection)
            for name, column in _COLUMNS:
                if name in tables and column in tables[name].c:
                    _check_length(connection, tables[name].c[column], roots, new)
            rows = sum(
                _rewrite_column(connection, tables[name].c[column], root.text, new)
                for root in roots
                for name, column in _COLUMNS
                if name in tables and column in tables[name].c
            )
            uris = connection.execute(
                text("SELECT run_uuid, artifact_uri FROM runs WHERE lifecycle_stage = 'active'")
            ).all()
    finally:
        engine.dispose()
    folders = ((run, local_folder(uri)) for run, uri in uris if uri.startswith(f"{new}/"))
    return rows, tuple(run for run, folder in folders if folder and not folder.exists())


def _tables(connection: Any) -> dict[str, Any]:
    """The tables as they are in this database, of whichever MLflow it is."""
    from sqlalchemy import MetaData, inspect

    there = set(inspect(connection).get_table_names())
    metadata = MetaData()
    metadata.reflect(connection, only=sorted({name for name, _ in _COLUMNS} & there))
    return dict(metadata.tables)


def _rewrite_column(connection: Any, column: Any, old: str, new: str) -> int:
    from sqlalchemy import func, literal, update

    # Not LIKE: an address may have what it takes for wildcards.
    begins = func.substr(column, 1, len(old) + 1) == f"{old}/"
    rewritten = literal(new) + func.substr(column, len(old) + 1)
    done = connection.execute(update(column.table).where(begins).values({column: rewritten}))
    return int(done.rowcount)


def _check_length(connection: Any, column: Any, roots: Sequence[Root], new: str) -> None:
    """SQLite takes texts of any length; other databases take what MLflow has made room for."""
    from sqlalchemy import func, select

    room = getattr(column.type, "length", None)
    if room is None or connection.dialect.name == "sqlite":
        return
    for root in roots:
        begins = func.substr(column, 1, len(root.text) + 1) == f"{root.text}/"
        longest = connection.scalar(select(func.max(func.length(column))).where(begins)) or 0
        if longest and longest - len(root.text) + len(new) > room:
            raise InputError(
                f"{new} is too long an address: MLflow's {column.table.name}.{column.name} has "
                f"room for {room} characters",
                "Move the home to a place with a shorter path.",
            )
