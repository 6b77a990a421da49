"""Removing what nothing needs any more, while no study that it belongs to is worked on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

from lmc_track.errors import LmcTrackError, WorkError
from lmc_track.progress import Progress
from lmc_track.steps.disk import Usage
from lmc_track.steps.leftovers import (
    Kind,
    Leftover,
    Leftovers,
    find_leftovers,
    inside,
    lockable_studies,
    worked_on,
)
from lmc_track.tracking.location import Location, prepare
from lmc_track.tracking.lock import study_lock
from lmc_track.tracking.removal import Remover, remove_path
from lmc_track.tracking.store import Store

_ON_RECORD = (Kind.ORPHANED_RUN, Kind.DELETED_RUN, Kind.LOGGED_MODEL, Kind.DELETED_STUDY)


@dataclass
class Removed:
    """What went; ``failures`` say what could not, and why."""

    gone: list[Leftover] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def usage(self) -> Usage:
        total = Usage()
        for one in self.gone:
            total.add(one.usage)
        return total


def what_can_go(location: Location, older_than: float = 0.0) -> Leftovers:
    """All that ``collect`` would remove now; nothing is changed.

    ``older_than`` in seconds; what is younger stays.

    Raises:
        InputError, WorkError: the store cannot be reached.
    """
    busy = worked_on(location, lockable_studies(location))
    found = find_leftovers(location, busy, older_than)
    found.notes[:0] = _busy_notes(busy)
    return _for_store(location, found)


def collect(
    location: Location, agreed: list[Leftover], older_than: float, progress: Progress
) -> Removed:
    """Remove those of ``agreed`` that can still go, holding the locks of all studies not busy.

    Raises:
        InputError, WorkError: the store cannot be reached, or the home cannot be written.
    """
    prepare(location)
    with _locks(location) as busy:
        wanted = set(agreed)
        found = _for_store(location, find_leftovers(location, busy, older_than)).found
        going = [one for one in found if one in wanted]
        removed = Removed()
        store = Store(location)
        remover = Remover(store) if any(one.kind in _ON_RECORD for one in going) else None
        with progress.track("Removing", len(going), "things") as work:
            for one in sorted(going, key=lambda one: list(Kind).index(one.kind)):
                try:
                    if remover is not None and one.kind in _ON_RECORD:
                        _from_record(remover, one)
                    else:
                        _from_home(location, one)
                    removed.gone.append(one)
                except LmcTrackError as error:
                    removed.failures.append(str(error))
                work.advance()
        _remove_empty_folders(location, found)
        if remover is not None and remover.final:
            store.analyze()
    return removed


@contextmanager
def _locks(location: Location) -> Iterator[set[str]]:
    """Hold the lock of every study; gives the names of those whose lock another one holds."""
    busy: set[str] = set()
    with ExitStack() as held:
        for name in lockable_studies(location):
            try:
                held.enter_context(study_lock(location, name))
            except WorkError:
                busy.add(name)
        yield busy


def _busy_notes(busy: set[str]) -> list[str]:
    return [
        f"The study {name} is being worked on: nothing of it is looked at." for name in sorted(busy)
    ]


def _for_store(location: Location, found: Leftovers) -> Leftovers:
    """``found`` without what only the owner of a server can remove, which is said instead."""
    if location.artifact_root is not None:
        return found
    staying = (Kind.DELETED_RUN, Kind.DELETED_STUDY)
    stay = [one for one in found.found if one.kind in staying]
    found.found = [one for one in found.found if one.kind not in staying]
    if stay:
        found.notes.append(
            f"{len(stay):,} deleted runs and studies stay on the server, where alone they can be "
            f"removed: mlflow gc --backend-store-uri DATABASE --tracking-uri {location.shown_uri}"
        )
    return found


def _from_record(remover: Remover, one: Leftover) -> None:
    if one.kind is Kind.DELETED_STUDY:
        if not remover.remove_experiment(one.name):
            raise WorkError(
                f"the deleted study {one.study} stays: its experiment has runs left",
                "Delete them in MLflow, or restore the experiment.",
            )
    elif one.kind is Kind.LOGGED_MODEL:
        if remover.final:
            remover.remove_model(one.name, one.artifact_uri, one.folder)
        else:
            remover.delete_model(one.name)
    elif remover.final:
        remover.remove_run(one.name, one.artifact_uri, one.folder)
    else:
        remover.delete_run(one.name)


def _from_home(location: Location, one: Leftover) -> None:
    assert one.folder is not None
    if not inside(one.folder.parent / "x", location.home):
        raise WorkError(f"{one.folder} stays: it lies outside of the home")
    remove_path(one.folder, aside=one.kind is Kind.CACHE)


def _remove_empty_folders(location: Location, found: list[Leftover]) -> None:
    """Folders of studies of which nothing is left."""
    artifacts = location.home / "artifacts"
    for one in found:
        if one.kind is Kind.DELETED_STUDY or one.kind is Kind.RUN_FOLDER:
            for folder in (artifacts / one.study / "models", artifacts / one.study):
                if one.study and not folder.is_symlink():
                    with suppress(OSError):
                        folder.rmdir()


def seconds_ago(text: str) -> float:
    """Seconds that ``text`` means, written as for ``mlflow gc``: ``30d``, ``1d2h3m4s``.

    Raises:
        ValueError: it is not written so.
    """
    import re

    match = re.fullmatch(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", text)
    if match is None or not any(match.groups()):
        raise ValueError(text)
    return sum(
        int(number or 0) * seconds
        for number, seconds in zip(match.groups(), (86400, 3600, 60, 1), strict=True)
    )
