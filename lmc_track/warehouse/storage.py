"""Creating and filling the tables of a results file, on a connection that somebody else opened.

Predictions are the bulk of a file. They are kept in the schema ``storage``, one integer per row
for run, data set and precision together; the view ``predictions`` spells them out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import polars as pl

from lmc_track.errors import WorkError
from lmc_track.warehouse.snapshot import Snapshot
from lmc_track.warehouse.tables import COMPUTED, RECORDED, STORED, TABLES, Table

_FILES_AT_ONCE = 500
_SETS_AT_ONCE = 8_000
# Accuracy and error say the same, so either is taken from the other.
_IMPORTED = """
INSERT INTO unordered_evaluations
SELECT run_id, dataset, subset, 'all', metric, precision, value, n_examples FROM imported_values
UNION ALL
SELECT i.run_id, i.dataset, i.subset, 'all', o.metric, i.precision, 1 - i.value, i.n_examples
FROM imported_values i
JOIN (VALUES ('accuracy', 'error'), ('error', 'accuracy')) o(given, metric) ON o.given = i.metric
ANTI JOIN imported_values told
    ON told.run_id = i.run_id AND told.dataset = i.dataset AND told.subset = i.subset
    AND told.precision = i.precision AND told.metric = o.metric
"""


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """All tables, empty, with their meanings as comments."""
    for table in TABLES:
        columns = ", ".join(f"{quoted(c.name)} {c.sql_type}" for c in table.columns)
        # A key on the large computed tables would only cost an index: they are unique by making.
        key = f", PRIMARY KEY ({', '.join(map(quoted, table.key))})"
        connection.execute(
            f"CREATE TABLE {table.name} ({columns}{'' if table in COMPUTED else key})"
        )
        connection.execute(f"COMMENT ON TABLE {table.name} IS {literal(table.meaning)}")
        for c in table.columns:
            connection.execute(
                f"COMMENT ON COLUMN {table.name}.{quoted(c.name)} IS {literal(c.meaning)}"
            )
    connection.execute(
        """
        CREATE SCHEMA storage;
        CREATE TABLE storage.prediction_sets (
            set_no INTEGER, run_id VARCHAR, dataset VARCHAR, precision VARCHAR,
            data_digest VARCHAR, projection VARCHAR, projection_groups BIGINT[][],
            file_no INTEGER);
        CREATE TABLE storage.prediction_rows (
            set_no INTEGER, example_id BIGINT, label INTEGER, loss REAL, logits FLOAT[]);
        """
    )
    for table in STORED:
        columns = ", ".join(f"{quoted(c.name)} {c.sql_type}" for c in table.columns)
        connection.execute(f"CREATE TABLE {table.name} ({columns})")


def fill_frames(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot) -> None:
    """The tables whose rows the snapshot holds as they are."""
    for table in RECORDED:
        insert_rows(connection, table, getattr(snapshot, table.name))


def fill_examples(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot) -> None:
    """Examples and their subsets, of every data set that a study refers to."""
    with_examples = snapshot.datasets.filter(~pl.col("values_only").fill_null(False))
    for digest in sorted(set(with_examples["data_digest"])):
        if digest not in snapshot.examples:
            raise WorkError(
                f"the examples of the data set with digest {digest[:12]} are not in the record",
                "restore its artifact examples.parquet, or evaluate the study again",
            )
        texts = ", ".join(quoted(name) for name in snapshot.text_columns[digest])
        values = {"digest": digest, "file": _exact_path(snapshot.examples[digest])}
        source = "read_parquet($file, hive_partitioning = false)"
        connection.execute(
            f"""
            INSERT INTO examples
            SELECT $digest, example_id, label, concat_ws(chr(9), {texts}), "group", half
            FROM {source} ORDER BY example_id
            """,
            values,
        )
        connection.execute(
            f"""
            INSERT INTO example_subsets
            SELECT DISTINCT $digest AS data_digest, example_id, subset
            FROM (SELECT example_id, unnest(subsets) AS subset FROM {source})
            WHERE subset <> 'all'
            ORDER BY ALL
            """,
            values,
        )


def fill_predictions(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot) -> None:
    """Predictions of the models and points of the snapshot, on the data sets that count."""
    # Models come first: what reads only them, as most queries do, skips the rest of the file.
    models = set(snapshot.models["model_id"])
    files = sorted(
        snapshot.predictions,
        key=lambda file: (file.run_id not in models, file.run_id, str(file.path)),
    )
    frame = pl.DataFrame(
        {
            "file_no": range(len(files)),
            "run_id": [file.run_id for file in files],
            "precision": [file.precision for file in files],
            "datasets": [list(file.datasets) for file in files],
            "file": [str(file.path) for file in files],
        },
        schema={
            "file_no": pl.Int32,
            "run_id": pl.String,
            "precision": pl.String,
            "datasets": pl.List(pl.String),
            "file": pl.String,
        },
    )
    connection.register("prediction_files", frame)
    connection.execute(
        """
        INSERT INTO storage.prediction_sets
        WITH runs AS (
            SELECT model_id AS run_id, study FROM models
            UNION ALL SELECT point_id, study FROM points
        ), sets AS (
            SELECT run_id, unnest(datasets) AS dataset, precision, file_no FROM prediction_files
        )
        SELECT row_number() OVER (ORDER BY file_no, dataset),
               run_id, dataset, sets.precision, data_digest, projection, projection_groups, file_no
        FROM sets JOIN runs USING (run_id) JOIN datasets USING (study, dataset)
        ORDER BY 1
        """
    )
    for start in range(0, len(files), _FILES_AT_ONCE):
        part = files[start : start + _FILES_AT_ONCE]
        connection.execute(
            """
            INSERT INTO storage.prediction_rows
            SELECT s.set_no, p.example_id, p.label, p.loss, p.logits
            FROM read_parquet($files, filename = true, hive_partitioning = false) p
            JOIN prediction_files f ON f.file = p.filename
            JOIN storage.prediction_sets s ON s.file_no = f.file_no AND s.dataset = p.dataset
            ORDER BY s.set_no, p.example_id
            """,
            {"files": [_exact_path(file.path) for file in part]},
        )
    connection.unregister("prediction_files")
    connection.execute("ALTER TABLE storage.prediction_sets DROP COLUMN file_no")


def fill_evaluations(connection: duckdb.DuckDBPyConnection, statements: Sequence[str]) -> None:
    """Evaluations of all predictions, by ``statements``, which take some sets at a time.

    One statement over everything would keep an aggregate of every set in memory until its end.
    """
    connection.execute("CREATE TEMP TABLE unordered_evaluations AS FROM evaluations LIMIT 0")
    last = connection.execute("SELECT coalesce(max(set_no), 0) FROM storage.prediction_sets")
    for first in range(1, last.fetchall()[0][0] + 1, _SETS_AT_ONCE):
        for statement in statements:
            connection.execute(statement, {"first": first, "last": first + _SETS_AT_ONCE - 1})
    connection.execute(_IMPORTED)
    # In the order in which results are asked for, so that a query reads few of the rows.
    connection.execute(
        """
        INSERT INTO evaluations FROM unordered_evaluations
        ORDER BY dataset, subset, half, metric, precision, run_id;
        DROP TABLE unordered_evaluations;
        """
    )


def check_predictions(connection: duckdb.DuckDBPyConnection) -> None:
    """Refuse predictions that do not cover their data set exactly: their means would mislead."""
    wrong = connection.execute(
        """
        WITH rows_of AS (
            SELECT set_no, count(*) AS n FROM storage.prediction_rows GROUP BY ALL
        ), examples_of AS (
            SELECT data_digest, count(*) AS n FROM examples GROUP BY ALL
        ), evaluated AS (
            SELECT run_id, dataset, precision, any_value(n_examples) AS n
            FROM evaluations WHERE subset = 'all' AND half = 'all' GROUP BY ALL
        )
        SELECT run_id, dataset, coalesce(evaluated.n, 0), examples_of.n
        FROM storage.prediction_sets
        JOIN examples_of USING (data_digest)
        LEFT JOIN rows_of USING (set_no)
        LEFT JOIN evaluated USING (run_id, dataset, precision)
        WHERE rows_of.n IS DISTINCT FROM examples_of.n
           OR evaluated.n IS DISTINCT FROM examples_of.n
        ORDER BY ALL LIMIT 1
        """
    ).fetchall()
    if wrong:
        run_id, dataset, found, needed = wrong[0]
        raise WorkError(
            f"the predictions of run {run_id} on {dataset} do not fit its {needed} examples "
            f"({found} found)",
            "restore the run's artifacts, or delete the run in MLflow and repeat the step",
        )


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


def _exact_path(path: Path) -> str:
    """``path`` so that DuckDB takes ``* ? [`` in a folder's name for themselves."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in str(path))
