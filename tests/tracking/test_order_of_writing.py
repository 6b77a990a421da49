"""Artifacts come first, whole and on the disk; rows follow, those of a path all at once."""

from __future__ import annotations

import multiprocessing
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lmc_track.errors import WorkError
from lmc_track.steps.path_records import PathResult, record_path
from lmc_track.steps.path_works import PathWork
from lmc_track.tracking import durable
from lmc_track.tracking.bulk import BulkWriter
from lmc_track.tracking.location import Location
from lmc_track.tracking.recorder import Recorder
from lmc_track.tracking.runs import RunEntry, RunIndex, read_runs
from lmc_track.tracking.store import Store
from support.made_paths import MadeStudy, made_study
from support.stores import empty_home

PATIENCE = 120


def made(location: Location) -> tuple[MadeStudy, PathWork, PathResult]:
    study = made_study(Store(location), "made", models=2, points=3, examples=4)
    work = next(study.works())
    return study, work, study.result(work)


def on_record(study: MadeStudy, *kinds: str) -> list[RunEntry]:
    return read_runs(study.record.recorder.store, study.record.experiment_id, kinds)


def parts(location: Location) -> list[Path]:
    return list((location.home / "artifacts").rglob("*.part"))


def test_files_have_their_names_when_rows_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = empty_home(tmp_path / "home")
    study, work, result = made(location)
    found: list[int] = []
    write = BulkWriter.write

    def seen(writer: BulkWriter) -> None:
        found.append(len(list((location.home / "artifacts").rglob("predictions/*.parquet"))))
        assert parts(location) == []
        write(writer)

    monkeypatch.setattr(BulkWriter, "write", seen)
    record_path(study.plan, study.record, work, result)
    assert found == [2 + 3]  # the models' and the points'
    names = {run.kind: run for run in on_record(study, "path", "point")}
    assert names["path"].finished


def test_files_are_on_the_disk_before_and_their_names_before_the_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, work, result = made(empty_home(tmp_path / "home"))
    told: list[str] = []
    sync, replaced, write = durable._sync, Path.replace, BulkWriter.write

    def synced(path: Path) -> None:
        told.append("folder" if path.is_dir() else "file")
        sync(path)

    def named(path: Path, target: Path) -> Path:
        told.append("name")
        return replaced(path, target)

    def written(writer: BulkWriter) -> None:
        told.append("rows")
        write(writer)

    monkeypatch.setattr(durable, "_sync", synced)
    monkeypatch.setattr(Path, "replace", named)
    monkeypatch.setattr(BulkWriter, "write", written)
    record_path(study.plan, study.record, work, result)
    assert list(dict.fromkeys(told)) == ["file", "name", "folder", "rows"]
    assert told == sorted(told, key=("file", "name", "folder", "rows").index)
    assert told.count("file") == told.count("name") == 3 + 1  # the points' and the curves


def test_a_file_that_does_not_reach_the_disk_leaves_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = empty_home(tmp_path / "home")
    study, work, result = made(location)

    def full(_path: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(durable, "_sync", full)
        with pytest.raises(WorkError, match="No space left on device"):
            record_path(study.plan, study.record, work, result)
    assert on_record(study, "path", "point") == []
    assert parts(location) == []


def test_rows_that_cannot_be_written_leave_no_half_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, work, result = made(empty_home(tmp_path / "home"))
    writer = study.record.recorder._way
    assert isinstance(writer, BulkWriter)
    insert = writer._tables.insert

    def half(connection: Any, rows: Any) -> None:
        insert(connection, rows)
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(writer._tables, "insert", half)
        with pytest.raises(WorkError, match="Input/output error"):
            record_path(study.plan, study.record, work, result)
    assert on_record(study, "path", "point") == []


def _killed(home: Path, step: str) -> None:
    """Record a path, and be killed before or in the middle of ``step``."""
    study, work, result = made(empty_home(home))

    def kill(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    writer = study.record.recorder._way
    assert isinstance(writer, BulkWriter)
    if step == "rows":
        insert = writer._tables.insert

        def half(connection: Any, rows: Any) -> None:
            insert(connection, rows)
            kill()

        writer._tables.insert = half  # type: ignore[method-assign]
    else:
        durable._sync = kill
    record_path(study.plan, study.record, work, result)


@pytest.mark.full
@pytest.mark.parametrize("step", ["files", "rows"])
def test_a_process_that_is_killed_leaves_no_run(tmp_path: Path, step: str) -> None:
    home = tmp_path / "home"
    process = multiprocessing.get_context("spawn").Process(target=_killed, args=(home, step))
    process.start()
    process.join(PATIENCE)
    assert process.exitcode == -signal.SIGKILL
    location = replace(empty_home(tmp_path / "other"), home=home)
    location = replace(
        location,
        tracking_uri=f"sqlite:///{home}/mlflow.db",
        artifact_root=(home / "artifacts").as_uri(),
    )
    study = made_study(Store(location), "made", models=2, points=3, examples=4)
    assert on_record(study, "path", "point") == []
    known = {run.run_id for run in on_record(study, "study", "dataset", "model")}
    left = [part for part in parts(location) if part.parents[2].name not in known]
    assert bool(left) == (step == "files")
    work = next(study.works())
    record_path(study.plan, study.record, work, study.result(work))
    index = RunIndex(on_record(study, "path", "point"))
    assert (len(index.all("path")), len(index.all("point"))) == (1, 3)
    assert index.duplicates == []


class SideBySide(Recorder):
    """Records as where the store is a server: through the client, points in threads."""

    def __init__(self, recorder: Recorder) -> None:
        location = replace(recorder.store.location, artifact_root=None)
        super().__init__(Store(location), recorder._study, recorder._experiment_id)


def test_an_error_in_a_thread_is_the_callers_and_the_path_is_not_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, work, result = made(empty_home(tmp_path / "home"))
    record = replace(study.record, recorder=SideBySide(study.record.recorder))
    finish = Recorder.finish

    def one_fails(recorder: Recorder, run: RunEntry, *rest: Any, **more: Any) -> None:
        if run.name.startswith("alpha 0.5"):
            raise WorkError("the server is gone")
        finish(recorder, run, *rest, **more)

    with monkeypatch.context() as patched:
        patched.setattr(Recorder, "finish", one_fails)
        with pytest.raises(WorkError, match="the server is gone"):
            record_path(study.plan, record, work, result)
    found = RunIndex(on_record(study, "path", "point"))
    assert found.all("path") == []
    assert {run.status for run in found.unfinished("path")} == {"RUNNING"}
    record_path(study.plan, record, work, result)
    assert record.index.find("path", work.key) is not None


def test_where_points_are_written_side_by_side_the_path_is_finished_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, work, result = made(empty_home(tmp_path / "home"))
    record = replace(study.record, recorder=SideBySide(study.record.recorder))
    finished: list[str] = []
    finish = Recorder.finish

    def told(recorder: Recorder, run: RunEntry, *rest: Any, **more: Any) -> None:
        finish(recorder, run, *rest, **more)
        finished.append(run.kind)

    monkeypatch.setattr(Recorder, "finish", told)
    record_path(study.plan, record, work, result)
    assert finished == ["point"] * 3 + ["path"]
