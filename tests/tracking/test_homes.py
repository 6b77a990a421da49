"""A wrong directory is reported as that, with where the home may be instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from lmc_track.errors import InputError
from lmc_track.tracking.homes import check_home, is_home
from lmc_track.tracking.location import locate, prepare


def home_in(folder: Path) -> Path:
    (folder / "mlflow.db").parent.mkdir(parents=True, exist_ok=True)
    (folder / "mlflow.db").touch()
    return folder


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("holding", ["thesis.tex", "0/meta.yaml", "reports.txt"])
def test_a_folder_of_other_things_is_not_a_home(tmp_path: Path, holding: str, new: bool) -> None:
    file = tmp_path / holding
    file.parent.mkdir(exist_ok=True)
    file.touch()
    with pytest.raises(InputError, match=rf"not a home of lmc-track: it holds {holding[:1]}"):
        check_home(locate(str(tmp_path), environ={}), new=new)


def test_a_file_is_not_a_home(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    with pytest.raises(InputError, match="is a file, not a folder"):
        check_home(locate(str(tmp_path / "f"), environ={}), new=True)


@pytest.mark.parametrize("there", [[], [".gitignore"], ["queries"], ["lost+found"]])
def test_an_empty_folder_may_become_a_home(tmp_path: Path, there: list[str]) -> None:
    for name in there:
        (tmp_path / name).mkdir()
    check_home(locate(str(tmp_path), environ={}), new=True)
    with pytest.raises(InputError, match="the folder is empty"):
        check_home(locate(str(tmp_path), environ={}))


def test_a_folder_that_was_prepared_is_a_home(tmp_path: Path) -> None:
    location = locate(str(tmp_path / "home"), environ={})
    prepare(location)
    assert is_home(location.home)
    (location.home / "notes.txt").touch()
    check_home(location)


def test_studies_that_are_kept_elsewhere_need_no_home(tmp_path: Path) -> None:
    check_home(locate(str(tmp_path / "absent"), "http://127.0.0.1:5000", environ={}))
    check_home(locate(str(tmp_path / "absent"), f"sqlite:///{tmp_path}/other.db", environ={}))


@pytest.mark.parametrize(
    ("given", "there"),
    [("project", "project/mlruns"), ("home/artifacts", "home"), ("a/b/mlruns", "a/mlruns")],
)
def test_the_home_that_may_be_meant_is_named(tmp_path: Path, given: str, there: str) -> None:
    home = home_in(tmp_path / there)
    with pytest.raises(InputError, match=f"There is one at {home}: --home {home}"):
        check_home(locate(str(tmp_path / given), environ={}))


def test_a_working_directory_without_a_home_is_reported_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    with pytest.raises(InputError, match=r"no home in the working directory: .*mlruns does not"):
        check_home(locate(environ={}))


def test_a_working_directory_that_is_a_home_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home_in(tmp_path / "home"))
    with pytest.raises(InputError, match=f"There is one at {tmp_path / 'home'}: "):
        check_home(locate(environ={}))
