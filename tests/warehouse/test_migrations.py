"""Files of earlier schemas become files of this one, each from a file that its version wrote."""

from __future__ import annotations

import gzip
from pathlib import Path

import duckdb
import pytest

from lmc_track.errors import InputError
from lmc_track.warehouse.migrations import MIGRATIONS, upgrade
from lmc_track.warehouse.rebuild import rebuild
from lmc_track.warehouse.results import open_results
from lmc_track.warehouse.storage import create_table
from lmc_track.warehouse.stored_tables import RECORDED_RUNS
from lmc_track.warehouse.tables import SCHEMA_VERSION
from support.simulated_study import simulated_snapshot

FILES = Path(__file__).parent / "files"


@pytest.fixture
def old_file(tmp_path: Path) -> Path:
    """A results file as a program with an older schema left it."""
    path = tmp_path / "results.duckdb"
    path.write_bytes(gzip.decompress((FILES / "results-schema-6.duckdb.gz").read_bytes()))
    return path


def remember_runs(connection: duckdb.DuckDBPyConnection) -> None:
    create_table(connection, RECORDED_RUNS)


def make_older(path: Path, by: int) -> None:
    """Take from the file what the migration gives it, and views that were others."""
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"DROP TABLE {RECORDED_RUNS.name}")
        connection.execute("DROP VIEW curves; CREATE VIEW curves AS SELECT 1 AS one")
        connection.execute("CREATE VIEW of_old AS SELECT 1 AS one")
        connection.execute("UPDATE schema_version SET version = ?", [SCHEMA_VERSION - by])


def test_every_migration_leads_to_this_schema() -> None:
    first = min(MIGRATIONS, default=SCHEMA_VERSION)
    assert sorted(MIGRATIONS) == list(range(first, SCHEMA_VERSION))


def test_a_file_that_no_migration_takes_is_refused_and_left_for_the_next_ingest(
    old_file: Path,
) -> None:
    before = old_file.read_bytes()
    assert upgrade(old_file) == []
    assert old_file.read_bytes() == before
    with pytest.raises(InputError, match="older schema"):
        open_results(old_file).query("models")


def test_a_file_becomes_one_of_this_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "results.duckdb"
    rebuild(path, simulated_snapshot(tmp_path, n_models=2, n_points=3, n_examples=20))
    make_older(path, 1)
    monkeypatch.setitem(MIGRATIONS, SCHEMA_VERSION - 1, remember_runs)
    assert upgrade(path) == ["remember_runs"]
    assert upgrade(path) == []
    results = open_results(path)
    assert results.sql(f"FROM {RECORDED_RUNS.name}").height == 0
    assert results.sql("SELECT version, name FROM migrations").rows() == [
        (SCHEMA_VERSION, "remember_runs")
    ]
    assert results.query("models").height == 2


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "results.duckdb"
    rebuild(path, simulated_snapshot(tmp_path, n_models=2, n_points=3, n_examples=20))
    make_older(path, 2)
    monkeypatch.setitem(MIGRATIONS, SCHEMA_VERSION - 2, remember_runs)
    monkeypatch.setitem(MIGRATIONS, SCHEMA_VERSION - 1, remember_runs)  # the table is there already
    assert upgrade(path) == []
    with duckdb.connect(str(path), read_only=True) as connection:
        names = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        (version,) = connection.execute("SELECT version FROM schema_version").fetchall()
    assert ("recorded_runs",) not in names
    assert version == (SCHEMA_VERSION - 2,)


@pytest.mark.parametrize(
    "statement", ["UPDATE schema_version SET version = 1", "DROP TABLE models"]
)
def test_what_no_migration_leads_from_is_left_alone(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "results.duckdb"
    rebuild(path, simulated_snapshot(tmp_path, n_models=2, n_points=3, n_examples=20))
    with duckdb.connect(str(path)) as connection:
        connection.execute(statement)
    before = path.read_bytes()
    assert upgrade(path) == []
    assert path.read_bytes() == before


def test_a_file_of_another_kind_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    path.write_bytes(b"not a database")
    assert upgrade(path) == []
    assert path.read_bytes() == b"not a database"
