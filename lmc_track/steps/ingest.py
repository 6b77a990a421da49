"""Bringing ``results.duckdb`` up to date with the record, or writing it anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, replace

import polars as pl
from filelock import FileLock, Timeout

from lmc_track.errors import InputError, LmcTrackError, WorkError
from lmc_track.progress import Progress
from lmc_track.steps.damage import Damage
from lmc_track.steps.derivations import DERIVATIONS
from lmc_track.steps.ingest_changes import Changes, changes, first_of_each_key
from lmc_track.steps.ingest_rows import RecordReader
from lmc_track.tracking.artifact_reading import DamagedArtifactError
from lmc_track.tracking.experiments import StudyExperiment
from lmc_track.tracking.location import Location, prepare
from lmc_track.tracking.record import FinishedRuns, finished_runs
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.store import Store
from lmc_track.tracking.studies import (
    StudyRecord,
    is_described_anew,
    open_study,
    study_experiments,
)
from lmc_track.warehouse.connection import UnreadableResultsError
from lmc_track.warehouse.migrations import upgrade
from lmc_track.warehouse.rebuild import DamagedResultsError, rebuild, update
from lmc_track.warehouse.recorded import Recorded, recorded
from lmc_track.warehouse.snapshot import Snapshot
from lmc_track.warehouse.tables import PATHS, POINTS, frame_schema


@dataclass(frozen=True)
class Ingested:
    """Rows per table and view after an ingest, whether it changed any, and what it left out."""

    counts: dict[str, int]
    changed: bool = True
    damaged: tuple[Damage, ...] = ()


def ingest(
    location: Location,
    progress: Progress,
    known: StudyRecord | None = None,
    *,
    everything: bool = False,
) -> Ingested:
    """Bring the results up to date with everything finished in the tracking store.

    What has neither ended nor gained anything since the file was made is not read again; with
    ``everything`` all is, and the file is built anew. ``known`` is a study that the caller has
    read and holds the lock of. Artifacts that are damaged are left out and returned, and looked at
    again the next time.

    Raises:
        InputError: no study is recorded there.
    """
    store = Store(location)
    experiments = study_experiments(store)
    if not experiments:
        raise _nothing(location)
    prepare(location)
    with _alone(location, progress):
        sources = {one.name: _Source(store, one, _runs(store, one, known)) for one in experiments}
        outline = pl.concat([source.outline() for source in sources.values()])
        for name in sources.keys() - set(outline["study"]):
            progress.note(
                f"The study {name} is left out: it has no finished run of its own. Restore that in "
                "MLflow, or run its study file, which makes it anew."
            )
        file = None if everything else _file(location, progress)
        try:
            return _brought_up_to_date(location, progress, sources, outline, file)
        except UnreadableResultsError as error:  # damaged in a part that is read only now
            if file is None:
                raise
            progress.note(f"{error.message}: it is written anew.")
            return _brought_up_to_date(location, progress, sources, outline, None)


def _brought_up_to_date(
    location: Location,
    progress: Progress,
    sources: dict[str, _Source],
    outline: pl.DataFrame,
    file: Recorded | None,
) -> Ingested:
    found = changes(outline, file)
    found = replace(found, studies=found.studies | _described_anew(found, sources, outline))
    if found.none:
        assert found.file is not None
        return Ingested(found.file.counts, changed=False)
    return _take_in(location, progress, sources, found)


def _runs(store: Store, study: StudyExperiment, known: StudyRecord | None) -> FinishedRuns:
    if known is None or known.experiment_id != study.experiment_id:
        return finished_runs(store, study.experiment_id)
    return finished_runs(store, study.experiment_id, known.index.finished())


@dataclass(frozen=True)
class _Source:
    """A study of the store, of which nothing but an outline is read yet."""

    store: Store
    study: StudyExperiment
    runs: FinishedRuns

    def outline(self) -> pl.DataFrame:
        """The outline of its runs; without rows before the study itself was recorded."""
        outline = self.runs.outline().with_columns(study=pl.lit(self.study.name))
        return outline if "study" in outline["kind"] else outline.clear()

    def read(self, outline: pl.DataFrame, unread: frozenset[str]) -> StudyRecord:
        """The study with the runs of ``outline`` but for ``unread``."""
        wanted = outline.filter(~pl.col("run_id").is_in(list(unread)))
        entries = self.runs.entries(wanted["run_id"].to_list())
        record = open_study(self.store, self.study, entries)
        assert record is not None, "the study's own run is among those that are read"
        return record


def _described_anew(
    found: Changes, sources: Mapping[str, _Source], outline: pl.DataFrame
) -> frozenset[str]:
    """Studies of which something else is said in MLflow than in the file."""
    if found.file is None:
        return frozenset()
    said = dict(found.file.studies.select("study", "description").iter_rows())
    return frozenset(
        name
        for name in set(outline["study"]) & said.keys()
        if is_described_anew(sources[name].study, said[name])
    )


def _take_in(
    location: Location, progress: Progress, sources: dict[str, _Source], found: Changes
) -> Ingested:
    if found.outline.is_empty():
        raise _nothing(location)
    # A study that has lost its own run is gone from the outline, though not from the store.
    names = [one for one in sources if one in found.studies & set(found.outline["study"])]
    there = () if found.file is None else found.file.datasets["data_digest"]
    reader = RecordReader(frozenset(there))
    kept: set[str] = set()
    unreadable: list[Damage] = []
    with progress.track("Ingesting", len(names) + 1, "steps") as work:
        for name in names:
            outline = first_of_each_key(found.outline.filter(study=name))
            models, paths, points = _there_already(outline, found)
            unread = frozenset(paths["path_id"]) | frozenset(points["point_id"])
            try:
                record = sources[name].read(outline, unread)
            except DamagedArtifactError as error:  # of the study's own file
                unreadable.append(_of_study(name, error))
                work.advance()
                continue
            with _understanding(name, location):
                reader.read(record, models, paths, points)
            kept |= models | set(points["point_id"])
            work.advance()
        frames = reader.frames()
        if found.file is not None and not _same_definitions(found.file, frames):
            again = replace(found, file=None, studies=frozenset(found.outline["study"]))
            return _take_in(location, progress, sources, again)
        changed = None
        if found.file is not None:
            others = [name for name in sources if name not in found.studies]
            for table, rows in found.file.rows_of(others).items():
                frames[table] = pl.concat([frames[table], rows])
            changed = found.studies
            kept |= set(found.file.points.filter(pl.col("study").is_in(others))["point_id"])
            kept |= found.file.models_of(others)
        snapshot = Snapshot(
            tracking_uri=location.tracking_uri,
            examples=reader.examples,
            text_columns=reader.text_columns,
            predictions=tuple(reader.predictions),
            runs=_without(found.runs(), reader.damaged, unreadable, reader.incomplete),
            kept=frozenset(kept),
            changed=changed,
            **frames,
        )
        write = rebuild if found.file is None else update
        try:
            report = write(location.results_path, snapshot, DERIVATIONS)
        except DamagedResultsError as error:
            if found.file is None:
                raise
            progress.note(f"{error.message}: it is written anew.")
            again = replace(found, file=None, studies=frozenset(found.outline["study"]))
            return _take_in(location, progress, sources, again)
        work.advance()
    damaged = [*unreadable, *reader.damaged, *map(reader.damage_of, report.damaged)]
    return Ingested(report.counts, report.changed, tuple(damaged))


@contextmanager
def _understanding(name: str, location: Location) -> Iterator[None]:
    """Tell values of runs that are not what lmc-track writes as damage of the store."""
    try:
        yield
    except (ValueError, TypeError, pl.exceptions.PolarsError) as error:
        reason = " ".join(str(error).split())[:200]
        raise WorkError(
            f"What {location.shown_uri} holds of the study {name!r} cannot be read: "
            f"{type(error).__name__}: {reason}",
            "Restore the store from a backup; --debug shows which value it is.",
        ) from error


def _of_study(name: str, error: DamagedArtifactError) -> Damage:
    """The damage of a study's own file, of which nothing but the run's id is known."""
    run = RunEntry(error.run_id, "study", "", f"study {name}", "FINISHED", 0, None, "")
    return Damage.of(name, run, error)


def _without(
    runs: pl.DataFrame,
    damaged: Sequence[Damage],
    unreadable: Sequence[Damage],
    incomplete: AbstractSet[str],
) -> pl.DataFrame:
    """``runs`` but for those that are to be looked at again the next time."""
    ids = [one.run.run_id for one in damaged]
    studies = [*incomplete, *(one.study for one in unreadable)]
    return runs.filter(~pl.col("run_id").is_in(ids) & ~pl.col("study").is_in(studies))


def _there_already(
    outline: pl.DataFrame, found: Changes
) -> tuple[frozenset[str], pl.DataFrame, pl.DataFrame]:
    """What the file has of a study as the record has it: models, rows of paths and of points."""
    if found.file is None:
        paths, points = (pl.DataFrame(schema=frame_schema(table)) for table in (PATHS, POINTS))
        return frozenset(), paths, points
    unchanged = outline.filter(pl.col("run_id").is_in(list(found.unchanged)))
    models = found.file.models_of(outline["study"].unique()) & set(unchanged["run_id"])
    ends = (pl.col(f"model_{end}_id").is_in(list(models)) for end in "ab")
    paths = found.file.paths.filter(*ends)
    paths = paths.join(unchanged, left_on="path_id", right_on="run_id", how="semi")
    points = found.file.points.join(unchanged, left_on="point_id", right_on="run_id", how="semi")
    return frozenset(models), paths, points


def _same_definitions(file: Recorded, frames: dict[str, pl.DataFrame]) -> bool:
    """Whether what is in the file means what it meant, its grids and evaluation sets being so."""
    studies, datasets = frames["studies"], frames["datasets"]
    meaning = ["study", "alphas", "precision"]
    before = file.studies.join(studies, on="study", how="semi").select(meaning)
    # Predictions on a set that was left out were not kept, and its runs have not changed.
    again = file.left_out.filter(kind="dataset").join(
        datasets, left_on=["study", "name"], right_on=["study", "dataset"], how="semi"
    )
    sets = file.datasets.join(studies, on="study", how="semi")
    return (
        again.is_empty()
        and before.join(studies, on=meaning, how="anti").is_empty()
        and sets.join(datasets, on=sets.columns, how="anti", nulls_equal=True).is_empty()
    )


def _file(location: Location, progress: Progress) -> Recorded | None:
    """What the results file has; None where there is none of this store that can be read."""
    path = location.results_path
    if not path.exists():
        return None
    try:
        for name in upgrade(path):
            progress.note(f"{path}: {name.replace('_', ' ')}.")
        return recorded(path, location.tracking_uri)
    except LmcTrackError as error:
        progress.note(f"{error.message}: it is written anew.")
        return None


@contextmanager
def _alone(location: Location, progress: Progress) -> Iterator[None]:
    """While this lasts, no other ingest writes to the home; another one is waited for."""
    lock = FileLock(location.locks / "results.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress.note("Another ingest is writing to this home; waiting until it has ended.")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _nothing(location: Location) -> InputError:
    return InputError(
        f"no study is recorded in {location.shown_uri}", "Run one first, such as: lmc-track demo"
    )
