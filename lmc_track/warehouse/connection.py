"""Opening a results file for reading, for the length of one statement.

Every statement gets its own in-memory database to which the file is attached read-only. DuckDB
shares one database per path among ``duckdb.connect`` calls of a process, and such a connection
keeps showing the rows of the file it opened, even when another file has taken its place; an
attached file is opened anew, so an ingest is seen at once whatever the user's program has open.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from lmc_track.errors import InputError, WorkError
from lmc_track.uris import store_name
from lmc_track.warehouse.storage import literal
from lmc_track.warehouse.tables import SCHEMA_VERSION


@dataclass(frozen=True)
class Limits:
    """What one statement may take: seconds (0: no limit), memory as DuckDB writes it, and what
    the rows that a statement of the user's returns may take beside it."""

    seconds: float = 60.0
    memory: str = "2GB"
    result_bytes: int = 1_000_000_000


@contextmanager
def reading(
    path: Path, tracking_uri: str | None, limits: Limits
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that can read the file and nothing else on the machine.

    ``InputError`` where there is no such file, it is of another schema, of another tracking
    store or damaged, and for every error of a statement run inside.
    """
    with _opened(path, tracking_uri) as connection:
        try:
            _confine(connection, limits)
            yield connection
        except duckdb.Error as error:
            if is_damage(error):
                raise _damaged(path) from error
            raise InputError(_message(error, limits)) from error


@contextmanager
def exporting(
    path: Path, tracking_uri: str | None, scratch: Path
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that reads the file and may write others; never for SQL of a user's.

    What does not fit into memory goes to ``scratch``. ``InputError`` as ``reading``; errors of a
    statement are ``WorkError``.
    """
    with _opened(path, tracking_uri) as connection:
        try:
            connection.execute(f"SET temp_directory = {literal(str(scratch))}")
            yield connection
        except duckdb.Error as error:
            if is_damage(error):
                raise _damaged(path) from error
            raise WorkError(f"the export was given up: {str(error).strip()}") from error


@contextmanager
def _opened(path: Path, tracking_uri: str | None) -> Iterator[duckdb.DuckDBPyConnection]:
    if not path.is_file():
        raise InputError(f"no results yet: {path} does not exist", "run `lmc-track ingest`")
    connection = duckdb.connect(":memory:")
    try:
        _attach(connection, path)
        _check(connection, path, tracking_uri)
        yield connection
    except RuntimeError as error:
        # How DuckDB tells that Ctrl-C has stopped a statement.
        if str(error) == "Query interrupted":
            raise KeyboardInterrupt from None
        raise
    finally:
        connection.close()


def _attach(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    # Spilling to disk would write into the folder the user happens to be in.
    connection.execute("SET temp_directory = ''")
    # A file of another kind would otherwise have DuckDB fetch an extension that reads it.
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET autoload_known_extensions = false")
    try:
        connection.execute(f"ATTACH {literal(str(path))} AS results (TYPE duckdb, READ_ONLY)")
        connection.execute("USE results")
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
    try:
        # All rows are fetched: DuckDB refuses more work while a result is unfinished.
        rows = connection.execute(
            "SELECT version, program, tracking_uri FROM schema_version"
        ).fetchall()
    except duckdb.Error as error:
        raise _damaged(path) from error
    if len(rows) != 1 or rows[0][0] is None:
        raise _damaged(path)
    schema, program, store = rows[0]
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
    if tracking_uri is not None and store != store_name(tracking_uri):
        raise InputError(
            f"{path} holds the results of the tracking store {store}, "
            f"not of {store_name(tracking_uri)}",
            "run `lmc-track ingest` with this store, or choose another --home",
        )


def _confine(connection: duckdb.DuckDBPyConnection, limits: Limits) -> None:
    # Otherwise a table name could mean a variable of the calling Python program.
    connection.execute("SET python_enable_replacements = false")
    connection.execute("SET allow_community_extensions = false")
    connection.execute(f"SET memory_limit = {literal(limits.memory)}")
    connection.execute(f"SET max_execution_time = {round(1000 * limits.seconds)}")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def is_damage(error: duckdb.Error) -> bool:
    """Whether it is the file that is wrong, and not the statement."""
    return str(error).startswith("Corrupt database file")


def _damaged(path: Path) -> InputError:
    return InputError(
        f"{path} is not a results file, or is damaged",
        "move it away and run `lmc-track ingest`, which writes it anew from MLflow",
    )


def _message(error: duckdb.Error, limits: Limits) -> str:
    if isinstance(error, duckdb.InterruptException):
        return f"the statement took longer than {limits.seconds:g} s and was stopped"
    return str(error).strip()
