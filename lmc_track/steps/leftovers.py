"""What a home and its store hold that nothing needs any more. Finds it; removes nothing."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from lmc_track.errors import LmcTrackError
from lmc_track.names import is_name
from lmc_track.steps.cache_leftovers import HOUR, unfinished_files, unused_caches
from lmc_track.steps.disk import Usage, study_files, usage_of
from lmc_track.steps.orphans import orphaned_runs
from lmc_track.tracking.census import (
    Census,
    CountedExperiment,
    CountedRun,
    recorded_studies,
    take_census,
)
from lmc_track.tracking.location import Location
from lmc_track.tracking.lock_state import is_worked_on, studies_with_locks
from lmc_track.tracking.store import Store
from lmc_track.tracking.stores_of_home import other_stores
from lmc_track.tracking.studies import StudyFacts, find_study


class Kind(StrEnum):
    """What something that can go is."""

    ORPHANED_RUN = "orphaned runs"
    DELETED_RUN = "deleted runs"
    LOGGED_MODEL = "LoggedModels of deleted runs"
    DELETED_STUDY = "deleted studies"
    RUN_FOLDER = "artifact folders of no run"
    TEMPORARY = "unfinished files"
    CACHE = "unused caches"


@dataclass(frozen=True)
class Leftover:
    """One thing that can go: ``name`` is its id, or its path where it is a file or folder.

    ``folder`` is where its artifacts lie; None where that is not on this machine.
    """

    kind: Kind
    study: str
    name: str
    usage: Usage = field(compare=False)
    folder: Path | None = field(default=None, compare=False)
    artifact_uri: str = field(default="", compare=False)


@dataclass
class Leftovers:
    """``notes`` say what was passed over, and why."""

    found: list[Leftover] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def lockable_studies(location: Location) -> list[str]:
    """Names of all studies that this home knows of: recorded, worked on once, or with artifacts."""
    names = {one.study for one in recorded_studies(Store(location))}
    names |= set(studies_with_locks(location)) | {path.name for path in _roots(location)}
    return sorted(name for name in names if is_name(name))


def worked_on(location: Location, names: Iterable[str]) -> set[str]:
    """Those of the studies ``names`` that somebody works on."""
    return {name for name in names if is_worked_on(location, name)}


def find_leftovers(
    location: Location, busy: Collection[str] = (), older_than: float = 0.0
) -> Leftovers:
    """All that can go and is older than ``older_than`` seconds.

    What belongs to the studies ``busy`` is passed over, and what any study may be about to use.

    Raises:
        InputError, WorkError: the store cannot be reached.
    """
    roots = _roots(location)  # before the record is read: what is begun later is not in them
    store = Store(location)
    census = take_census(store)
    facts, unread = _facts(store, census)
    finder = _Finder(location, store, census, facts, set(busy), time.time() - older_than)
    finder.runs()
    finder.files(roots)
    finder.caches(unread)
    return Leftovers(finder.found, finder.notes)


def _facts(store: Store, census: Census) -> tuple[dict[str, StudyFacts], list[str]]:
    """Facts of the studies by experiment id, and the names of those that cannot be read."""
    found: dict[str, StudyFacts] = {}
    unread = []
    for one in census.studies:
        if one.deleted:
            continue
        try:
            record = find_study(store, one.study, kinds=())
        except LmcTrackError:
            record = None
        if record is None:
            unread.append(one.study)
        else:
            found[one.experiment_id] = record.facts
    return found, unread


def _roots(location: Location) -> list[Path]:
    """Folders of studies among the home's own artifacts."""
    folder = location.home / "artifacts"
    if location.artifact_root != folder.as_uri() or not folder.is_dir() or folder.is_symlink():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())


def inside(folder: Path, home: Path) -> bool:
    """Whether ``folder`` is below ``home``, whatever links there are on the way to it."""
    return folder.resolve().is_relative_to(home.resolve()) and folder != home


