"""Building a results file from a snapshot of the record, and publishing it whole.

The new file is written beside the old one and takes its place by an atomic rename: readers are
never blocked and never see half a file, and a failure leaves the old one as it was.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from lmc_track.errors import WorkError
from lmc_track.uris import store_name
from lmc_track.warehouse import storage
from lmc_track.warehouse.derivation import Derivation
from lmc_track.warehouse.moment import Moment
from lmc_track.warehouse.snapshot import Snapshot
from lmc_track.warehouse.tables import SCHEMA_VERSION, TABLES

VIEWS = (
    "projection",
    "predictions",
    "curves",
    "label_entropies",
    "curve_measures",
    "barriers",
    "refined_gaps",
    "study_models",
    "study_pairs",
    "study_module_paths",
    "study_values",
    "study_similarity",
    "linkage",
    "supports",
    "attributions",
    "ensemble_curves",
    "cluster_contrasts",
    "student_tail",
    "decided_pairs",
    "study_steps",
)
"""Files of ``queries/views`` in the order in which they build on each other, the one that
evaluations need first.

A results file keeps the views it was built with: a change of a view that queries rely on needs a
new ``SCHEMA_VERSION``.
"""
_SECONDS_TO_WAIT = 60


@dataclass(frozen=True)
class RebuildReport:
    """What a rebuild wrote: rows per table and view."""

    counts: dict[str, int]


def rebuild(
    results_path: Path, snapshot: Snapshot, derivations: Sequence[Derivation] = ()
) -> RebuildReport:
    """Write ``snapshot`` and everything derived from it to ``results_path``, all anew.

    ``derivations`` fill their tables in turn, each from all that are filled by then.

    ``WorkError`` where the record's files cannot be read or do not fit each other, or another
    rebuild of the same file does not end within a minute.
    """
    building = results_path.with_name(results_path.name + ".building")
    try:
        results_path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(results_path.with_name(f".{results_path.name}.lock"), _SECONDS_TO_WAIT):
            _remove(building)
            try:
                counts = _build(building, snapshot, derivations)
                # A log that somebody's writing connection left belongs to the old file.
                results_path.with_name(results_path.name + ".wal").unlink(missing_ok=True)
                building.replace(results_path)
            finally:
                _remove(building)
    except Timeout:
        raise WorkError(
            f"another ingest is writing {results_path}", "wait until it has ended, then try again"
        ) from None
    except (duckdb.Error, OSError) as error:
        raise WorkError(
            f"{results_path} could not be built: {_one_line(error)}",
            "the results file is as it was; run `lmc-track ingest` again when this is put right",
        ) from error
    return RebuildReport(counts)


def _build(path: Path, snapshot: Snapshot, derivations: Sequence[Derivation]) -> dict[str, int]:
    with duckdb.connect(str(path)) as connection:
        # One commit for the many small statements: each of its own would wait for the disk.
        connection.begin()
        storage.create_tables(connection)
        storage.fill_frames(connection, snapshot)
        connection.commit()
        storage.fill_examples(connection, snapshot)
        storage.fill_predictions(connection, snapshot)
        # Evaluations are computed with the same macros that users have.
        _create_views(connection, VIEWS[:1])
        storage.fill_evaluations(
            connection,
            [_text("lmc_track.warehouse", name) for name in ("evaluations.sql", "auc.sql")],
        )
        storage.check_predictions(connection)
        connection.begin()
        _create_views(connection, VIEWS[1:])
        _sign(connection, snapshot.tracking_uri)
        connection.commit()
        for derivation in derivations:
            for rows in derivation.parts(Moment(path, connection)):
                storage.insert_rows(connection, derivation.table, rows)
        counts = _counts(connection)
        connection.execute("CHECKPOINT")
    return counts


def create_empty(connection: duckdb.DuckDBPyConnection) -> None:
    """All tables, views and macros of a results file, without a row."""
    storage.create_tables(connection)
    _create_views(connection, VIEWS)
    _sign(connection, "")


def _create_views(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> None:
    for name in names:
        connection.execute(_text("lmc_track.queries.views", f"{name}.sql"))


def _sign(connection: duckdb.DuckDBPyConnection, tracking_uri: str) -> None:
    connection.execute(
        "CREATE TABLE schema_version (version INTEGER, program VARCHAR, tracking_uri VARCHAR);"
        "COMMENT ON TABLE schema_version IS 'What wrote this file, from which tracking store.';"
        "COMMENT ON COLUMN schema_version.version IS 'version of the tables and views';"
        "COMMENT ON COLUMN schema_version.program IS 'version of lmc-track';"
        "COMMENT ON COLUMN schema_version.tracking_uri IS 'MLflow store, without a password';"
    )
    connection.execute(
        "INSERT INTO schema_version VALUES (?, ?, ?)",
        [SCHEMA_VERSION, program_version(), store_name(tracking_uri)],
    )


def program_version() -> str:
    """The installed version of lmc-track, or ``unknown``."""
    try:
        return version("lmc-track")
    except PackageNotFoundError:
        return "unknown"


def _counts(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    names = [table.name for table in TABLES] + ["storage.prediction_rows", "barriers"]
    counts = {}
    for name in names:
        row = connection.execute(f"SELECT count(*) FROM {name}").fetchall()[0]
        counts[name.removeprefix("storage.").replace("prediction_rows", "predictions")] = row[0]
    return counts


def _text(package: str, name: str) -> str:
    return files(package).joinpath(name).read_text(encoding="utf-8")


def _remove(building: Path) -> None:
    """What a killed or failed rebuild left: the file, its log and its spilled pages."""
    for path in (building, building.with_name(building.name + ".wal")):
        path.unlink(missing_ok=True)
    shutil.rmtree(building.with_name(building.name + ".tmp"), ignore_errors=True)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split("\n\n")[0].split()) or os.strerror(0)
