"""Bad input: one clear error, its exit code, no traceback, nothing half-written."""

from __future__ import annotations

from pathlib import Path

import pytest

from lmc_track.tracking.location import Location
from support.programs import Lmc, Outcome
from support.stores import empty_home
from support.studies import runs_of, tables_of, tiny_content
from support.study_files import to_toml


@pytest.fixture
def lmc(in_process: Lmc) -> Lmc:
    """The program's own entry, which must tell no defect of its own."""

    def run(*arguments: str) -> Outcome:
        outcome = in_process(*arguments)
        assert "Traceback" not in outcome.err
        assert "defect of the program" not in outcome.err
        return outcome

    return run


@pytest.fixture
def home(tmp_path: Path) -> Location:
    return empty_home(tmp_path / "home")


@pytest.fixture
def study_file(tmp_path: Path) -> Path:
    path = tmp_path / "study.toml"
    path.write_text(to_toml(tiny_content()))
    return path


def refused(outcome: Outcome, *words: str) -> None:
    assert outcome.code == 2, outcome.err
    assert outcome.out == ""
    for word in words:
        assert word in outcome.err


def test_a_missing_study_file(lmc: Lmc, tmp_path: Path) -> None:
    refused(lmc("run", str(tmp_path / "no.toml")), "no.toml", "lmc-track init")


def test_a_malformed_study_file(lmc: Lmc, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("[study\n")
    refused(lmc("run", str(path)), "not valid TOML", "line 1")


def test_an_unknown_task(lmc: Lmc, study_file: Path) -> None:
    refused(lmc("run", str(study_file), "--set", "task.name=squad"), "'squad'", "cola")


def test_seeds_given_twice(lmc: Lmc, study_file: Path) -> None:
    refused(lmc("run", str(study_file), "--set", "finetune.seeds=1,2,1"), "given twice: 1")


def test_a_grid_that_does_not_increase(lmc: Lmc, study_file: Path) -> None:
    done = lmc("run", str(study_file), "--set", "interpolate.alphas=[0, 0.7, 0.3, 1]")
    refused(done, "interpolate.alphas", "increase from 0 to 1")


def test_a_base_model_that_is_not_there(lmc: Lmc, tmp_path: Path, home: Location) -> None:
    raw = tmp_path / "cola"
    raw.mkdir()
    for name in ("in_domain_train", "in_domain_dev", "out_of_domain_dev"):
        (raw / f"{name}.tsv").write_text(
            "gj04\t1\t\tThe cat sleeps.\ngj04\t0\t*\tCat the sleeps.\n"
        )
    path = tmp_path / "s.toml"
    content = {
        "study": {"name": "s"},
        "task": {"name": "cola", "data_dir": str(raw)},
        "model": {"base": "./nowhere/model"},
    }
    path.write_text(to_toml(content))
    done = lmc("run", str(path), "--home", str(home.home))
    refused(done, "nowhere/model", "model.base")


def test_data_with_a_missing_column(lmc: Lmc, tmp_path: Path, home: Location) -> None:
    done = lmc("run", str(_cola_with(tmp_path, "gj04\t1\tThe cat sleeps.\n")), *_at(home))
    refused(done, "in_domain_train.tsv", "2")


def test_data_with_an_unknown_label(lmc: Lmc, tmp_path: Path, home: Location) -> None:
    done = lmc("run", str(_cola_with(tmp_path, "gj04\tyes\t\tThe cat sleeps.\n")), *_at(home))
    refused(done, "in_domain_train.tsv", "2", "yes")


def test_a_trainer_setting_that_does_not_exist(lmc: Lmc, study_file: Path, home: Location) -> None:
    done = lmc("run", str(study_file), "--set", "finetune.trainer.weight_decy=0.1", *_at(home))
    refused(done, "weight_decy", "weight_decay")


def test_an_evaluation_set_that_does_not_exist(lmc: Lmc, study_file: Path, home: Location) -> None:
    override = 'evaluate.datasets=["validation", "hans"]'
    refused(lmc("run", str(study_file), "--set", override, *_at(home)), "'hans'", "main_only")


@pytest.mark.parametrize(
    ("diagnostic", "words"),
    [
        ("main_only:all", ("dataset:subset:metric",)),
        ("main_only:all:recall", ("'recall'", "matthews_correlation")),
        ("embedded_only:all:accuracy", ("'embedded_only'", "validation, main_only")),
        ("main_only:n3-plural:accuracy", ("'n3-plural'", "n1-plural")),
    ],
)
def test_a_primary_diagnostic_that_is_not_measured(
    lmc: Lmc, study_file: Path, home: Location, diagnostic: str, words: tuple[str, ...]
) -> None:
    override = f"cluster.primary_diagnostic={diagnostic}"
    refused(lmc("run", str(study_file), "--set", override, *_at(home)), "primary_diag", *words)


def test_a_home_that_cannot_be_written(lmc: Lmc, study_file: Path) -> None:
    done = lmc("run", str(study_file), "--home", "/proc/no-home")
    refused(done, "/proc/no-home", "--home")


def test_a_tracking_uri_of_an_old_kind(lmc: Lmc, study_file: Path) -> None:
    done = lmc("status", "--tracking-uri", "file:///srv/mlruns")
    refused(done, "file:///srv/mlruns")


def test_results_of_a_newer_schema(lmc: Lmc, finished: Location, tmp_path: Path) -> None:
    import shutil

    import duckdb

    location = empty_home(tmp_path / "newer")
    shutil.copyfile(finished.results_path, location.results_path)
    connection = duckdb.connect(str(location.results_path))
    connection.execute("UPDATE schema_version SET version = 999")
    connection.close()
    refused(lmc("query", "models", *_at(location)), "999")


def test_results_that_are_no_database(lmc: Lmc, tmp_path: Path) -> None:
    location = empty_home(tmp_path / "corrupt")
    location.results_path.write_bytes(b"not a database" * 1000)
    refused(lmc("query", "models", *_at(location)), "results.duckdb", "ingest")


def test_no_results_yet(lmc: Lmc, home: Location) -> None:
    refused(lmc("query", "models", *_at(home)), "ingest")


def test_a_name_recorded_with_another_recipe(
    lmc: Lmc, finished: Location, study_file: Path
) -> None:
    done = lmc("run", str(study_file), "--set", "finetune.learning_rate=0.5", *_at(finished))
    refused(done, "another recipe", "learning_rate")


def test_a_study_deleted_in_mlflow(lmc: Lmc, study_file: Path, home: Location) -> None:
    from lmc_track.tracking.store import Store

    client = Store(home).client
    client.delete_experiment(client.create_experiment("tiny", tags={"lmc.study": "tiny"}))
    refused(lmc("run", str(study_file), *_at(home)), "deleted in MLflow", "restore")


def test_a_study_that_is_not_recorded(lmc: Lmc, finished: Location) -> None:
    refused(lmc("report", "other", *_at(finished)), "'other'")
    refused(lmc("run", "other", *_at(finished)), "'other'", "tiny")


@pytest.mark.parametrize(
    "command",
    ["run s", "cluster s", "report s", "status s", "ingest", "query models", "materialize a b"],
)
def test_a_home_that_is_not_there_is_not_made_by_reading(
    lmc: Lmc, tmp_path: Path, command: str
) -> None:
    refused(lmc(*command.split(), "--home", str(tmp_path / "typo")))
    assert not (tmp_path / "typo").exists()


def test_a_port_that_does_not_exist(lmc: Lmc, home: Location) -> None:
    refused(lmc("ui", "--port", "99999", *_at(home)), "99999")


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("SELEC 1", "SELEC"),
        ("SELECT * FROM nowhere", "nowhere"),
        ("DROP TABLE models", ""),
        ("SELECT * FROM read_csv('/etc/passwd')", ""),
    ],
)
def test_sql_that_cannot_run(lmc: Lmc, finished: Location, statement: str, word: str) -> None:
    before = tables_of(finished.results_path)
    refused(lmc("sql", statement, *_at(finished)), word)
    assert tables_of(finished.results_path).keys() == before.keys()


