"""Writing a results file: anew, or what has changed in the one that is there.

A new file is written beside the old one and takes its place by an atomic rename; changes are one
transaction in the file. Readers never see half of either, and a failure leaves the file as it was.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import duckdb
from filelock import Timeout

from lmc_track.errors import WorkError
from lmc_track.warehouse.binding import binding
from lmc_track.warehouse.connection import is_damage
from lmc_track.warehouse.definitions import create_all
from lmc_track.warehouse.derivation import Derivation
from lmc_track.warehouse.filling import fill
from lmc_track.warehouse.snapshot import DamagedFile, Snapshot
from lmc_track.warehouse.tables import SCHEMA_VERSION, TABLES
from lmc_track.warehouse.writing import FileInUseError, alone, connect, remove_logs

# What DuckDB raises where the content of a file makes no sense to it.
_DAMAGE = (duckdb.FatalException, duckdb.InternalException, duckdb.SerializationException)


class DamagedResultsError(WorkError):
    """The results file is damaged; the record, which it is made from, is not."""


@dataclass(frozen=True)
class RebuildReport:
    """Rows per table and view after an ingest, and whether it had anything to do.

    ``damaged``: files of predictions that were left out.
    """

    counts: dict[str, int]
    changed: bool = True
    damaged: tuple[DamagedFile, ...] = ()


def rebuild(
    results_path: Path, snapshot: Snapshot, derivations: Sequence[Derivation] = ()
) -> RebuildReport:
    """Write ``snapshot`` and everything derived from it to ``results_path``, all anew.

    ``derivations`` fill their tables in turn, each from all that are filled by then.

    ``WorkError`` where the record's files cannot be read or do not fit each other, or another
    rebuild of the same file does not end within a minute.
    """
    with (
        _writing(results_path),
        _beside(results_path) as building,
        connect(building) as connection,
    ):
        connection.begin()
        create_empty(connection)
        return _fill(connection, building, snapshot, derivations, unseen=True)


def update(
    results_path: Path, snapshot: Snapshot, derivations: Sequence[Derivation] = ()
) -> RebuildReport:
    """Bring ``results_path``, a file of this schema, up to date with ``snapshot``.

    It happens in the file, in one transaction; where somebody reads it at the time, in a copy
    that takes its place. ``snapshot.kept`` says what the file has already.

    ``WorkError`` as ``rebuild``; the file is then as it was.
    """
    with _writing(results_path):
        try:
            connection = connect(results_path)
        except FileInUseError:
            with _beside(results_path) as building:
                shutil.copyfile(results_path, building)
                with connect(building) as connection:
                    connection.begin()
                    report = _fill(connection, building, snapshot, derivations, unseen=True)
            return report
        with connection:
            connection.begin()
            return _fill(connection, results_path, snapshot, derivations, unseen=False)


@contextmanager
def _writing(results_path: Path) -> Iterator[None]:
    """Keep other writers out, and say what failed."""
    try:
        results_path.parent.mkdir(parents=True, exist_ok=True)
        with alone(results_path):
            yield
    except Timeout:
        raise WorkError(
            f"another ingest is writing {results_path}", "wait until it has ended, then try again"
        ) from None
    except (duckdb.Error, FileInUseError, OSError) as error:
        if isinstance(error, _DAMAGE) or (isinstance(error, duckdb.Error) and is_damage(error)):
            raise DamagedResultsError(
                f"{results_path} is damaged: {_one_line(error)}",
                "Move it away and run `lmc-track ingest`, which writes it anew from MLflow.",
            ) from error
        raise WorkError(
            f"{results_path} could not be built: {_one_line(error)}",
            "the results file is as it was; run `lmc-track ingest` again when this is put right",
        ) from error


@contextmanager
def _beside(results_path: Path) -> Iterator[Path]:
    """A path for a new file, which takes the place of the old one at the end."""
    building = results_path.with_name(results_path.name + ".building")
    _remove(building)
    try:
        yield building
        # A log that lies here belongs to the old file, whoever left it.
        remove_logs(results_path)
        building.replace(results_path)
    finally:
        _remove(building)


def _fill(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    snapshot: Snapshot,
    derivations: Sequence[Derivation],
    *,
    unseen: bool,
) -> RebuildReport:
    """Fill the file in the transaction that is open, and end it."""
    damaged = fill(connection, path, snapshot, derivations, unseen=unseen)
    connection.execute(
        "UPDATE schema_version SET program = ?, tracking_uri = ?",
        [program_version(), binding(snapshot.tracking_uri, path)],
    )
    counts = table_counts(connection)
    connection.commit()
    connection.execute("CHECKPOINT")
    return RebuildReport(counts, damaged=tuple(damaged))


def create_empty(connection: duckdb.DuckDBPyConnection) -> None:
    """All tables, views and macros of a results file, without a row but the one that signs it."""
    create_all(connection)
    connection.execute(
        "INSERT INTO schema_version VALUES (?, ?, ?)", [SCHEMA_VERSION, program_version(), ""]
    )


def program_version() -> str:
    """The installed version of lmc-track, or ``unknown``."""
    try:
        return version("lmc-track")
    except PackageNotFoundError:
        return "unknown"


def table_counts(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Rows of the tables and views that tell how much there is."""
    names = [table.name for table in TABLES] + ["storage.prediction_rows", "barriers"]
    counts = {}
    for name in names:
        row = connection.execute(f"SELECT count(*) FROM {name}").fetchall()[0]
        counts[name.removeprefix("storage.").replace("prediction_rows", "predictions")] = row[0]
    return counts


def _remove(building: Path) -> None:
    """What a killed or failed rebuild left: the file, its log and its spilled pages."""
    building.unlink(missing_ok=True)
    remove_logs(building)
    shutil.rmtree(building.with_name(building.name + ".tmp"), ignore_errors=True)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split("\n\n")[0].split()) or os.strerror(0)
