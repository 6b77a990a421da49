"""Opening a results file for reading, for the length of one statement.

Every statement gets its own in-memory database to which the file is attached read-only. DuckDB
shares one database per path among ``duckdb.connect`` calls of a process, and such a connection
keeps showing the rows of the file it opened, even when another file has taken its place; an
attached file is opened anew, so an ingest is seen at once whatever the user's program has open.

The file may come from a stranger, so it is confined before anything in it is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from lmc_track.errors import InputError, WorkError
from lmc_track.uris import store_name
from lmc_track.warehouse.binding import is_bound, shown_store
from lmc_track.warehouse.definitions import (
    SIGNATURE,
    Definition,
    definitions,
    expected,
    first_difference,
)
from lmc_track.warehouse.storage import literal
from lmc_track.warehouse.tables import SCHEMA_VERSION
from lmc_track.warehouse.writing import DATABASE, log_of, wait_for_writer


@dataclass(frozen=True)
class Limits:
    """What one statement may take: seconds (0: no limit), memory as DuckDB writes it, and what
    the rows that a statement of the user's returns may take beside it.

    ``process_bytes``: what the process that runs a statement of the user's may take beyond what it
    starts with, which is to be well above what DuckDB counts; on Linux.
    """

    seconds: float = 60.0
    memory: str = "2GB"
    result_bytes: int = 1_000_000_000
    process_bytes: int = 6_000_000_000


_CONFINED = (
    # Otherwise a table name could mean a variable of the calling Python program.
    "SET python_enable_replacements = false",
    "SET allow_community_extensions = false",
    "SET enable_external_access = false",
)
# DuckDB goes on to allow the paths of attached files, and those of logs beside them, for writing
# too. Without its file system it opens none; the results file is open already.
_WITHOUT_FILES = "SET disabled_filesystems = 'LocalFileSystem'"
_SETTLED = "SET lock_configuration = true"

Signature = tuple[int, str, str]
"""Schema, program and store."""

_AS_EXPECTED: dict[tuple[int, ...], Signature] = {}
"""Files that this process has looked through, as they were then: looking takes a while."""


@contextmanager
def reading(
    path: Path, tracking_uri: str | None, limits: Limits
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that can read the file, as it was when opened, and nothing else on the machine.

    ``InputError`` where there is no such file, it is of another schema, of another tracking
    store, damaged or not of this program's making, and for every error of a statement run inside.
    """
    settings = {
        "memory_limit": limits.memory,
        "max_execution_time": round(1000 * limits.seconds),
        # Spilling to disk would write into the folder the user happens to be in.
        "temp_directory": "",
    }
    with _opened(path, tracking_uri, settings) as connection:
        try:
            yield connection
        except duckdb.Error as error:
            if is_damage(error):
                raise _damaged(path) from error
            raise InputError(_message(error, limits)) from error


