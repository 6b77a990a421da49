"""What status counts: runs by their state, orphans, and what lies on the disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lmc_track.errors import InputError
from lmc_track.steps.status import Row, study_status
from lmc_track.tracking.location import Location, locate
from lmc_track.tracking.lock import study_lock
from lmc_track.tracking.recorder import Recorder
from lmc_track.tracking.store import Store
from support.stores import copied_home, empty_home
from support.studies import runs_of


@pytest.fixture
def home(finished: Location, tmp_path: Path) -> Location:
    """A copy of a finished study's home."""
    return copied_home(finished, tmp_path / "home")


def row(location: Location, what: str, study: str | None = "tiny") -> Row:
    (found,) = (
        one for one in study_status(location).rows if one["what"] == what and one["study"] == study
    )
    return found


def counts(location: Location, what: str, study: str | None = "tiny") -> dict[str, Any]:
    """The counts that are not zero, of runs."""
    names = (
        "planned",
        "done",
        "running",
        "interrupted",
        "failed",
        "missing",
        "orphaned",
        "deleted",
    )
    found = row(location, what, study)
    return {name: found[name] for name in names if found[name]}


def test_a_finished_study_lacks_nothing(finished: Location) -> None:
    for what, number in (("model", 4), ("path", 6), ("point", 12), ("dataset", 2), ("report", 1)):
        assert counts(finished, what) == {"planned": number, "done": number}, what


def test_what_lies_on_the_disk_is_told_by_kind(finished: Location) -> None:
    assert row(finished, "predictions")["files"] == 4 + 12
    whole = 0
    for what in ("checkpoints", "predictions", "other artifacts"):
        size = row(finished, what)["bytes"]
        assert isinstance(size, int)
        whole += size
    artifacts = finished.home / "artifacts"
    assert whole == sum(path.stat().st_size for path in artifacts.rglob("*") if path.is_file())
    for what in ("token caches", "weights caches", "MLflow database", "results.duckdb", "reports"):
        assert row(finished, what, None)["bytes"], what


def test_deleted_runs_are_missing_and_their_points_orphaned(home: Location) -> None:
    path = runs_of(home).all("path")[0]
    Store(home).client.delete_run(path.run_id)
    assert counts(home, "path") == {"planned": 6, "done": 5, "missing": 1, "deleted": 1}
    assert counts(home, "point") == {"planned": 12, "done": 10, "missing": 2, "orphaned": 2}


def test_a_run_that_has_begun_is_running_while_somebody_works_on_the_study(home: Location) -> None:
    experiment = Store(home).client.get_experiment_by_name("tiny").experiment_id
    recorder = Recorder(Store(home), "tiny", experiment)
    recorder.start("path", "key", "seed-0 to seed-9", "")
    failed = recorder.start("model", "key", "seed-9", "")
    recorder.finish(failed, "FAILED")
    assert counts(home, "path")["interrupted"] == 1
    assert counts(home, "model")["failed"] == 1
    with study_lock(home, "tiny"):
        assert counts(home, "path")["running"] == 1


def test_what_a_crash_leaves_is_counted(home: Location) -> None:
    artifacts = home.home / "artifacts" / "tiny"
    (artifacts / ("0" * 32)).mkdir()
    (artifacts / ("0" * 32) / "x").write_text("12345")
    (artifacts / f".{'0' * 32}.0123abcd.part").write_text("123")
    lost, half = (
        row(home, what, None) for what in ("artifact folders of no run", "unfinished files")
    )
    assert (lost["orphaned"], lost["bytes"]) == (1, 5)
    assert (half["orphaned"], half["bytes"]) == (1, 3)


def test_a_study_by_name_is_told_without_what_studies_share(finished: Location) -> None:
    told = study_status(finished, "tiny").rows
    assert {one["study"] for one in told} == {"tiny"}
    assert len(told) == 9


def test_a_study_that_is_not_recorded_is_named(finished: Location) -> None:
    with pytest.raises(InputError, match="no study 'other'"):
        study_status(finished, "other")


def test_an_empty_home_has_no_studies(tmp_path: Path) -> None:
    for location in (empty_home(tmp_path / "a"), locate(str(tmp_path / "b"), environ={})):
        assert {one["study"] for one in study_status(location).rows} == {None}
