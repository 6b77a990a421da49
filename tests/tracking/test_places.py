"""Artifacts are found in the home that has them; nothing is written to a place of another."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lmc_track.errors import InputError, WorkError
from lmc_track.tracking import rerooting
from lmc_track.tracking.artifacts import Artifacts
from lmc_track.tracking.backup import back_up
from lmc_track.tracking.location import Location, locate
from lmc_track.tracking.lock import study_lock
from lmc_track.tracking.places import DisplacedHomeError, Standing, check_in_place, places_of
from lmc_track.tracking.rerooting import take_up
from lmc_track.tracking.store import Store
from lmc_track.tracking.tags import KIND_TAG, STUDY_TAG
from support.stores import addresses, empty_home


def at(folder: Path) -> Location:
    return locate(str(folder), environ={})


def a_study(location: Location, name: str = "s") -> tuple[str, str]:
    """A study without more than its own run, with an artifact; that run's id and address."""
    client = Store(location).client
    place = f"{location.artifact_root}/{name}"
    experiment = client.create_experiment(name, artifact_location=place, tags={STUDY_TAG: name})
    info = client.create_run(experiment, tags={KIND_TAG: "study", STUDY_TAG: name}).info
    client.create_logged_model(experiment, name="m", source_run_id=info.run_id)
    Artifacts(Store(location)).put_text(info.run_id, info.artifact_uri, name, "study.json")
    return info.run_id, info.artifact_uri


def read(location: Location, run: tuple[str, str]) -> Path:
    return Artifacts(Store(location)).get(*run, "study.json")


@pytest.fixture
def home(tmp_path: Path) -> Location:
    return empty_home(tmp_path / "was here")


@pytest.mark.parametrize("name", ["new", "my home ü #1, 100%", "a/b c"])
def test_a_moved_home_is_read_at_once_and_taken_up(
    home: Location, name: str, tmp_path: Path
) -> None:
    run = a_study(home)
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    moved = at(home.home.rename(tmp_path / name))
    assert read(moved, run) == moved.own_artifacts / "s" / run[0] / "artifacts" / "study.json"
    with pytest.raises(DisplacedHomeError, match="was moved") as error:
        check_in_place(moved)
    assert "lmc-track move --home" in error.value.remedy
    done = take_up(moved)
    check_in_place(moved)
    assert done.lost == ()
    assert done.rows == len(addresses(moved)) == 3
    assert all(one.startswith(f"{moved.artifact_root}/") for one in addresses(moved))
    assert read(moved, (run[0], Store(moved).client.get_run(run[0]).info.artifact_uri)).is_file()
    assert take_up(moved).rows == 0


def test_the_database_is_copied_before(home: Location, tmp_path: Path) -> None:
    a_study(home)
    before = addresses(home)
    moved = at(home.home.rename(tmp_path / "new"))
    copy = take_up(moved).copy
    assert copy is not None
    kept = at(tmp_path / "kept")
    kept.home.mkdir()
    shutil.copyfile(copy, kept.own_store)
    assert addresses(kept) == before