@dataclass
class _Finder:
    location: Location
    store: Store
    census: Census
    facts: dict[str, StudyFacts]
    busy: set[str]
    before: float
    found: list[Leftover] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def _old(self, changed: int) -> bool:
        return changed <= self.before * 1000

    def _old_files(self, paths: Iterable[Path], before: float | None = None) -> Iterator[Path]:
        limit = self.before if before is None else min(before, self.before)
        for path in paths:
            try:
                if path.lstat().st_mtime <= limit:
                    yield path
            except OSError:
                continue

    # --- what is on record

    def runs(self) -> None:
        studies = {one.experiment_id: one for one in self.census.studies}
        names = {number: one.study for number, one in studies.items()}
        elsewhere = 0
        orphans = orphaned_runs(self.census, self.facts)
        deleted = [run for run in self.census.runs if run.deleted]
        for kind, runs in ((Kind.ORPHANED_RUN, orphans), (Kind.DELETED_RUN, deleted)):
            for run in runs:
                study = names.get(run.experiment_id, "")
                if study in self.busy or not self._old(run.changed):
                    continue
                if (one := self._of_run(kind, study, run)) is None:
                    elsewhere += 1
                else:
                    self.found.append(one)
        active = {run.run_id for run in self.census.runs if not run.deleted}
        for model in self.census.models:
            study = names[model.experiment_id]
            kept = not model.deleted and (model.run_id in active or not model.run_id)
            if kept or study in self.busy or not self._old(model.changed):
                continue
            folder = self._folder(model.artifact_uri)
            if folder is None and self.store.folder_of(model.artifact_uri) is not None:
                elsewhere += 1
                continue
            usage = Usage() if folder is None else usage_of(folder.parent)
            uri = model.artifact_uri
            self.found.append(
                Leftover(Kind.LOGGED_MODEL, study, model.model_id, usage, folder, uri)
            )
        for gone in self.census.studies:
            if gone.deleted and gone.study not in self.busy and self._old(gone.changed):
                self.found.append(
                    Leftover(Kind.DELETED_STUDY, gone.study, gone.experiment_id, Usage())
                )
        if elsewhere:
            self.notes.append(
                f"{elsewhere:,} runs or LoggedModels stay: their artifacts lie on this machine, "
                "but not in this home."
            )

    def _of_run(self, kind: Kind, study: str, run: CountedRun) -> Leftover | None:
        """None where the run's artifacts lie on this machine outside of the home."""
        folder = self._folder(run.artifact_uri)
        if folder is None and self.store.folder_of(run.artifact_uri) is not None:
            return None
        usage = Usage() if folder is None else usage_of(folder)
        return Leftover(kind, study, run.run_id, usage, folder, run.artifact_uri)

    def _folder(self, uri: str) -> Path | None:
        folder = self.store.folder_of(uri)
        return folder if folder is not None and inside(folder, self.location.home) else None

    # --- what is in the home

    def files(self, roots: list[Path]) -> None:
        known: dict[Path, CountedExperiment] = {}
        for one in self.census.studies:
            folder = self._folder(one.artifact_uri)
            if folder is not None and not folder.is_symlink():
                known[folder] = one
        runs = {run.run_id for run in self.census.runs}
        models = {model.model_id for model in self.census.models}
        others = other_stores(self.location)
        if others:
            self.notes.append(
                "Artifact folders of no run are not looked for: this home has been used with "
                f"another store too ({', '.join(others)})."
            )
        for root in sorted({*known, *roots}):
            study = known[root].study if root in known else root.name
            if study in self.busy:
                continue
            there = study_files(root, runs, models)
            for path in self._old_files(there.temporary):
                self._path(Kind.TEMPORARY, study, path)
            for path in self._old_files(() if others else there.unknown):
                self._path(Kind.RUN_FOLDER, study, path)

    def caches(self, unread: list[str]) -> None:
        protected = unfinished_files(self.location, anyone_works=bool(self.busy))
        for path in self._old_files(protected.any_time):
            self._path(Kind.TEMPORARY, "", path)
        hour = time.time() - HOUR
        for path in self._old_files(protected.after_an_hour, hour):
            self._path(Kind.TEMPORARY, "", path)
        if unread:
            self.notes.append(
                f"Caches stay: what the study {unread[0]} uses cannot be read from its record."
            )
            return
        active = [run for run in self.census.runs if not run.deleted]
        unused = unused_caches(self.location, list(self.facts.values()), active)
        for path in self._old_files(unused, hour):
            self._path(Kind.CACHE, "", path)

    def _path(self, kind: Kind, study: str, path: Path) -> None:
        self.found.append(Leftover(kind, study, str(path), usage_of(path), path))