@contextmanager
def exporting(
    path: Path, tracking_uri: str | None, folder: Path, scratch: Path
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that reads the file and may write others to ``folder``; never for a user's SQL.

    What does not fit into memory goes to ``scratch``. ``InputError`` as ``reading``; errors of a
    statement are ``WorkError``.
    """
    settings = {"temp_directory": str(scratch), "allowed_directories": [f"{folder}/"]}
    with _opened(path, tracking_uri, settings, files=True) as connection:
        try:
            yield connection
        except duckdb.Error as error:
            if is_damage(error):
                raise _damaged(path) from error
            raise WorkError(f"the export was given up: {str(error).strip()}") from error


def schema_of(path: Path) -> int | None:
    """The schema that the file says it has; None where it cannot be read as a results file."""
    try:
        with _attached(path, {}) as connection:
            signature = _signature(connection, definitions(connection, DATABASE))
    except (duckdb.Error, InputError):
        return None
    return None if signature is None else signature[0]


@contextmanager
def _opened(
    path: Path, tracking_uri: str | None, settings: Mapping[str, object], *, files: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    with _attached(path, settings, files=files) as connection:
        _check(connection, path, tracking_uri)
        yield connection


@contextmanager
def _attached(
    path: Path, settings: Mapping[str, object], *, files: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The file as the default of a connection with ``settings``, which cannot be changed any more.

    With ``files`` it can reach what ``settings`` allow; without, no file at all.
    """
    if not path.is_file():
        raise InputError(f"no results yet: {path} does not exist", "run `lmc-track ingest`")
    connection = duckdb.connect(":memory:")
    try:
        _attach(connection, path)
        for name, value in settings.items():
            connection.execute(f"SET {name} = {_written(value)}")
        for statement in (*_CONFINED, *(() if files else (_WITHOUT_FILES,)), _SETTLED):
            connection.execute(statement)
        yield connection
    except RuntimeError as error:
        # How DuckDB tells that Ctrl-C has stopped a statement.
        if str(error) == "Query interrupted":
            raise KeyboardInterrupt from None
        raise
    finally:
        connection.close()


def _written(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    return literal(value) if isinstance(value, str) else str(value).lower()


def _attach(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    # A file of another kind would otherwise have DuckDB fetch an extension that reads it.
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET autoload_known_extensions = false")
    attach = f"ATTACH {literal(str(path))} AS {DATABASE} (TYPE duckdb, READ_ONLY)"
    # An ingest may be writing into the file at this moment: it takes seconds.
    if log_of(path) is not None and wait_for_writer(path) is False and log_of(path) is not None:
        raise _with_log(path)
    try:
        try:
            connection.execute(attach)
        except duckdb.IOException:
            if not wait_for_writer(path):
                raise
            if log_of(path) is not None:
                raise _with_log(path) from None
            connection.execute(attach)
        connection.execute(f"USE {DATABASE}")
    except duckdb.Error as error:
        raise _not_attached(path, str(error)) from error


def _not_attached(path: Path, words: str) -> InputError:
    # DuckDB has no class of its own for either, and takes the file for itself within a process.
    for mark, where in (
        ("Could not set lock", "another program"),
        ("already attached", "this program"),
    ):
        if mark in words:
            return InputError(
                f"{path} is open for writing in {where}",
                "close it there, or open it there with read_only=True",
            )
    if "Permission denied" in words:
        return InputError(f"{path} cannot be read: permission denied", "let this user read it")
    return _damaged(path)


def _check(connection: duckdb.DuckDBPyConnection, path: Path, tracking_uri: str | None) -> None:
    identity = _identity(path)
    if identity in _AS_EXPECTED:
        found, signature = None, _AS_EXPECTED[identity]
    else:
        try:
            found = definitions(connection, DATABASE)
            read = _signature(connection, found)
        except duckdb.Error as error:
            raise _damaged(path) from error
        if read is None:
            raise _damaged(path)
        signature = read
    schema, program, store = signature
    if schema > SCHEMA_VERSION:
        raise InputError(
            f"{path} has schema {schema}, written by lmc-track {program}; "
            f"this lmc-track reads schema {SCHEMA_VERSION}",
            "upgrade lmc-track, or delete the file and run `lmc-track ingest`",
        )
    if schema < SCHEMA_VERSION:
        raise InputError(
            f"{path} has the older schema {schema}, this lmc-track reads {SCHEMA_VERSION}",
            "run `lmc-track ingest` to write it anew",
        )
    if found is not None:
        if (difference := first_difference(found)) is not None:
            raise InputError(
                f"{path} {difference}, unlike a results file that this lmc-track writes",
                "run `lmc-track ingest`, which writes the results anew from MLflow",
            )
        # An ingest that took the place of the file meanwhile gave it another identity.
        if identity == _identity(path):
            _AS_EXPECTED[identity] = signature
    # Earlier versions kept the user as well, and a stranger's file may say anything.
    store = store or ""
    if tracking_uri is not None and not is_bound(store, tracking_uri, path):
        raise InputError(
            f"{path} holds the results of the tracking store {shown_store(store, path)}, "
            f"not of {store_name(tracking_uri)}",
            "run `lmc-track ingest` with this store, or choose another --home",
        )


def _identity(path: Path) -> tuple[int, ...]:
    file = path.stat()
    return file.st_dev, file.st_ino, file.st_size, file.st_mtime_ns, file.st_ctime_ns


def _signature(
    connection: duckdb.DuckDBPyConnection, found: frozenset[Definition]
) -> Signature | None:
    """What a results file says of itself: schema, program, store. None where it is another file.

    A view of that name would be somebody else's query, and is not asked.
    """
    if not any(d in found for d in expected() if d[2] == SIGNATURE):
        return None
    # All rows are fetched: DuckDB refuses more work while a result is unfinished.
    rows = connection.execute(f"SELECT version, program, tracking_uri FROM {SIGNATURE}").fetchall()
    if len(rows) != 1 or rows[0][0] is None:
        return None
    schema, program, store = rows[0]
    return schema, program, store


def is_damage(error: duckdb.Error) -> bool:
    """Whether it is the file that is wrong, and not the statement."""
    return str(error).startswith("Corrupt database file")


def _with_log(path: Path) -> InputError:
    return InputError(
        f"{log_of(path)} lies beside the results, left by a program that was killed or by somebody "
        "else, and could say anything",
        "run `lmc-track ingest`, which writes the results anew from MLflow",
    )


class UnreadableResultsError(InputError):
    """The results file is damaged, or none; the record, which it is made from, is not."""


def _damaged(path: Path) -> UnreadableResultsError:
    return UnreadableResultsError(
        f"{path} is not a results file, or is damaged",
        "move it away and run `lmc-track ingest`, which writes it anew from MLflow",
    )


def _message(error: duckdb.Error, limits: Limits) -> str:
    if isinstance(error, duckdb.InterruptException):
        return f"the statement took longer than {limits.seconds:g} s and was stopped"
    return str(error).strip()
