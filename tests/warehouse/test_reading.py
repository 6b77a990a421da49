"""A results file that cannot be read says why and what to do."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from lmc_track.errors import InputError
from lmc_track.warehouse.rebuild import rebuild
from lmc_track.warehouse.results import Results, open_results
from support.handmade_study import TRACKING_URI, handmade_snapshot

INNER = {(0, 1): {0.5: 0.5}}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    rebuild(folder / "results.duckdb", handmade_snapshot(folder, [0.25, 0.25], INNER))
    return folder / "results.duckdb"


@pytest.fixture
def altered(small: Path, tmp_path: Path) -> Callable[[str], Path]:
    """A copy of the results with one statement applied."""

    def alter(statement: str) -> Path:
        path = Path(shutil.copy(small, tmp_path / "results.duckdb"))
        with duckdb.connect(str(path)) as connection:
            connection.execute(statement)
        return path

    return alter


def problem(path: Path, tracking_uri: str | None = None) -> InputError:
    with pytest.raises(InputError) as caught:
        open_results(path, tracking_uri)
    assert caught.value.exit_code == 2
    assert str(path) in caught.value.message
    return caught.value


def test_a_newer_schema_asks_for_a_newer_program(altered: Callable[[str], Path]) -> None:
    error = problem(altered("UPDATE schema_version SET version = 99, program = '7.0'"))
    assert "schema 99, written by lmc-track 7.0" in error.message
    assert "upgrade lmc-track" in error.remedy


def test_an_older_schema_asks_for_ingest(altered: Callable[[str], Path]) -> None:
    error = problem(altered("UPDATE schema_version SET version = 0"))
    assert "older schema 0" in error.message
    assert "run `lmc-track ingest`" in error.remedy


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE schema_version",
        "DELETE FROM schema_version",
        "UPDATE schema_version SET version = NULL",
    ],
)
def test_a_file_without_a_version_is_no_results_file(
    altered: Callable[[str], Path], statement: str
) -> None:
    assert "not a results file" in problem(altered(statement)).message


def test_another_store_is_named_beside_this_one(small: Path) -> None:
    error = problem(small, "sqlite:////elsewhere/mlflow.db")
    assert TRACKING_URI in error.message
    assert "sqlite:////elsewhere/mlflow.db" in error.message
    assert "--home" in error.remedy


def test_passwords_do_not_make_stores_different(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    one = handmade_snapshot(tmp_path, [0.25], {})
    rebuild(path, type(one)(**{**vars(one), "tracking_uri": "postgresql://me:old@db/lmc"}))
    assert open_results(path, "postgresql://me:new@db/lmc").studies() == ["handmade"]
    assert b"old@db" not in path.read_bytes()


def test_a_missing_file_asks_for_ingest(tmp_path: Path) -> None:
    error = problem(tmp_path / "no.duckdb")
    assert "does not exist" in error.message
    assert error.remedy == "run `lmc-track ingest`"


@pytest.mark.parametrize("content", [b"", b"no database " * 1000])
def test_a_file_of_something_else_is_no_results_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "results.duckdb"
    path.write_bytes(content)
    assert "move it away" in problem(path).remedy


def test_a_sqlite_file_is_refused_without_fetching_a_reader_for_it(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE models (name)")
    connection.close()
    error = problem(path)
    assert "not a results file" in error.message
    assert "extension" not in str(error.__cause__)


@pytest.mark.parametrize("share", [0, 0.1, 0.5])
def test_a_file_cut_short_is_damaged(small: Path, tmp_path: Path, share: float) -> None:
    content = small.read_bytes()
    path = tmp_path / "results.duckdb"
    path.write_bytes(content[: 8192 + int(share * len(content))])
    assert "damaged" in problem(path).message


def test_a_damaged_header_is_not_taken_for_a_lock(small: Path, tmp_path: Path) -> None:
    content = bytearray(small.read_bytes())
    content[5000:9000] = bytes(4000)
    path = tmp_path / "results.duckdb"
    path.write_bytes(content)
    assert "damaged" in problem(path).message


def test_damage_that_a_query_meets_is_named_as_damage(small: Path, tmp_path: Path) -> None:
    content = small.read_bytes()
    path = tmp_path / "results.duckdb"
    start = 3 * 4096
    path.write_bytes(content[:start] + b"\xff" * (len(content) - start))
    with pytest.raises(InputError, match="damaged"):
        Results(path).query("models")
    with pytest.raises(InputError, match="damaged"):
        Results(path).sql("SELECT * FROM models")


def test_a_users_writing_connection_is_named_as_the_reason(small: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(small, tmp_path / "results.duckdb"))
    mine = duckdb.connect(str(path))
    try:
        error = problem(path)
        assert "open for writing in this program" in error.message
        assert "read_only=True" in error.remedy
    finally:
        mine.close()
    assert open_results(path).studies() == ["handmade"]


def test_folders_may_have_unusual_names(tmp_path: Path) -> None:
    folder = tmp_path / "it's [a] *home* ü"
    folder.mkdir()
    rebuild(folder / "results.duckdb", handmade_snapshot(folder, [0.25, 0.25], INNER))
    assert open_results(folder / "results.duckdb").query("barrier_pairs").height == 1


@pytest.mark.parametrize(
    "statement",
    [
        "DESCRIBE models",
        "SHOW TABLES",
        "EXPLAIN SELECT 1",
        "FROM models",
        "VALUES (1)",
        "PIVOT models ON name USING any_value(position)",
    ],
)
def test_every_statement_that_gives_rows_is_welcome(small: Path, statement: str) -> None:
    assert Results(small).sql(statement).height > 0


def test_one_bad_statement_leaves_the_next_in_order(small: Path) -> None:
    results = Results(small)
    with pytest.raises(InputError, match="Parser Error"):
        results.sql("SELEC 1")
    assert results.sql("SELECT 1 AS one").item() == 1


def test_ctrl_c_in_a_statement_is_an_interruption(small: Path) -> None:
    """DuckDB turns it into an error of its own."""
    with pytest.raises(KeyboardInterrupt), Results(small).at_once():
        raise RuntimeError("Query interrupted")
