"""A copy of a home's database, made before it is changed as a whole."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from lmc_track.errors import WorkError
from lmc_track.tracking.durable import publish, write_part
from lmc_track.tracking.location import Location


def back_up(location: Location, why: str) -> Path | None:
    """A copy of an SQLite store beside it, named after ``why``; None where it is another store.

    It is whole and on the disk when this returns; an earlier copy stays.

    Raises:
        WorkError: it cannot be written.
    """
    file = location.sqlite_file
    if file is None:
        return None
    target = _free(file.with_name(f"{file.name}.{why}"))
    try:
        publish([write_part(target, lambda path: _copy(file, path))])
    except (OSError, sqlite3.Error) as error:
        raise WorkError(
            f"the copy {target} cannot be written, so nothing was changed: {error}",
            "Make room or give permission, then run the same command again.",
        ) from error
    return target


def _copy(file: Path, path: Path) -> None:
    # SQLite's own way takes what is in the log as well, whoever has the file open.
    with closing(sqlite3.connect(file, timeout=30)) as source, closing(sqlite3.connect(path)) as to:
        source.backup(to)


def _free(path: Path) -> Path:
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free
