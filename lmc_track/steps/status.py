"""What is done, missing and in nobody's way, study by study, and what it takes on the disk."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from lmc_track.errors import LmcTrackError
from lmc_track.geometry.grid import interior
from lmc_track.steps.disk import (
    CHECKPOINTS,
    OTHER,
    PREDICTIONS,
    Usage,
    home_usage,
    study_files,
    usage_of,
)
from lmc_track.steps.orphans import orphaned_runs
from lmc_track.steps.pairs import planned_pairs
from lmc_track.study import Study, restore_study
from lmc_track.tracking.census import Census, CountedRun, take_census
from lmc_track.tracking.inner_store import database_bytes
from lmc_track.tracking.keys import dataset_key, path_key, point_key
from lmc_track.tracking.left_out import counting_facts, described, left_out
from lmc_track.tracking.location import Location
from lmc_track.tracking.lock_state import is_worked_on
from lmc_track.tracking.places import displacement
from lmc_track.tracking.store import Store
from lmc_track.tracking.studies import StudyFacts, StudyRecord, find_study

COLUMNS = (
    "study", "what", "planned", "done", "running", "interrupted", "failed", "missing", "orphaned",
    "deleted", "files", "bytes",
)  # fmt: skip
Row = dict[str, str | int | None]

_KINDS = ("model", "path", "point", "dataset", "clusters", "report", "plane")


@dataclass
class Status:
    """``rows`` have the ``COLUMNS``; None is what does not apply or is not known.

    ``notes`` say what is not known, and why.
    """

    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, study: str | None, what: str, **values: int | None) -> None:
        self.rows.append({**dict.fromkeys(COLUMNS), "study": study, "what": what, **values})


def study_status(location: Location, name: str | None = None, *, disk: bool = True) -> Status:
    """One row for each study and kind of run, then one for each kind of thing on the disk.

    A run that has begun is ``running`` while somebody holds its study's lock in this home, else
    ``interrupted``. With ``name``, of that study alone, without what studies share. Without
    ``disk`` no file is looked at.

    Raises:
        InputError: ``name`` is not recorded, or the store cannot be reached.
    """
    status = Status()
    store = Store(location)
    census = take_census(store, name)
    if name is not None and all(one.deleted for one in census.studies):
        from lmc_track.steps.recording import find_recorded  # loads torch; it says what there is

        find_recorded(name, location, kinds=())
    records: dict[str, StudyRecord] = {}
    unread = set()
    for one in census.studies:
        if one.deleted:
            continue
        try:
            found = find_study(store, one.study, kinds=("model",))
        except LmcTrackError as error:  # of one study, which hides no other
            unread.add(one.experiment_id)
            status.notes.append(f"The study {one.study} cannot be read: {error}")
        else:
            if found is not None:
                records[one.experiment_id] = found
    facts = {number: record.facts for number, record in records.items()}
    lost = orphaned_runs(census, facts)
    orphans = Counter((run.experiment_id, run.kind) for run in lost)
    gone = {run.run_id for run in lost}
    runs: dict[str, list[CountedRun]] = defaultdict(list)
    for run in census.runs:
        if run.run_id not in gone:
            runs[run.experiment_id].append(run)
    for one in census.studies:
        if one.experiment_id in facts:
            worked_on = is_worked_on(location, one.study)
            record = records[one.experiment_id]
            out = left_out(record)
            if out:
                names = ", ".join(f"{each.name} ({described(each)})" for each in out)
                status.notes.append(f"{one.study}: {len(out)} left out, on record: {names}.")
            counted = counting_facts(record.facts, out)
            of = StudyState(counted, runs[one.experiment_id], worked_on)
            _count(status, of, {kind: orphans[one.experiment_id, kind] for kind in _KINDS})
        elif one.deleted:
            status.add(one.study, "deleted study", deleted=len(runs[one.experiment_id]))
        elif one.experiment_id not in unread:
            status.notes.append(
                f"The study {one.study} has no finished run of its own: its creation was "
                "interrupted, or that run was deleted. Running its study file makes it anew."
            )
    _outside(status, census)
    if (moved := displacement(location)) is not None:
        status.notes.append(f"{moved.message}. {moved.remedy}")
    if disk:
        _disk(status, census, location, shared=name is None)
    return status


@dataclass
class StudyState:
    """A study with the models and sets that count, and all its runs that are not orphaned."""

    facts: StudyFacts
    runs: Sequence[CountedRun]
    worked_on: bool

    def states(self, kind: str) -> Counter[str]:
        """How many runs of ``kind`` are done, under way, failed, deleted; a key counts once."""
        found: Counter[str] = Counter()
        done = set()
        for run in self.runs:
            if run.kind != kind:
                continue
            if run.deleted:
                found["deleted"] += 1
            elif run.finished:
                done.add(run.key)
            elif run.status == "FAILED":
                found["failed"] += 1
            else:
                found["running" if self.worked_on else "interrupted"] += 1
        found["done"] = len(done)
        return found

    def done(self, kind: str, keys: Iterable[str]) -> int:
        """How many of ``keys`` have a finished run."""
        there = {run.key for run in self.runs if run.kind == kind and _counts(run)}
        return sum(key in there for key in keys)


def _counts(run: CountedRun) -> bool:
    return run.finished and not run.deleted


def _count(status: Status, of: StudyState, orphans: dict[str, int]) -> None:
    facts = of.facts
    study = restore_study(facts.file, source=f"the recorded study {facts.name!r}")
    states = {kind: of.states(kind) for kind in _KINDS}
    planned = planned_and_done(of, study)
    for kind in _KINDS:
        wanted, done = planned[kind]
        state = states[kind]
        if kind == "plane" and not (wanted or state.total()):  # none is planned
            continue
        status.add(
            facts.name,
            kind,
            planned=wanted,
            done=done,
            running=state["running"],
            interrupted=state["interrupted"],
            failed=state["failed"],
            missing=max(0, wanted - done - state["running"]),
            orphaned=orphans[kind],
            deleted=state["deleted"],
        )


def planned_and_done(of: StudyState, study: Study) -> dict[str, tuple[int, int]]:
    """For each kind how many the study has planned, and how many of these are done."""
    facts = of.facts
    states = {kind: of.states(kind) for kind in _KINDS}
    there = {kind: states[kind]["done"] for kind in _KINDS}
    models = [model.key for model in facts.models]
    sets = [dataset_key(data.name, data.digest) for data in facts.datasets]
    begun = there["plane"] + states["plane"]["running"] + states["plane"]["interrupted"]
    planned = {
        "model": (len(models), of.done("model", models)),
        "dataset": (len(facts.datasets), of.done("dataset", sets)),
        "clusters": (len(study.cluster.methods), there["clusters"]),
        "report": (1, there["report"]),
        "plane": (begun, there["plane"]),
    }
    if facts.identity.get("imported"):  # what is on record is all that there was to import
        imported = ("path", "point", "dataset", "clusters", "report")
        return planned | {kind: (there[kind], there[kind]) for kind in imported}
    keys = [
        path_key(facts.models[a].key, facts.models[b].key, study.evaluate.precision)
        for a, b in planned_pairs(study, facts.models)
    ]
    points = [point_key(key, alpha) for key in keys for alpha in interior(facts.alphas)]
    return planned | {
        "path": (len(keys), of.done("path", keys)),
        "point": (len(points), of.done("point", points)),
    }


def _outside(status: Status, census: Census) -> None:
    studies = {one.experiment_id for one in census.studies}
    runs = [run for run in census.runs if run.experiment_id not in studies]
    if runs:
        lost = sum(not run.deleted for run in runs)
        status.add(None, "runs of no study", orphaned=lost, deleted=len(runs) - lost)


def _disk(status: Status, census: Census, location: Location, *, shared: bool) -> None:
    runs = {run.run_id for run in census.runs}
    models = {model.model_id for model in census.models}
    unknown, unfinished = Usage(), Usage()
    orphans = temporary = elsewhere = 0
    store = Store(location)
    for one in census.studies:
        folder = store.folder_of(one.artifact_uri)
        if folder is None:
            elsewhere += 1
            for kind in (CHECKPOINTS, PREDICTIONS, OTHER):
                status.add(one.study, kind)
            continue
        there = study_files(folder, runs, models)
        for kind, usage in there.usage.items():
            status.add(one.study, kind, files=usage.files, bytes=usage.bytes)
        orphans += len(there.unknown)
        temporary += len(there.temporary)
        for usage, paths in ((unknown, there.unknown), (unfinished, there.temporary)):
            for path in paths:
                usage.add(usage_of(path))
    if elsewhere:
        status.notes.append(
            "How large artifacts are that a server keeps is not known here: the server "
            f"{location.shown_uri} does not tell."
        )
    for what, count, usage in (
        ("artifact folders of no run", orphans, unknown),
        ("unfinished files", temporary, unfinished),
    ):
        if count or shared:
            status.add(None, what, orphaned=count, files=usage.files, bytes=usage.bytes)
    if shared:
        _shared(status, location)


def _shared(status: Status, location: Location) -> None:
    for what, usage in home_usage(location).items():
        if what == "MLflow database" and not usage.files:
            size = database_bytes(Store(location))
            status.add(None, what, bytes=size)
            if size is None:
                status.notes.append("How large the MLflow database is is not known here.")
        else:
            status.add(None, what, files=usage.files, bytes=usage.bytes)
