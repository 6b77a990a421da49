"""Which SQL of a user's may run, by every kind of statement, node and function that DuckDB has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import duckdb
import polars as pl
import pytest

from lmc_track.errors import InputError
from lmc_track.warehouse.connection import Limits, reading
from lmc_track.warehouse.definitions import table_macros
from lmc_track.warehouse.rebuild import rebuild
from lmc_track.warehouse.results import Results
from lmc_track.warehouse.user_gate import REFUSED_FUNCTIONS, TABLE_FUNCTIONS, check_statement
from lmc_track.warehouse.user_sql import user_rows
from support.handmade_study import handmade_snapshot

LIMITS = Limits(seconds=20, memory="200MB", result_bytes=1_000_000)

# By what DuckDB's parser calls them. PIVOT makes MULTI of whatever it stands in.
STATEMENTS = {
    "ALTER": ["ALTER TABLE models ADD COLUMN x INTEGER", "COMMENT ON TABLE models IS 'x'"],
    "ATTACH": ["ATTACH '{home}/x.db' AS x", "ATTACH ':memory:' AS x"],
    "CALL": ["CALL pragma_version()", "CHECKPOINT", "FORCE CHECKPOINT results"],
    "COPY": [
        "COPY models TO '{home}/x.csv'",
        "COPY (SELECT 'gone') TO '{home}/results.duckdb' (FORMAT csv, USE_TMP_FILE false)",
        "COPY (SELECT 'gone') TO '{home}/results.duckdb.wal' (FORMAT csv, USE_TMP_FILE false)",
        "COPY models FROM '{home}/secret.csv'",
    ],
    "CREATE": [
        "CREATE TABLE x AS SELECT 1",
        "CREATE TEMP TABLE x AS SELECT 1",
        "CREATE VIEW x AS SELECT 1",
        "CREATE OR REPLACE MACRO softmax(x) AS x",
        "CREATE SEQUENCE s",
        "CREATE SCHEMA x",
        "CREATE TYPE x AS ENUM ('a')",
        "CREATE INDEX x ON models (name)",
        "CREATE SECRET (TYPE s3)",
    ],
    "DELETE": ["DELETE FROM models", "DELETE FROM models RETURNING *", "TRUNCATE models"],
    "DETACH": ["DETACH results"],
    "DROP": ["DROP TABLE models", "DROP VIEW curves", "DEALLOCATE x"],
    "EXECUTE": ["EXECUTE x"],
    "EXPORT": ["EXPORT DATABASE '{home}/x'"],
    "INSERT": [
        "INSERT INTO models (model_id) VALUES ('x')",
        "INSERT INTO models BY NAME SELECT 'x' AS model_id RETURNING *",
    ],
    "LOAD": ["LOAD httpfs", "INSTALL httpfs", "FORCE INSTALL httpfs FROM community"],
    "MERGE_INTO": ["MERGE INTO models USING models AS m ON true WHEN MATCHED THEN DELETE"],
    "MULTI": [
        "COPY (PIVOT models ON name USING count(*)) TO '{home}/x.csv'",
        "CREATE TABLE x AS PIVOT models ON name USING count(*)",
        "INSERT INTO models PIVOT models ON name USING count(*)",
        "PIVOT read_text('{home}/secret.csv') ON filename USING count(*)",
        "PIVOT \"read_text\"('{home}/secret.csv') ON filename USING count(*)",
        "PIVOT (WITH g AS (DELETE FROM models RETURNING *) FROM g) ON name USING count(*)",
    ],
    "PRAGMA": [
        "PRAGMA version",
        "PRAGMA table_info('models')",
        "COPY FROM DATABASE results TO memory",
        "IMPORT DATABASE '{home}'",
    ],
    "PREPARE": ["PREPARE x AS SELECT 1"],
    "SET": [
        "SET memory_limit = '900GB'",
        "SET VARIABLE x = 1",
        "RESET lock_configuration",
        "PRAGMA memory_limit = '900GB'",
        "USE memory",
    ],
    "TRANSACTION": ["BEGIN", "COMMIT", "ROLLBACK"],
    "UPDATE": ["UPDATE models SET name = 'x'", "UPDATE models SET name = 'x' RETURNING *"],
    "VACUUM": ["VACUUM", "ANALYZE"],
    "EXTENSION": [],
    "unknown": ["UPDATE EXTENSIONS"],
    "SELECT": [
        "WITH g AS (DELETE FROM models RETURNING *) FROM g",
        "WITH g AS (INSERT INTO models (model_id) VALUES ('x') RETURNING *) FROM g",
        "WITH g AS (UPDATE models SET name = 'x' RETURNING *) FROM g",
        "SELECT (SELECT content FROM read_text('{home}/secret.csv'))",
        "SELECT * FROM models m, LATERAL (FROM read_text('{home}/' || m.name))",
        "FROM query('SELECT 1')",
        "FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
        "FROM checkpoint()",
        "FROM enable_logging()",
        "SELECT write_log('x')",
    ],
}
# Kinds of a statement after parsing, of none of which there is a text.
NO_TEXT = {
    "ANALYZE", "COPY_DATABASE", "CREATE_FUNC", "EXPLAIN", "INVALID", "LOGICAL_PLAN", "RELATION",
    "VARIABLE_SET", "EXTENSION",
}  # fmt: skip
EXPLAINS = (
    "EXPLAIN ",
    "EXPLAIN ANALYZE ",
    "EXPLAIN ANALYSE ",
    "explain/**/analyze\n",
    "-- a comment\nEXPLAIN /* another */ ANALYZE ",
    "EXPLAIN (ANALYZE) ",
    "EXPLAIN (FORMAT json) ",
    "EXPLAIN (ANALYZE, FORMAT json) ",
    "EXPLAIN (FORMAT graphviz, ANALYZE true) ",
    "EXPLAIN ANALYZE (FORMAT json) ",
)
REFUSED = [text for texts in STATEMENTS.values() for text in texts]

Ask = Callable[[str], None]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    rebuild(
        folder / "results.duckdb", handmade_snapshot(folder, [0.25, 0.25], {(0, 1): {0.5: 0.5}})
    )
    (folder / "secret.csv").write_text("password\n1234\n")
    return folder


@pytest.fixture
def ask(home: Path) -> Iterator[Ask]:
    """Runs statements as the process that is made for one does, within this one."""
    with reading(home / "results.duckdb", None, LIMITS) as connection:

        def run(statement: str) -> None:
            list(user_rows(connection, statement, LIMITS))

        yield run


def contents(home: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in home.rglob("*") if file.is_file()}


def kind(statement: str) -> str:
    with duckdb.connect(":memory:") as connection:
        try:
            return connection.extract_statements(statement)[0].type.name
        except ValueError:
            return "unknown"


def test_every_kind_that_the_parser_knows_is_tried() -> None:
    assert set(duckdb.StatementType.__members__) - NO_TEXT <= set(STATEMENTS)
    for name, texts in STATEMENTS.items():
        assert {kind(text.format(home="/h")) for text in texts} <= {name}


@pytest.mark.parametrize("explain", ["", *EXPLAINS])
def test_nothing_but_a_select_runs(home: Path, ask: Ask, explain: str) -> None:
    before = contents(home)
    for statement in REFUSED:
        with pytest.raises(InputError):
            ask(explain + statement.format(home=home))
    assert contents(home) == before


@pytest.mark.parametrize(
    "statement",
    [
        *(f"{explain}SELECT name FROM models" for explain in ("", *EXPLAINS)),
        "EXPLAIN (SELECT 1)",
        "FROM models",
        "TABLE models",
        "VALUES (1)",
        "DESCRIBE models",
        "SUMMARIZE models",
        "SHOW TABLES",
        "WITH RECURSIVE t AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM t WHERE a < 3) FROM t",
        "PIVOT models ON name USING any_value(position);",
        "PIVOT (SELECT 'é' AS \"update\", 1 AS one) ON one USING count(*) -- the end",
        "SELECT * FROM (PIVOT models ON name USING any_value(position)) WHERE study <> 'x'",
        "UNPIVOT (SELECT 1 AS a, 2 AS b) ON a, b",
        "FROM range(3)",
        "SELECT * FROM study_models('handmade', NULL)",
        "FROM duckdb_tables()",
        'SELECT \'DELETE FROM models\', "name" AS "insert" FROM models',
    ],
)
def test_a_select_runs(ask: Ask, statement: str) -> None:
    ask(statement)


def test_what_would_change_the_results_does_no_harm_without_the_list_too(home: Path) -> None:
    """The connection keeps what the list would let through."""
    before = contents(home)
    for statement in REFUSED:
        with reading(home / "results.duckdb", None, LIMITS) as connection:
            with suppress(duckdb.Error, RuntimeError):
                connection.execute(statement.format(home=home)).fetchall()
            assert connection.execute("SELECT count(*) FROM results.models").fetchall() == [(2,)]
    assert contents(home) == before


def functions(kinds: str, condition: str = "true") -> set[str]:
    with duckdb.connect(":memory:") as connection:
        rows = connection.execute(
            "SELECT DISTINCT function_name FROM duckdb_functions() "
            f"WHERE function_type IN ({kinds}) AND {condition}"
        ).fetchall()
    return {name for (name,) in rows}


def test_a_table_function_that_is_on_no_list_is_refused(ask: Ask) -> None:
    known = functions("'table', 'table_macro', 'pragma'")
    assert known > TABLE_FUNCTIONS
    for name in sorted(known - TABLE_FUNCTIONS):
        with pytest.raises(InputError, match="may not run here"):
            ask(f"SELECT * FROM \"{name}\"('/etc/passwd')")
    assert not TABLE_FUNCTIONS & table_macros()


def test_no_table_function_on_the_list_reads_a_file(home: Path) -> None:
    with reading(home / "results.duckdb", None, LIMITS) as connection:
        for name in sorted(TABLE_FUNCTIONS):
            text = f"FROM {name}('{home}/secret.csv') LIMIT 9"
            told: list[object] = []
            try:
                told += [batch.to_pylist() for batch in user_rows(connection, text, LIMITS)]
            except InputError as refusal:
                told.append(refusal)
            assert "1234" not in str(told), name


def test_functions_that_do_something_are_refused() -> None:
    harmless = {
        "current_connection_id", "current_query", "current_query_id", "current_transaction_id",
        "error", "gen_random_uuid", "random", "setseed", "stats", "uuid", "uuidv4", "uuidv7",
        "vector_type",
    }  # fmt: skip
    assert functions("'scalar'", "stability = 'VOLATILE'") <= harmless | REFUSED_FUNCTIONS


def test_what_is_in_no_list_of_nodes_is_refused() -> None:
    """A parser that comes to know more is not let do more."""
    with duckdb.connect(":memory:") as connection:
        connection.execute("CREATE TABLE models (a INTEGER)")
        for change in ("DELETE FROM models", "INSERT INTO models VALUES (1)"):
            text = f"WITH g AS ({change} RETURNING *) FROM g"
            (statement,) = connection.extract_statements(text)
            assert statement.type == duckdb.StatementType.SELECT
            with pytest.raises(InputError, match="inside a SELECT"):
                check_statement(connection, statement)


@pytest.mark.parametrize(
    "statement",
    [
        "EXPLAIN ANALYZE COPY (SELECT 'gone') TO '{home}/results.duckdb' "
        "(FORMAT csv, HEADER false, USE_TMP_FILE false)",
        "EXPLAIN ANALYZE COPY (SELECT 'gone') TO '{home}/results.duckdb.wal' "
        "(FORMAT csv, HEADER false, USE_TMP_FILE false)",
    ],
)
@pytest.mark.parametrize("way", ["sql", "own query"])
def test_the_results_are_not_overwritten(home: Path, statement: str, way: str) -> None:
    results, text = Results(home / "results.duckdb"), statement.format(home=home)
    before = contents(home)
    if way == "own query":
        (home / "queries").mkdir(exist_ok=True)
        (home / "queries" / "mine.sql").write_text(
            f"-- name: mine\n-- description: A test.\n{text}\n"
        )
    with pytest.raises(InputError, match="may not run here"):
        results.query("mine") if way == "own query" else results.sql(text)
    after = {file: data for file, data in contents(home).items() if file.suffix != ".sql"}
    assert after == {file: data for file, data in before.items() if file.suffix != ".sql"}
    assert isinstance(results.query("models"), pl.DataFrame)
