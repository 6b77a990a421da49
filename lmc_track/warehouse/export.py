"""Writing a study's tables and views as Parquet files that need nothing of this program.

Which rows are a study's is told by the columns of a table: its name, or the id of something of it.
Rows are sorted, so that the same results give the same files.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from lmc_track.warehouse.connection import exporting
from lmc_track.warehouse.moment import Moment
from lmc_track.warehouse.results import Results
from lmc_track.warehouse.schema import SchemaItem, schema
from lmc_track.warehouse.storage import literal, quoted

_OF_THE_STUDY = {
    "study": "study = getvariable('study')",
    "clustering_id": "clustering_id IN "
    "(SELECT clustering_id FROM clusterings WHERE study = getvariable('study'))",
    "path_id": "path_id IN (SELECT path_id FROM paths WHERE study = getvariable('study'))",
    "plane_id": "plane_id IN (SELECT plane_id FROM planes WHERE study = getvariable('study'))",
    "run_id": "run_id IN (SELECT model_id FROM models WHERE study = getvariable('study') "
    "UNION ALL SELECT point_id FROM points WHERE study = getvariable('study'))",
    "point_id": "point_id IN (SELECT point_id FROM points WHERE study = getvariable('study'))",
    "model_id": "model_id IN (SELECT model_id FROM models WHERE study = getvariable('study'))",
    "data_digest": "data_digest IN "
    "(SELECT data_digest FROM datasets WHERE study = getvariable('study'))",
}
"""By column, the first that a table has: the condition that a row is of the study."""

_OF_EVERY_STUDY = ("metrics",)
_ABOUT_THE_FILE = ("schema_version", "migrations")
PREDICTIONS = "predictions"


def exported_items() -> tuple[SchemaItem, ...]:
    """The tables and views that an export holds.

    ``LookupError`` for one of which nothing says which rows are a study's.
    """
    items = [i for i in schema() if i.kind != "macro" and i.name not in _ABOUT_THE_FILE]
    for item in items:
        _condition(item)
    return tuple(items)


@dataclass(frozen=True)
class StudyTables:
    """The tables of one study, at one moment. ``now`` answers the library's queries too."""

    study: str
    now: Moment
    connection: duckdb.DuckDBPyConnection

    def datasets(self) -> list[str]:
        """The evaluation sets in the order in which results show them."""
        return self.now.query("datasets", study=self.study)["dataset"].to_list()

    def study_row(self) -> dict[str, Any]:
        """The study's own row of ``studies``."""
        asked = self.connection.execute("SELECT * FROM studies WHERE study = ?", [self.study])
        names = [column[0] for column in asked.description or ()]
        return dict(zip(names, asked.fetchall()[0], strict=True))

    def write(self, item: SchemaItem, file: Path) -> int:
        """All rows of ``item`` into ``file``; returns how many."""
        columns = ", ".join(quoted(c.name) for c in item.columns)
        return self._copy(f"SELECT {columns} FROM {item.name} WHERE {_condition(item)}", file)

    def write_predictions(self, dataset: str, file: Path) -> int:
        """The predictions on one evaluation set, without a column that says so."""
        condition = _OF_THE_STUDY["run_id"]
        return self._copy(
            f"SELECT * EXCLUDE (dataset) FROM {PREDICTIONS} "
            f"WHERE dataset = {literal(dataset)} AND {condition}",
            file,
        )

    def _copy(self, query: str, file: Path) -> int:
        file.parent.mkdir(parents=True, exist_ok=True)
        self.connection.execute("SET VARIABLE study = ?", [self.study])
        written = self.connection.execute(
            f"COPY ({query} ORDER BY ALL) TO {literal(str(file))} "
            "(FORMAT parquet, COMPRESSION zstd)"
        ).fetchall()
        count: int = written[0][0]
        return count


@contextmanager
def study_tables(
    results: Results, study: str, folder: Path, scratch: Path
) -> Iterator[StudyTables]:
    """The tables of ``study``, to be written below ``folder``.

    What does not fit into memory goes to ``scratch`` meanwhile.

    ``InputError`` where the results have no such study.
    """
    with exporting(results.path, results.tracking_uri, folder, scratch) as connection:
        now = Moment(results.path, connection)
        now.query("study_summary", study=study)
        yield StudyTables(study, now, connection)


def _condition(item: SchemaItem) -> str:
    if item.name in _OF_EVERY_STUDY:
        return "true"
    names = {column.name for column in item.columns}
    for column, condition in _OF_THE_STUDY.items():
        if column in names:
            return condition
    raise LookupError(f"nothing says which rows of {item.name} are a study's")
