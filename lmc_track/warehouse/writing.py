"""Opening a results file for writing: alone, and with no way to anything else on the machine.

An ingest ends with a checkpoint, so that a results file has no write-ahead log (``.wal``) beside
it but while one writes. A log that lies there otherwise is the rest of a killed program or was
put there by somebody. DuckDB would take its rows and definitions over at the next opening, so a
file with a log is not opened: results are derived, and an ingest writes them anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from lmc_track.errors import WorkError
from lmc_track.warehouse.storage import literal

DATABASE = "results"
"""What a results file is called on a connection of this program."""

SECONDS_TO_WAIT = 60


def log_of(results_path: Path) -> Path | None:
    """The write-ahead log that lies beside the file, in whatever state; None where there is none.

    DuckDB has other names for it while a checkpoint goes on.
    """
    found = results_path.parent.glob(f"{_exact(results_path.name)}.wal*")
    return next(iter(sorted(found)), None)


def remove_logs(results_path: Path) -> None:
    """Remove what would be read as the log of a file that is about to take this place."""
    while (log := log_of(results_path)) is not None:
        log.unlink(missing_ok=True)


def _exact(name: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def connect(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection that writes to ``path``, made where it is not there, and to no other file.

    The file is attached to a database of its own: another connection of this process to the same
    file keeps its settings.

    ``FileInUseError`` where somebody has it open; ``WorkError`` where a log lies beside it.
    """
    if path.exists() and (log := log_of(path)) is not None:
        raise WorkError(
            f"{log} lies beside the results, left by a program that was killed or by somebody else",
            "run `lmc-track ingest`, which writes the results anew from MLflow",
        )
    connection = duckdb.connect(":memory:")
    try:
        connection.execute(f"SET temp_directory = {literal(f'{path}.tmp')}")
        connection.execute("SET autoinstall_known_extensions = false")
        connection.execute("SET autoload_known_extensions = false")
        connection.execute("SET python_enable_replacements = false")
        connection.execute(f"ATTACH {literal(str(path))} AS {DATABASE} (TYPE duckdb)")
        connection.execute(f"USE {DATABASE}")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
    except duckdb.Error as error:
        connection.close()
        if isinstance(error, (duckdb.IOException, duckdb.ResourceInUseException)):
            raise FileInUseError(str(error)) from error
        raise
    return connection


class FileInUseError(Exception):
    """Another connection, of this process or another, has the file open."""


@contextmanager
def alone(results_path: Path) -> Iterator[None]:
    """While this lasts, no other process of this program writes to the file.

    ``filelock.Timeout`` where another does not end within a minute.
    """
    with FileLock(_lock_file(results_path), SECONDS_TO_WAIT):
        yield


def wait_for_writer(results_path: Path) -> bool:
    """Wait until no ingest writes to the file; whether there was one, and it has ended."""
    lock = FileLock(_lock_file(results_path))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        pass
    except OSError:  # a folder that cannot be written: nobody writes there
        return False
    else:
        lock.release()
        return False
    try:
        with lock.acquire(timeout=SECONDS_TO_WAIT):
            return True
    except Timeout:
        return False


def _lock_file(results_path: Path) -> Path:
    return results_path.with_name(f".{results_path.name}.lock")
