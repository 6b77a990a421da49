"""No command takes another folder for a home, and none makes a home by failing."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.programs import Lmc
from support.studies import tiny_content
from support.study_files import to_toml

READING = (
    "cluster s", "describe s text", "evaluate s", "export s out", "gc --dry-run", "ingest",
    "interpolate s", "materialize a b", "move", "rename s t", "upgrade", "plane s a b c",
    "query models", "report s", "run s", "finetune s", "sql x", "status", "status s", "ui",
    "ui s", "cluster study.toml", "evaluate study.toml", "interpolate study.toml",
    "plane study.toml a b c", "report study.toml",
)  # fmt: skip
MAKING = (
    "check study.toml", "demo", "doctor", "plan study.toml", "run study.toml",
    "finetune study.toml", "register study.toml .", "import scores scores.csv --study s",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without a home."""
    (tmp_path / "study.toml").write_text(to_toml(tiny_content()))
    (tmp_path / "scores.csv").write_text("model,validation\na,.5\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", READING)
def test_a_working_directory_without_a_home_is_reported_as_that(
    in_process: Lmc, folder: Path, command: str
) -> None:
    done = in_process(*command.split())
    assert done.code == 2, done.err
    assert "there is no home in the working directory" in done.err
    assert not (folder / "mlruns").exists()


@pytest.mark.parametrize("command", [*READING, *MAKING])
def test_a_folder_of_other_things_is_reported_as_that(
    in_process: Lmc, folder: Path, command: str
) -> None:
    (folder / "thesis").mkdir()
    (folder / "thesis" / "main.tex").touch()
    done = in_process(*command.split(), "--home", "thesis")
    assert done.code == 2, done.err
    assert "thesis is not a home of lmc-track: it holds main.tex" in done.err
    assert [file.name for file in (folder / "thesis").iterdir()] == ["main.tex"]


@pytest.mark.parametrize(
    "override",
    [
        "model.base=./absent",
        "model.base=nobody/nothing",
        "finetune.seeds=[]",
        "finetune.track_steps=[4]",
        "finetune.trainer.weight_decy=1",
        "evaluate.datasets=['validation', 'main_onyl']",
        "cluster.primary_diagnostic=main_only:n9:accuracy",
        "interpolate.pairs=[['seed-0', 'seed-9']]",
    ],
)
@pytest.mark.parametrize("command", ["run", "finetune"])
def test_a_study_that_cannot_be_run_makes_no_home(
    in_process: Lmc, folder: Path, command: str, override: str
) -> None:
    file = folder / "study.toml"
    if override.startswith("model.base"):
        file.write_text(to_toml({"study": {"name": "s"}, "task": {"name": "agreement"}}))
    done = in_process(command, str(file), "--set", override)
    assert done.code == 2, done.err
    assert not (folder / "mlruns").exists()


@pytest.mark.parametrize(
    ("override", "meant"),
    [
        ("evaluate.datasets=['validation', 'main_onyl']", "main_only"),
        ("cluster.primary_diagnostic=main_onyl:all:accuracy", "main_only"),
        ("cluster.primary_diagnostic=main_only:n1-plurl:accuracy", "n1-plural"),
        ("interpolate.pairs=[['seed-0', 'sead-1']]", "seed-1"),
    ],
)
def test_a_misspelt_name_is_told_with_the_one_that_is_meant(
    in_process: Lmc, folder: Path, override: str, meant: str
) -> None:
    done = in_process("run", "study.toml", "--set", override)
    assert f"Did you mean {meant}?" in done.err
