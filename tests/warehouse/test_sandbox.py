"""A user's SQL reads the results and nothing else, within bounds, however it is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from lmc_track.errors import InputError
from lmc_track.warehouse import results as module
from lmc_track.warehouse.connection import Limits, reading
from lmc_track.warehouse.rebuild import rebuild
from lmc_track.warehouse.results import Results
from lmc_track.warehouse.user_sql import user_rows
from support.handmade_study import handmade_snapshot

Ask = Callable[[str], pl.DataFrame]
TIGHT = Limits(seconds=0.3, memory="100MB", result_bytes=1_000_000)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    rebuild(
        folder / "results.duckdb", handmade_snapshot(folder, [0.25, 0.25], {(0, 1): {0.5: 0.5}})
    )
    (folder / "queries").mkdir()
    (folder / "secret.csv").write_text("password\n1234\n")
    return folder


@pytest.fixture(params=["sql", "own query"])
def ask(request: pytest.FixtureRequest, home: Path) -> Ask:
    """Runs a statement one of the two ways."""
    results = Results(home / "results.duckdb")

    def run(statement: str) -> pl.DataFrame:
        if request.param == "sql":
            return results.sql(statement)
        file = home / "queries" / "mine.sql"
        file.write_text(f"-- name: mine\n-- description: A test.\n{statement}\n")
        return results.query("mine")

    return run


@pytest.fixture
def tight(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> Ask:
    monkeypatch.setattr(module, "USER_LIMITS", TIGHT)
    monkeypatch.setattr(Results.sql, "__kwdefaults__", {"limits": TIGHT})
    return ask


@pytest.mark.parametrize(
    "statement",
    [
        # reading files
        "SELECT * FROM read_csv('{home}/secret.csv')",
        "SELECT * FROM read_text('{home}/secret.csv')",
        "SELECT * FROM read_blob('{home}/secret.csv')",
        "SELECT * FROM '{home}/secret.csv'",
        "SELECT * FROM glob('{home}/*')",
        "SELECT * FROM parquet_scan('{home}/x.parquet')",
        "SELECT * FROM parquet_metadata('{home}/x.parquet')",
        "SELECT * FROM read_json('{home}/x.json')",
        "SELECT * FROM sniff_csv('{home}/secret.csv')",
        "SELECT * FROM query('SELECT * FROM read_text(''{home}/secret.csv'')')",
        "SELECT * FROM query_table('{home}/secret.csv')",
        "SELECT * FROM read_duckdb('{home}/results.duckdb')",
        "SELECT * FROM read_csv('https://example.org/x.csv')",
        # other databases
        "ATTACH '{home}/other.duckdb' AS other",
        "ATTACH '{home}/results.duckdb' AS again",
        "ATTACH ':memory:' AS other",
        "DETACH results",
        "USE memory",
        # writing files
        "COPY models TO '{home}/out.csv'",
        "COPY (SELECT 1) TO '{home}/out.csv' (RETURN_FILES)",
        "EXPLAIN ANALYZE COPY models TO '{home}/out.csv'",
        "EXPORT DATABASE '{home}/out'",
        "IMPORT DATABASE '{home}'",
        "COPY models FROM '{home}/secret.csv'",
        # extensions and settings
        "INSTALL httpfs",
        "LOAD httpfs",
        "FORCE INSTALL httpfs FROM community",
        "SET enable_external_access = true",
        "SET memory_limit = '900GB'",
        "SET VARIABLE x = 1",
        "RESET lock_configuration",
        "PRAGMA enable_profiling",
        "PRAGMA memory_limit = '900GB'",
        "CALL enable_logging(storage = 'file', storage_config = {{'path': '{home}/log'}})",
        # changing the results or the session
        "CREATE TABLE results.main.mine AS SELECT 1",
        "CREATE TABLE memory.main.mine AS SELECT 1",
        "CREATE TEMP TABLE mine AS SELECT 1",
        "CREATE VIEW mine AS SELECT 1",
        "CREATE MACRO mine() AS 1",
        "CREATE SECRET (TYPE s3)",
        "INSERT INTO models (model_id) VALUES ('x') RETURNING *",
        "UPDATE models SET name = 'x' RETURNING *",
        "DELETE FROM models RETURNING *",
        "DROP TABLE models",
        "ALTER TABLE models DROP COLUMN name",
        "MERGE INTO models USING models AS m ON true WHEN MATCHED THEN DELETE RETURNING *",
        "EXPLAIN ANALYZE DELETE FROM models",
        "CHECKPOINT",
        "FORCE CHECKPOINT results",
        "VACUUM",
        "BEGIN",
        "PREPARE mine AS SELECT 1",
        "EXECUTE mine",
        # the machine
        "SELECT getenv('HOME')",
        "SELECT * FROM duckdb_secrets()",
        "SELECT * FROM which_secret('s3://x', 's3')",
        "SELECT * FROM duckdb_extensions()",
        # not one statement
        "",
        "-- nothing",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE models",
    ],
)
def test_there_is_no_way_out(home: Path, statement: str) -> None:
    before = contents(home)
    limits = Limits()
    with (
        pytest.raises(InputError),
        reading(home / "results.duckdb", None, limits) as connection,
    ):
        # As in the process of its own in which it would run.
        list(user_rows(connection, statement.format(home=home), limits))
    assert contents(home) == before


@pytest.mark.parametrize(
    "statement",
    ["SELECT * FROM read_text('{home}/secret.csv')", "COPY models TO '{home}/out.csv'",
     "EXPLAIN ANALYZE COPY models TO '{home}/results.duckdb' (FORMAT csv, USE_TMP_FILE false)"],
)  # fmt: skip
def test_there_is_none_however_it_is_asked(home: Path, ask: Ask, statement: str) -> None:
    before = contents(home)
    with pytest.raises(InputError, match="may not run here"):
        ask(statement.format(home=home))
    assert contents(home) == before


def contents(home: Path) -> dict[Path, bytes]:
    """Everything in the home but the query under test."""
    files = (f for f in home.rglob("*") if f.is_file() and f.name != "mine.sql")
    return {file: file.read_bytes() for file in files}


def test_variables_of_the_calling_program_are_no_tables(ask: Ask) -> None:
    secret = pl.DataFrame({"a": [1]})
    with pytest.raises(InputError, match="secret"):
        ask("SELECT * FROM secret")
    assert secret.height == 1


@pytest.mark.parametrize(
    "endless",
    [
        "SELECT sum(a.range * b.range) FROM range(10_000_000) a, range(10_000_000) b",
        "WITH RECURSIVE t AS (SELECT 1 AS a UNION ALL SELECT a FROM t) SELECT max(a) FROM t",
        "SELECT a.range FROM range(10_000_000) a, range(10_000_000) b WHERE a.range + b.range < 0",
    ],
)
def test_a_statement_over_its_time_is_stopped(tight: Ask, endless: str) -> None:
    with pytest.raises(InputError, match=r"took longer than 0\.3 s"):
        tight(endless)


def test_a_statement_over_its_memory_is_stopped(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = Limits(memory="100MB")
    monkeypatch.setattr(module, "USER_LIMITS", limits)
    monkeypatch.setattr(Results.sql, "__kwdefaults__", {"limits": limits})
    with pytest.raises(InputError, match="Out of Memory"):
        ask("SELECT list(range) FROM range(500_000_000)")


def test_rows_without_end_are_stopped(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = replace(TIGHT, seconds=60)
    monkeypatch.setattr(module, "USER_LIMITS", limits)
    monkeypatch.setattr(Results.sql, "__kwdefaults__", {"limits": limits})
    with pytest.raises(InputError, match=r"more than 1 MB of rows\n.*LIMIT"):
        ask("SELECT range FROM range(10_000_000_000)")


def test_a_type_that_rows_cannot_have_is_named(ask: Ask) -> None:
    with pytest.raises(InputError, match=r"took \(INTERVAL\)\ncast it"):
        ask("SELECT created - created AS took FROM models")


def test_a_sum_of_counts_is_a_number(ask: Ask) -> None:
    assert ask("SELECT sum(n_examples) AS n FROM datasets").item() == 8


def test_an_error_shows_the_statement_as_it_was_written(results: Results) -> None:
    with pytest.raises(InputError) as caught:
        results.sql("SELECT nothing FROM models")
    line, caret = caught.value.message.splitlines()[-2:]
    assert line == "LINE 1: SELECT nothing FROM models"
    assert caret.index("^") == line.index("nothing")
