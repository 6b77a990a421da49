"""``lmc-track register``: rows on stdout, what was done on stderr, one clear error."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lmc_track.cli.main import cli
from lmc_track.errors import InputError
from lmc_track.tracking.location import locate
from lmc_track.tracking.store import Store
from lmc_track.tracking.studies import study_names
from support.stores import empty_home
from support.tiny_models import tiny_classifiers

STUDY = """
[study]
name = "own"
[task]
name = "cola"
data_dir = "cola"
[finetune]
seeds = []
[evaluate]
datasets = ["validation"]
"""
SENTENCES = "".join(
    f"ks08\t{n % 2}\t\tthe {first} {second}\n"
    for first in ("cat", "dog", "cats", "dogs")
    for n, second in enumerate(("sleeps", "sleep"))
)


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the program runs: a study file, its data and two checkpoints."""
    (tmp_path / "study.toml").write_text(STUDY)
    (tmp_path / "cola").mkdir()
    for name in ("in_domain_train.tsv", "in_domain_dev.tsv", "out_of_domain_dev.tsv"):
        (tmp_path / "cola" / name).write_text(SENTENCES)
    tiny_classifiers(tmp_path / "runs", 2)
    empty_home(tmp_path / "mlruns")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def test_rows_say_what_was_registered(workplace: Path) -> None:
    given = ("register", "study.toml", "runs/model-{0..1}", "--format", "csv")
    done = invoke(*given, "--name", "m-{}")
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(row["model"], row["new"]) for row in rows] == [("m-0", "true"), ("m-1", "true")]
    assert done.stderr.strip().endswith("2 models registered.")
    assert invoke(*given).stderr.strip().endswith("0 models registered, 2 on record already.")


def test_a_missing_folder_of_a_range_registers_none(workplace: Path) -> None:
    refused = invoke("register", "study.toml", "./runs/model-{0..2}")
    assert isinstance(refused.exception, InputError)
    assert refused.exception.message == "there is no folder ./runs/model-2"
    assert study_names(Store(locate())) == []