def test_a_query_that_does_not_exist(lmc: Lmc, finished: Location) -> None:
    refused(lmc("query", "barrier_matrx", *_at(finished)), "barrier_matrix")


def test_an_own_query_that_is_broken(lmc: Lmc, finished: Location, tmp_path: Path) -> None:
    import shutil

    home = tmp_path / "own"
    shutil.copytree(finished.home, home)
    folder = home / "queries"
    folder.mkdir()
    (folder / "mine.sql").write_text("-- name: mine\n-- description: d\nSELECT\n  1 +\n")
    refused(lmc("query", "mine", "--home", str(home)), f"{folder / 'mine.sql'}:4: Parser Error")


def test_sql_without_a_statement(lmc: Lmc) -> None:
    refused(lmc("sql"), "standard input", "--file")
    refused(lmc("sql", "SELECT 1", "--file", "-"), "--file")


def test_a_table_that_does_not_exist(lmc: Lmc) -> None:
    refused(lmc("schema", "modles"), "'modles'", "models")


def test_a_command_that_does_not_exist(lmc: Lmc) -> None:
    refused(lmc("frobnicate"), "frobnicate", "demo")


def test_init_does_not_replace_a_file(lmc: Lmc, study_file: Path) -> None:
    before = study_file.read_text()
    refused(lmc("init", str(study_file)), "exists already")
    assert study_file.read_text() == before


def test_a_run_that_is_no_model_or_point(lmc: Lmc, finished: Location, tmp_path: Path) -> None:
    study = runs_of(finished).all("study")[0].run_id
    refused(lmc("materialize", study, str(tmp_path / "out"), *_at(finished)), "no weights")
    refused(lmc("materialize", "f" * 32, str(tmp_path / "out"), *_at(finished)), "no run")
    assert not (tmp_path / "out").exists()


def test_bad_input_records_nothing(lmc: Lmc, study_file: Path, home: Location) -> None:
    from lmc_track.tracking.store import Store

    lmc("run", str(study_file), "--set", "finetune.trainer.weight_decy=0.1", *_at(home))
    assert [e.name for e in Store(home).client.search_experiments()] == ["Default"]


def _at(location: Location) -> tuple[str, str]:
    return ("--home", str(location.home))


def _cola_with(tmp_path: Path, second_line: str) -> Path:
    raw = tmp_path / "cola"
    raw.mkdir()
    good = "gj04\t1\t\tThe cat sleeps.\n"
    for name in ("in_domain_dev", "out_of_domain_dev"):
        (raw / f"{name}.tsv").write_text(good)
    (raw / "in_domain_train.tsv").write_text(good + second_line)
    path = tmp_path / "s.toml"
    content = {
        "study": {"name": "s"},
        "task": {"name": "cola", "data_dir": str(raw)},
        "model": {"base": str(tmp_path)},
    }
    path.write_text(to_toml(content))
    return path
