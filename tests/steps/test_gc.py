"""What nothing needs goes, what can still count stays; nothing outside of the home is touched."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from lmc_track.progress import Silent
from lmc_track.steps.gc import Removed, collect, seconds_ago, what_can_go
from lmc_track.steps.ingest import ingest
from lmc_track.steps.leftovers import Kind
from lmc_track.tracking.location import Location, locate
from lmc_track.tracking.lock import study_lock
from lmc_track.tracking.removal import remove_path
from lmc_track.tracking.store import Store
from support.stores import copied_home
from support.studies import measured, run_tiny, runs_of, tables_of

NO_RUN = "0" * 31 + "1"


@pytest.fixture
def home(finished: Location, tmp_path: Path) -> Location:
    """A copy of a finished study's home."""
    return copied_home(finished, tmp_path / "home")


def kinds(location: Location, older_than: float = 0.0) -> Counter[Kind]:
    return Counter(one.kind for one in what_can_go(location, older_than).found)


def removed(location: Location) -> Removed:
    return collect(location, what_can_go(location).found, 0.0, Silent())


def aged(path: Path) -> Path:
    """``path``, last used two hours ago."""
    stat = path.stat()
    os.utime(path, (stat.st_atime, stat.st_mtime - 7200))
    return path


def test_a_finished_study_has_nothing_to_collect(home: Location) -> None:
    assert what_can_go(home).found == []


def test_a_store_that_is_not_made_has_nothing_to_collect(tmp_path: Path) -> None:
    location = locate(str(tmp_path / "none"), environ={})
    assert what_can_go(location).found == []
    assert not location.home.exists()


def test_deleted_runs_go_with_their_points_models_and_artifacts(home: Location) -> None:
    client = Store(home).client
    index = runs_of(home)
    model, path = index.all("model")[0], index.all("path")[-1]
    points = index.children(path)
    for run in (model, path):
        client.delete_run(run.run_id)
    assert kinds(home) == {
        Kind.DELETED_RUN: 2,
        Kind.ORPHANED_RUN: len(points),
        Kind.LOGGED_MODEL: 1,
    }
    done = removed(home)
    assert done.failures == []
    assert done.usage.bytes > 100_000
    there = {one.name for one in (home.home / "artifacts" / "tiny").iterdir()}
    assert there.isdisjoint({one.run_id for one in (model, path, *points)})
    assert what_can_go(home).found == []


@pytest.mark.full
def test_a_study_goes_on_where_it_was_and_ends_alike(finished: Location, home: Location) -> None:
    client = Store(home).client
    index = runs_of(home)
    for run in (index.all("model")[0], index.all("path")[-1], index.all("report")[0]):
        client.delete_run(run.run_id)
    assert removed(home).failures == []
    ingest(home, Silent())
    assert len(measured(home)["models"]) == 3
    run_tiny(home)
    expected, found = measured(finished), measured(home)
    assert expected.keys() == found.keys()
    for name, frame in expected.items():
        assert_frame_equal(frame, found[name], abs_tol=1e-12, rel_tol=1e-12)


def leave_what_a_crash_leaves(home: Location) -> None:
    artifacts = home.home / "artifacts" / "tiny"
    shutil.copytree(artifacts / runs_of(home).all("path")[0].run_id, artifacts / NO_RUN)
    model = runs_of(home).all("model")[0].run_id
    (artifacts / model / "artifacts" / "model" / ".config.json.0123abcd.part").write_text("{")
    (artifacts / model / "artifacts" / ".model.0123abcd.part").mkdir()
    (home.cache / "finetuning-x").mkdir()
    (home.home / "results.duckdb.building").write_text("half")


def test_what_a_crash_leaves_goes(home: Location) -> None:
    leave_what_a_crash_leaves(home)
    assert kinds(home) == {Kind.RUN_FOLDER: 1, Kind.TEMPORARY: 4}
    assert removed(home).failures == []
    assert what_can_go(home).found == []


@pytest.mark.full
def test_no_table_changes_where_what_a_crash_leaves_goes(home: Location) -> None:
    before = tables_of(home.results_path)
    leave_what_a_crash_leaves(home)
    removed(home)
    ingest(home, Silent())
    after = tables_of(home.results_path)
    for name in before.keys() - {"schema_version"}:  # which says where the home is
        assert before[name].equals(after[name]), name


