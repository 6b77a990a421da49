"""Creating and filling the tables of a results file, on a connection that somebody else opened.

Predictions are the bulk of a file. They are kept in the schema ``storage``, one integer per row
for run, data set and precision together; the view ``predictions`` spells them out.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import polars as pl

from lmc_track.errors import WorkError
from lmc_track.warehouse.evaluating import Evaluation, part_values
from lmc_track.warehouse.snapshot import Snapshot
from lmc_track.warehouse.stored_tables import STORED
from lmc_track.warehouse.tables import COMPUTED, EXAMPLE_SUBSETS, EXAMPLES, TABLES, Table

# Accuracy and error say the same, so either is taken from the other.
_IMPORTED = """
INSERT INTO evaluations
WITH imported AS (FROM imported_values SEMI JOIN touched_runs USING (run_id))
SELECT run_id, dataset, subset, 'all' AS half, metric, precision, value, n_examples FROM imported
UNION ALL
SELECT i.run_id, i.dataset, i.subset, 'all', o.metric, i.precision, 1 - i.value, i.n_examples
FROM imported i
JOIN (VALUES ('accuracy', 'error'), ('error', 'accuracy')) o(given, metric) ON o.given = i.metric
ANTI JOIN imported told
    ON told.run_id = i.run_id AND told.dataset = i.dataset AND told.subset = i.subset
    AND told.precision = i.precision AND told.metric = o.metric
ORDER BY dataset, subset, half, metric, precision, run_id
"""


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """All tables, empty, with their meanings as comments."""
    for statement in table_statements():
        connection.execute(statement)
    for table in TABLES:
        _comment(connection, table)


def table_statements() -> list[str]:
    """The statements that make all tables, without comments."""
    made = []
    for table in TABLES:
        # A key on the large computed tables would only cost an index: they are unique by making.
        key = "" if table in COMPUTED else f", PRIMARY KEY ({', '.join(map(quoted, table.key))})"
        made.append(_creation(table, key))
    return [*made, "CREATE SCHEMA storage", *map(_creation, STORED)]


def _creation(table: Table, key: str = "") -> str:
    columns = ", ".join(f"{quoted(c.name)} {c.sql_type}" for c in table.columns)
    return f"CREATE TABLE {table.name} ({columns}{key})"


def _comment(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    connection.execute(f"COMMENT ON TABLE {table.name} IS {literal(table.meaning)}")
    for c in table.columns:
        connection.execute(
            f"COMMENT ON COLUMN {table.name}.{quoted(c.name)} IS {literal(c.meaning)}"
        )


def create_table(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """One of the tables that users read through views, empty."""
    connection.execute(_creation(table))


def synchronize(connection: duckdb.DuckDBPyConnection, table: Table, frame: pl.DataFrame) -> None:
    """Make the rows of ``table`` those of ``frame``, and write only those that differ."""
    if not connection.execute(f"SELECT 1 FROM {table.name} LIMIT 1").fetchall():
        insert_rows(connection, table, frame)
        return
    columns = ", ".join(quoted(c.name) for c in table.columns)
    key = ", ".join(quoted(name) for name in table.key)
    connection.register("snapshot_frame", frame)
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE gone AS
        SELECT {columns} FROM {table.name} EXCEPT SELECT {columns} FROM snapshot_frame;
        CREATE OR REPLACE TEMP TABLE added AS
        SELECT {columns} FROM snapshot_frame EXCEPT SELECT {columns} FROM {table.name};
        DELETE FROM {table.name} WHERE ({key}) IN (SELECT ({key}) FROM gone);
        INSERT INTO {table.name} ({columns}) SELECT {columns} FROM added ORDER BY {key};
        DROP TABLE gone; DROP TABLE added;
        """
    )
    connection.unregister("snapshot_frame")


def remove_examples(connection: duckdb.DuckDBPyConnection) -> None:
    """Delete the examples of data sets that no study has any more."""
    for table in (EXAMPLES, EXAMPLE_SUBSETS):
        connection.execute(
            f"DELETE FROM {table.name} "
            "WHERE data_digest NOT IN (SELECT DISTINCT data_digest FROM datasets)"
        )


def fill_examples(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot) -> None:
    """Examples and their subsets, of every data set that a study refers to."""
    with_examples = snapshot.datasets.filter(~pl.col("values_only").fill_null(False))
    there = connection.execute("SELECT DISTINCT data_digest FROM examples").fetchall()
    for digest in sorted(set(with_examples["data_digest"]) - {row[0] for row in there}):
        if digest not in snapshot.examples:
            raise WorkError(
                f"the examples of the data set with digest {digest[:12]} are not in the record",
                "restore its artifact examples.parquet, or evaluate the study again",
            )
        try:
            _fill_examples_of(connection, digest, snapshot)
        except (duckdb.Error, pl.exceptions.PolarsError, OSError) as error:
            raise WorkError(
                f"{snapshot.examples[digest]} cannot be read: {' '.join(str(error).split())[:200]}",
                "Restore this artifact of the data set's run from a backup.",
            ) from error


def _fill_examples_of(
    connection: duckdb.DuckDBPyConnection, digest: str, snapshot: Snapshot
) -> None:
    names = snapshot.text_columns[digest]
    wanted = ["example_id", "label", *names, "group", "half", "subsets"]
    # DuckDB itself may read no file while it writes results.
    frame = pl.read_parquet(
        snapshot.examples[digest], columns=wanted, glob=False, hive_partitioning=False
    )
    texts = ", ".join(quoted(name) for name in names)
    connection.register("example_frame", frame)
    connection.execute(
        f"""
        INSERT INTO examples
        SELECT $digest, example_id, label, concat_ws(chr(9), {texts}), "group", half
        FROM example_frame ORDER BY example_id
        """,
        {"digest": digest},
    )
    connection.execute(
        """
        INSERT INTO example_subsets
        SELECT DISTINCT $digest AS data_digest, example_id, subset
        FROM (SELECT example_id, unnest(subsets) AS subset FROM example_frame)
        WHERE subset <> 'all'
        ORDER BY ALL
        """,
        {"digest": digest},
    )
    connection.unregister("example_frame")


def fill_evaluations(
    connection: duckdb.DuckDBPyConnection, evaluations: Sequence[Evaluation]
) -> None:
    """Rows of ``evaluations``, and those that imported values stand for."""
    for part in part_values(evaluations):
        connection.register("part_values", part.frame)
        for metric in part.metrics:
            connection.execute(
                "INSERT INTO evaluations "
                f"SELECT run_id, ?, ?, ?, ?, precision, {quoted(metric)}, ? FROM part_values",
                [part.dataset, part.subset, part.half, metric, part.n_examples],
            )
        connection.unregister("part_values")
    connection.execute(_IMPORTED)


def quoted(name: str) -> str:
    """``name`` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """``text`` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def insert_rows(connection: duckdb.DuckDBPyConnection, table: Table, frame: pl.DataFrame) -> None:
    """Add ``frame`` to ``table`` in the order of its key; columns left out are NULL."""
    connection.register("snapshot_frame", frame)
    columns = ", ".join(quoted(c.name) for c in table.columns if c.name in frame.columns)
    key = ", ".join(quoted(name) for name in table.key)
    connection.execute(
        f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM snapshot_frame ORDER BY {key}"
    )
    connection.unregister("snapshot_frame")
