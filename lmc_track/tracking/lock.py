"""One driver a study: a second one is told so instead of doing the same work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from lmc_track.errors import WorkError
from lmc_track.tracking.location import Location, prepare
from lmc_track.tracking.stores_of_home import note_store

# Whoever only asks whether a lock is held has it for a moment.
_SECONDS_TO_WAIT = 0.2


@contextmanager
def study_lock(location: Location, study: str) -> Iterator[None]:
    """Hold the lock of ``study``; it goes with the process, however that ends.

    Raises:
        WorkError: another process holds it.
    """
    prepare(location)
    note_store(location)
    path = location.locks / f"study-{study}.lock"
    lock = FileLock(path, timeout=_SECONDS_TO_WAIT)
    try:
        lock.acquire()
    except Timeout:
        raise WorkError(
            f"another lmc-track is working on the study {study!r} (lock {path})",
            "Wait until it is done, or end it.",
        ) from None
    try:
        yield
    finally:
        lock.release()
