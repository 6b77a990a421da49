"""``lmc-track check``: one row for each count, no model and no home for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lmc_track.cli.main import cli
from support.tiny_models import tiny_base

STUDY = """
[study]
name = "own"
[task]
name = "tabular"
text = "text"
label = "label"
labels = ["no", "yes"]
skip_labels = ["-"]
[task.train]
file = "train.csv"
[task.validation]
file = "dev.csv"
[model]
base = "base"
"""


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study file, its data, and of its base model only what reads texts."""
    (tmp_path / "study.toml").write_text(STUDY)
    (tmp_path / "train.csv").write_text("text,label\nthe cat,no\nthe dog,yes\nthe dog,no\n?,-\n")
    longer = " ".join(["the"] * 600)
    (tmp_path / "dev.csv").write_text(f"text,label\nthe cat,yes\n{longer},no\n\x1b[31m<b>,yes\n")
    base = tiny_base(tmp_path / "base")
    (base / "model.safetensors").unlink()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LMC_DATA_DIR", raising=False)
    return tmp_path


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["check", "study.toml", *arguments])


def test_every_count_is_a_row_and_nothing_is_made(workplace: Path) -> None:
    done = invoke("--format", "json")
    assert done.exit_code == 0, done.output
    rows = {(row["set"], row["what"], row["detail"]): row for row in json.loads(done.stdout)}
    train = {what: row["examples"] for (name, what, _), row in rows.items() if name == "train"}
    assert train["examples"] == 3
    assert train["duplicates"] == 1
    assert train["several labels"] == 2
    assert rows["train", "left out", "skip_labels"]["examples"] == 1
    assert rows["validation", "in training data", None]["examples"] == 1
    assert rows["validation", "in training data", "with another label there"]["concern"]
    assert rows["validation", "truncated", "longer than the model reads"]["examples"] == 1
    assert not (workplace / "mlruns").exists()


def test_a_table_is_aligned_and_acts_on_no_terminal(workplace: Path) -> None:
    text = (workplace / "study.toml").read_text()
    (workplace / "study.toml").write_text(text.replace('"yes"]', '"yes", "\\u001b[2J"]'))
    done = invoke()
    assert done.exit_code == 0, done.output
    assert "\x1b" not in done.stdout
    assert len({len(line) for line in done.stdout.splitlines()[1:2]}) == 1


def test_without_a_tokenizer_the_rest_is_counted(workplace: Path) -> None:
    (workplace / "base" / "tokenizer.json").write_text("[]")
    done = invoke("--format", "json")
    assert done.exit_code == 0, done.output
    cut = [row for row in json.loads(done.stdout) if row["what"] == "truncated"]
    assert {row["examples"] for row in cut} == {None}
    assert "Truncated texts are not counted" in done.stderr


def test_a_missing_file_is_refused(workplace: Path) -> None:
    (workplace / "dev.csv").unlink()
    assert "dev.csv" in str(invoke().exception)
