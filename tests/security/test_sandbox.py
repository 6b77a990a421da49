"""What user SQL might still reach or take, beyond tests/warehouse/test_sandbox.py."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from lmc_track.errors import InputError
from lmc_track.warehouse.connection import Limits, reading
from lmc_track.warehouse.library import QueryFileError, parse_query
from lmc_track.warehouse.rebuild import rebuild
from lmc_track.warehouse.results import Results
from lmc_track.warehouse.user_sql import user_rows
from support.handmade_study import handmade_snapshot

SECRET = "hunter2-in-a-file"
TIGHT = Limits(seconds=2, memory="200MB", result_bytes=1_000_000)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("home")
    snapshot = handmade_snapshot(folder, [0.25, 0.25], {(0, 1): {0.5: 0.5}})
    rebuild(folder / "results.duckdb", snapshot)
    (folder / "secret.csv").write_text(f"a\n{SECRET}\n")
    return Results(folder / "results.duckdb")


@pytest.mark.parametrize(
    "statement",
    [
        "COPY FROM DATABASE results TO memory",
        "/* a */ -- b\n COPY FROM DATABASE results TO memory (SCHEMA)",
        "WITH gone AS (DELETE FROM models RETURNING *) SELECT * FROM gone",
        "SELECT * FROM json_execute_serialized_sql(json_serialize_sql("
        "'SELECT * FROM read_text(''{home}/secret.csv'')'))",
        "FROM read_text(['{home}/secret.csv'])",
        "FROM read_text(getvariable('file'))",
        "FROM 'file://{home}/secret.csv'",
        'FROM "{home}/secret.csv"',
        "FROM sniff_csv('{home}/secret.csv')",
        "FROM query('ATTACH ''{home}/x.db''')",
        "FROM query_table(['{home}/secret.csv'])",
        "EXPLAIN ANALYZE SELECT * FROM read_text('{home}/secret.csv')",
        "SUMMARIZE SELECT * FROM read_text('{home}/secret.csv')",
        "DESCRIBE SELECT * FROM read_csv('{home}/secret.csv')",
        "SHOW TABLES FROM read_csv('{home}/secret.csv')",
        "PIVOT read_csv('{home}/secret.csv') ON a USING count(*)",
        "UPDATE EXTENSIONS",
        "SELECT load_aws_credentials()",
        "SELECT * FROM delta_scan('s3://a/b')",
        "SELECT * FROM sqlite_scan('{home}/mlflow.db', 'runs')",
        "SELECT * FROM postgres_query('x', 'SELECT 1')",
        "CREATE PERSISTENT SECRET s (TYPE http, BEARER_TOKEN 'x')",
        "SET SESSION python_enable_replacements = true",
        "SET GLOBAL allow_community_extensions = true",
        "RESET enable_external_access",
        "PRAGMA disable_verification; SELECT 1",
        "CALL pragma_version()",
    ],
)
def test_there_is_no_other_way_out(results: Results, statement: str) -> None:
    home = results.path.parent
    with (
        pytest.raises(InputError) as caught,
        reading(results.path, None, TIGHT) as connection,
    ):
        list(user_rows(connection, statement.format(home=home), TIGHT))
    assert SECRET not in str(caught.value)


def test_names_of_the_program_are_no_tables(results: Results) -> None:
    secret = duckdb.sql("SELECT 1 AS a")
    with pytest.raises(InputError, match="secret"):
        results.sql("FROM secret")
    assert secret.fetchall() == [(1,)]


@pytest.mark.parametrize(
    "deep",
    ["SELECT " + "(" * 2_000 + "1" + ")" * 2_000, "SELECT " + "- " * 5_000 + "1",
     "SELECT " + "[" * 2_000 + "]" * 2_000, "SELECT " + "NOT " * 5_000 + "true"],
    ids=["parentheses", "signs", "lists", "negations"],
)  # fmt: skip
def test_a_deep_expression_is_refused(results: Results, deep: str) -> None:
    with pytest.raises(InputError, match="depth"):
        results.sql(deep, limits=TIGHT)


@pytest.mark.full
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1 " + "UNION ALL SELECT 1 " * 6_000,
        "SELECT damerau_levenshtein(repeat('a', 60000), repeat('b', 60000))",
        "SELECT length(repeat('x', 4000000000))",
        "SELECT list_sum(range(1000000000))",
        "SELECT to_json(range(200000000))",
        "SELECT md5(repeat('x', 4000000000))",
        "WITH t0 AS (FROM range(10)), "
        + ", ".join(f"t{k} AS (FROM t{k - 1} a, t{k - 1} b)" for k in range(1, 30))
        + " SELECT count(*) FROM t29",
    ],
    ids=["unions", "distance", "repeat", "list", "json", "digest", "doubling"],
)
def test_what_duckdb_does_not_stop_is_ended(results: Results, statement: str) -> None:
    limits = Limits(seconds=1, memory="200MB", result_bytes=1_000_000, process_bytes=10**9)
    with pytest.raises(InputError, match=r"took longer|memory|Memory|MB of rows|depth|stopped"):
        results.sql(statement, limits=limits)
    assert results.sql("SELECT 1 AS one").item() == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a", "-- name: a\n-- description: d\n-- param x VARCHAR = 'a'); DROP TABLE m; --': m\n"),
        ("a", "-- name: a\n-- description: d\n-- param x INTEGER = 1); SELECT (1: m\nSELECT 1"),
        ("a", '-- name: a\n-- description: d\n-- param x" VARCHAR = 1: m\nSELECT 1'),
        ("a", "-- name: ../a\n-- description: d\nSELECT 1"),
        ("a", "-- name: a\n-- description: d\n-- param x DOUBLE = 1e5 + getenv('A'): m\nSELECT 1"),
    ],
)
def test_a_header_cannot_bring_sql_of_its_own(name: str, text: str) -> None:
    with pytest.raises(QueryFileError):
        parse_query(f"{name}.sql", text, Path(f"queries/{name}.sql"))


def test_values_of_parameters_are_values(results: Results) -> None:
    for value in ("'; DROP TABLE models; --", "x' OR '1'='1", "\0", "$1", "getvariable('study')"):
        with pytest.raises(InputError, match="no study"):
            results.query("models", study=value)
    assert results.query("models", study="handmade").height == 2
