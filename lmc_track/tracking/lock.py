"""One driver a study: a second one is told so instead of doing the same work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from lmc_track.errors import WorkError
from lmc_track.tracking.location import Location, prepare


@contextmanager
def study_lock(location: Location, study: str) -> Iterator[None]:
    """Hold the lock of ``study``; it goes with the process, however that ends.

    Raises:
        WorkError: another process holds it.
    """
    prepare(location)
    path = location.locks / f"study-{study}.lock"
    lock = FileLock(path, timeout=0)
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