def test_caches_that_no_study_refers_to_go_once_nobody_may_be_about_to_use_them(
    home: Location,
) -> None:
    (tokens,) = {path.parent for path in home.cache.glob("tokens/*.arrow")}
    used = next(tokens.glob("*.arrow"))
    shutil.copy(used, tokens / "superseded.arrow")
    (tokens / "damaged.arrow").write_bytes(b"x")
    base = next(home.cache.glob("base/agreement-*"))
    shutil.copytree(base, base.with_name("agreement-other"))
    (home.cache / "planes" / "x").mkdir(parents=True)
    assert kinds(home) == {}
    for path in (tokens / "superseded.arrow", tokens / "damaged.arrow"):
        aged(path)
    aged(base.with_name("agreement-other"))
    aged(home.cache / "planes" / "x")
    assert kinds(home) == {Kind.CACHE: 4}
    removed(home)
    assert base.is_dir()
    assert used.is_file()
    assert what_can_go(home).found == []


def test_a_study_that_is_worked_on_is_passed_over(home: Location) -> None:
    Store(home).client.delete_run(runs_of(home).all("report")[0].run_id)
    (home.home / "artifacts" / "tiny" / NO_RUN).mkdir()
    (home.cache / "finetuning-x").mkdir()
    agreed = what_can_go(home).found
    assert len(agreed) == 3
    with study_lock(home, "tiny"):
        looked = what_can_go(home)
        assert looked.found == []
        assert "tiny is being worked on" in looked.notes[0]
        assert collect(home, agreed, 0.0, Silent()).gone == []
    assert len(collect(home, agreed, 0.0, Silent()).gone) == 3


def test_no_link_leads_out_of_the_home(home: Location, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    artifacts = home.home / "artifacts"
    (artifacts / "tiny" / NO_RUN).symlink_to(outside)
    (artifacts / "other").symlink_to(outside)
    (artifacts / "tiny" / ("0" * 31 + "2")).mkdir()
    (artifacts / "tiny" / ("0" * 31 + "2") / "link").symlink_to(outside)
    run = runs_of(home).all("report")[0]
    Store(home).client.delete_run(run.run_id)
    folder = artifacts / "tiny" / run.run_id / "artifacts"
    shutil.move(folder, tmp_path / "moved")
    folder.symlink_to(tmp_path / "moved")
    looked = what_can_go(home)
    assert {one.kind for one in looked.found} == {Kind.RUN_FOLDER}
    assert "not in this home" in looked.notes[0]
    removed(home)
    assert (outside / "precious").exists()
    assert any((tmp_path / "moved").iterdir())


def test_what_was_deleted_since_stays(home: Location) -> None:
    Store(home).client.delete_run(runs_of(home).all("report")[0].run_id)
    assert kinds(home, older_than=3600.0) == {}
    assert kinds(home) == {Kind.DELETED_RUN: 1}


def test_a_study_deleted_in_mlflow_goes_whole(home: Location) -> None:
    client = Store(home).client
    experiment = client.get_experiment_by_name("tiny")
    client.delete_experiment(experiment.experiment_id)
    assert kinds(home)[Kind.DELETED_STUDY] == 1
    assert removed(home).failures == []
    assert client.get_experiment_by_name("tiny") is None
    assert not (home.home / "artifacts" / "tiny").exists()
    assert what_can_go(home).found == []


def test_artifacts_of_another_store_are_left_alone(home: Location, tmp_path: Path) -> None:
    (home.home / "artifacts" / "theirs" / NO_RUN).mkdir(parents=True)
    other = locate(str(home.home), f"sqlite:///{tmp_path}/other.db", environ={})
    assert kinds(home) == {Kind.RUN_FOLDER: 1}
    with study_lock(other, "theirs"):
        pass
    for location in (home, other):
        looked = what_can_go(location)
        assert looked.found == []
        assert "another store" in looked.notes[0]


def test_runs_that_are_not_ours_stay(home: Location) -> None:
    client = Store(home).client
    run = client.create_run("0")
    client.delete_run(run.info.run_id)
    assert what_can_go(home).found == []


def test_a_folder_that_is_put_aside_first_is_known_for_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "cache" / "inner").mkdir(parents=True)
    remove_path(tmp_path / "cache", aside=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "seconds"), [("30d", 2_592_000), ("1d2h3m4s", 93_784), ("5m", 300)]
)
def test_ages_are_written_as_for_mlflow(text: str, seconds: float) -> None:
    assert seconds_ago(text) == seconds


@pytest.mark.parametrize("text", ["", "3", "x", "1h1d", "-1d"])
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text}$"):
        seconds_ago(text)
