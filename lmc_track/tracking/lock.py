"""One driver a study: a second one is told so instead of doing the same work.

Two that share a home are kept apart by a file in it, two that share a PostgreSQL by its own lock.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from filelock import FileLock, Timeout

from lmc_track.errors import WorkError
from lmc_track.tracking.database import advisory_lock, is_postgresql
from lmc_track.tracking.location import Location, prepare
from lmc_track.tracking.places import check_in_place
from lmc_track.tracking.store import reporting
from lmc_track.tracking.stores_of_home import note_store

# Whoever only asks whether a lock is held has it for a moment.
_SECONDS_TO_WAIT = 0.2


@contextmanager
def study_lock(location: Location, study: str) -> Iterator[None]:
    """Hold the lock of ``study``; it goes with the process, however that ends.

    Raises:
        DisplacedHomeError: the store names another place than this home.
        WorkError: another process holds it.
    """
    check_in_place(location)
    prepare(location)
    note_store(location)
    path = location.locks / f"study-{study}.lock"
    lock = FileLock(path, timeout=_SECONDS_TO_WAIT)
    try:
        lock.acquire()
    except Timeout:
        raise _taken(study, f"lock {path}") from None
    try:
        with _in_database(location, study):
            yield
    finally:
        lock.release()


@contextmanager
def _in_database(location: Location, study: str) -> Iterator[None]:
    if not is_postgresql(location.tracking_uri):
        yield
        return
    with ExitStack() as held:
        with reporting(location):
            name = f"lmc-track study {study}"
            got = held.enter_context(advisory_lock(location.tracking_uri, name))
        if not got:
            raise _taken(study, f"advisory lock of {location.shown_uri}")
        yield


def _taken(study: str, lock: str) -> WorkError:
    return WorkError(
        f"another lmc-track is working on the study {study!r} ({lock})",
        "Wait until it is done, or end it.",
    )