@pytest.mark.parametrize("nth", [1, 3])
def test_a_move_that_is_interrupted_changes_nothing_and_is_done_again(
    home: Location, nth: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_study(home)
    moved = at(home.home.rename(tmp_path / "new"))
    before = addresses(moved)
    calls = []

    def interrupted(*arguments: object) -> int:
        calls.append(arguments)
        if len(calls) == nth:
            raise KeyboardInterrupt
        return rewrite(*arguments)

    rewrite = rerooting._rewrite_column
    monkeypatch.setattr(rerooting, "_rewrite_column", interrupted)
    with pytest.raises(KeyboardInterrupt):
        take_up(moved)
    assert addresses(moved) == before
    assert take_up(moved).rows == 3
    assert len(list(moved.home.glob("mlflow.db.before-move*"))) == 2


def test_a_copy_reads_its_own_and_is_not_written_until_told(home: Location, tmp_path: Path) -> None:
    run = a_study(home)
    copy = at(Path(shutil.copytree(home.home, tmp_path / "copy")))
    assert read(copy, run).is_relative_to(copy.home)
    for refused in (lambda: take_up(copy), lambda: study_lock(copy, "s").__enter__()):
        with pytest.raises(DisplacedHomeError, match="is a copy") as error:
            refused()
        assert "move --copy --home" in error.value.remedy
        assert "move --move --home" in error.value.remedy
    original = addresses(home)
    take_up(copy, copy=True)
    with study_lock(copy, "s"), study_lock(home, "s"):
        assert addresses(home) == original
        assert addresses(copy).isdisjoint(original)


def test_a_copy_may_take_the_place_of_the_other(home: Location, tmp_path: Path) -> None:
    a_study(home)
    copy = at(Path(shutil.copytree(home.home, tmp_path / "copy")))
    assert take_up(copy, move=True).rows == 3
    check_in_place(copy)


def test_another_home_at_the_old_place_is_no_original(home: Location, tmp_path: Path) -> None:
    a_study(home)
    other = empty_home(tmp_path / "other")
    a_study(other)
    moved = at(home.home.rename(tmp_path / "new"))
    other.home.rename(home.home)
    (root,) = places_of(moved).roots
    assert root.standing is Standing.MOVED


def test_a_database_without_its_artifacts_is_refused(home: Location, tmp_path: Path) -> None:
    a_study(home)
    (tmp_path / "new").mkdir()
    copy = back_up(home, "before-test")
    assert copy is not None
    shutil.copyfile(copy, tmp_path / "new" / "mlflow.db")
    with pytest.raises(DisplacedHomeError, match="names the artifacts of another home"):
        take_up(at(tmp_path / "new"), copy=True)


def test_a_copy_whose_artifacts_are_a_link_to_the_original_is_no_home(
    home: Location, tmp_path: Path
) -> None:
    a_study(home)
    elsewhere = home.own_artifacts.rename(tmp_path / "large disk")
    home.own_artifacts.symlink_to(elsewhere)
    check_in_place(home)
    copy = at(Path(shutil.copytree(home.home, tmp_path / "copy", symlinks=True)))
    with pytest.raises(DisplacedHomeError, match="is a copy"):
        check_in_place(copy)
    with pytest.raises(InputError, match="is a link"):
        take_up(copy, copy=True)
    moved = at(home.home.rename(tmp_path / "new"))
    take_up(moved)
    check_in_place(moved)


def test_a_home_reached_by_a_link_is_in_place(home: Location, tmp_path: Path) -> None:
    a_study(home)
    (tmp_path / "link").symlink_to(home.home)
    check_in_place(at(tmp_path / "link"))


def test_an_artifact_folder_outside_of_any_home_is_left_alone(
    home: Location, tmp_path: Path
) -> None:
    client = Store(home).client
    place = (tmp_path / "shared" / "s").as_uri()
    experiment = client.create_experiment("s", artifact_location=place, tags={STUDY_TAG: "s"})
    info = client.create_run(experiment, tags={KIND_TAG: "study"}).info
    Artifacts(Store(home)).put_text(info.run_id, info.artifact_uri, "s", "study.json")
    moved = at(home.home.rename(tmp_path / "new"))
    check_in_place(moved)
    assert read(moved, (info.run_id, info.artifact_uri)).is_relative_to(tmp_path / "shared")


def test_an_address_does_not_lead_out_of_the_home(home: Location, tmp_path: Path) -> None:
    a_study(home)
    moved = at(home.home.rename(tmp_path / "new"))
    folder = Store(moved).folder_of(f"{home.artifact_root}/%2e%2e/%2e%2e/other")
    assert folder is not None
    assert not folder.is_relative_to(moved.home)


def test_a_home_that_is_worked_on_is_not_taken_up(home: Location, tmp_path: Path) -> None:
    from filelock import FileLock

    a_study(home)
    moved = at(home.home.rename(tmp_path / "new"))
    with FileLock(moved.locks / "study-s.lock"), pytest.raises(WorkError, match="is working in"):
        take_up(moved)
    assert list(moved.home.glob("*before-move*")) == []


def test_artifacts_that_did_not_come_along_are_named(home: Location, tmp_path: Path) -> None:
    a_study(home)
    other = a_study(home, "other")
    shutil.rmtree(home.own_artifacts / "other")
    moved = at(home.home.rename(tmp_path / "new"))
    assert take_up(moved).lost == (other[0],)
