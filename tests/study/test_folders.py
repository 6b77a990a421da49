"""Folders in a study file start from the file, those on the command line from where one is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lmc_track.errors import InputError
from lmc_track.study import Study, read_study, restore_study
from lmc_track.study.tabular_section import TabularTask
from support.study_files import to_toml


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the study file; the working directory is another, with folders of its own."""
    for folder in ("project/data", "project/minilm", "elsewhere/typed", "elsewhere/only-here"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.delenv("LMC_DATA_DIR", raising=False)
    return tmp_path / "project"


def study_of(beside: Path, task: dict[str, object], *overrides: str, base: str = "") -> Study:
    content = {"study": {"name": "s"}, "task": {"name": "cola", **task}, "model": {"base": base}}
    (beside / "study.toml").write_text(to_toml(content))
    return read_study(Path(os.path.relpath(beside / "study.toml")), overrides)


@pytest.mark.parametrize("written", ["data", "./data", "../project/data"])
def test_the_data_folder_of_a_file_is_beside_the_file(beside: Path, written: str) -> None:
    assert study_of(beside, {"data_dir": written}).task.data_dir == str(beside / "data")


def test_an_absolute_folder_stays(beside: Path, tmp_path: Path) -> None:
    folder = str(tmp_path / "elsewhere" / "typed")
    assert study_of(beside, {"data_dir": folder}).task.data_dir == folder


def test_a_typed_folder_is_in_the_working_directory(beside: Path) -> None:
    study = study_of(beside, {"data_dir": "data"}, "task.data_dir=typed", "model.base=./typed")
    assert study.task.data_dir == "typed"
    assert study.model.base == "./typed"


def test_a_base_model_and_a_hub_folder_of_a_file_are_beside_it(beside: Path) -> None:
    study = study_of(beside, {"hub": "data"}, base="minilm")
    assert study.model.base == str(beside / "minilm")
    assert study.task.hub == str(beside / "data")


def test_the_id_of_a_base_model_on_the_hub_stays_one(beside: Path) -> None:
    study = study_of(beside, {}, base="google-bert/bert-base-uncased")
    assert study.model.base == "google-bert/bert-base-uncased"
    assert study.task.hub == "nyu-mll/glue"


def test_a_folder_that_is_not_beside_the_file_is_named_where_it_was_looked_for(
    beside: Path,
) -> None:
    assert study_of(beside, {"data_dir": "absent"}).task.data_dir == str(beside / "absent")
    assert study_of(beside, {}, base="./absent").model.base == str(beside / "absent")


@pytest.mark.parametrize("key", ["data_dir", "hub", "base"])
def test_a_folder_of_the_working_directory_alone_is_refused_with_how_to_write_it(
    beside: Path, key: str
) -> None:
    task = {} if key == "base" else {key: "only-here"}
    with pytest.raises(InputError, match=r"relative to the file(.|\n)*'\.\./elsewhere/only-here'"):
        study_of(beside, task, base="only-here" if key == "base" else "")


def own_task(beside: Path, *overrides: str, **keys: object) -> TabularTask:
    task = {
        "name": "tabular", "labels": ["a", "b"], "text": "t", "label": "l",
        "validation": {"file": "dev.tsv"}, **keys,
    }  # fmt: skip
    found = study_of(beside, task, *overrides).task
    assert isinstance(found, TabularTask)
    return found


def test_the_files_of_an_own_task_lie_beside_the_study_file(beside: Path) -> None:
    assert own_task(beside).data_dir == str(beside)


def test_the_environments_data_folder_comes_before_the_files_own(
    beside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LMC_DATA_DIR", "/data")
    assert own_task(beside).data_dir is None


def test_a_diagnostics_hub_folder_is_beside_the_file(beside: Path) -> None:
    diagnostics = {"d": {"hub": "data", "split": "test"}}
    assert own_task(beside, diagnostics=diagnostics).diagnostics["d"].hub == str(beside / "data")


def test_a_recorded_study_keeps_its_folders(beside: Path) -> None:
    study = study_of(beside, {"data_dir": "data"}, base="minilm")
    assert restore_study(study.model_dump(mode="json")) == study
