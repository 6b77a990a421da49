"""``lmc-track register``: rows on stdout, what was done on stderr, one clear error."""

from __future__ import annotations

import csv
import io
import json
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


@pytest.fixture
def trainer_runs(workplace: Path) -> Path:
    """Two runs with two checkpoints each, as the Trainer leaves them."""
    models = tiny_classifiers(workplace / "made", 4, seed=10)
    for number, model in enumerate(models):
        run, step = workplace / "trained" / f"run-{number // 2}", 100 * (1 + number % 2)
        run.mkdir(parents=True, exist_ok=True)
        model.rename(run / f"checkpoint-{step}")
    return workplace / "trained"


def names(done: Result) -> list[str]:
    assert done.exit_code == 0, done.output
    return [row["model"] for row in csv.DictReader(io.StringIO(done.stdout))]


def test_a_tree_of_runs_is_registered_by_run_and_step(trainer_runs: Path) -> None:
    given = ("register", "study.toml", "trained", "--format", "csv")
    found = names(invoke(*given, "--name", "{parent}-{step}"))
    assert found == ["run-0-100", "run-0-200", "run-1-100", "run-1-200"]
    again = invoke(*given, "--name", "other-{}")
    assert names(again) == found
    assert "--name other-{} is ignored for 4 of 4 models" in again.stderr
    assert invoke("ingest").exit_code == 0
    asked = invoke("sql", "SELECT name, origin FROM models ORDER BY position", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(asked.stdout)))
    assert [row["origin"] for row in rows] == [
        str(trainer_runs / run / f"checkpoint-{step}")
        for run in ("run-0", "run-1")
        for step in (100, 200)
    ]


def test_checkpoints_are_named_after_their_runs_by_themselves(trainer_runs: Path) -> None:
    found = names(invoke("register", "study.toml", "trained/run-1", "--format", "csv"))
    assert found == ["run-1-100", "run-1-200"]


def test_all_that_is_wrong_is_told_at_once_and_the_others_are_registered_if_asked(
    trainer_runs: Path,
) -> None:
    (trainer_runs / "run-0" / "checkpoint-100" / "config.json").write_text("[]")
    (trainer_runs / "run-0" / "checkpoint-200" / "model.safetensors").write_bytes(b"cut")
    multi = trainer_runs / "run-1" / "checkpoint-100" / "config.json"
    content = json.loads(multi.read_text())
    multi.write_text(json.dumps({**content, "problem_type": "multi_label_classification"}))
    given = ("register", "study.toml", "trained", "--format", "csv")
    refused = invoke(*given)
    assert isinstance(refused.exception, InputError)
    message = refused.exception.message
    assert message.startswith("3 of 4 sources cannot be registered:")
    assert all(words in message for words in ("config.json", "is cut short", "multi-label head"))
    assert "--skip-bad" in refused.exception.remedy
    assert study_names(Store(locate())) == []
    done = invoke(*given, "--skip-bad")
    assert names(done) == ["run-1-200"]
    assert done.stderr.count("Skipped: ") == 3


def test_skipping_all_of_them_is_refused(trainer_runs: Path) -> None:
    for config in trainer_runs.glob("*/*/config.json"):
        config.unlink()
    refused = invoke("register", "study.toml", "trained", "--skip-bad")
    assert isinstance(refused.exception, InputError)
    assert study_names(Store(locate())) == []


def test_a_name_with_an_unknown_field_is_refused(trainer_runs: Path) -> None:
    refused = invoke("register", "study.toml", "trained", "--name", "{folder}-{step}")
    assert isinstance(refused.exception, InputError)
    assert refused.exception.message == "--name: there is no {folder}"
    assert "{parent}" in refused.exception.remedy
