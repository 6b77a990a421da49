"""Files of earlier schemas become files of this one, each from a file that its version wrote."""

from __future__ import annotations

import gzip
from pathlib import Path

import duckdb
import pytest
from polars.testing import assert_frame_equal

from lmc_track.errors import InputError
from lmc_track.steps.derivations import DERIVATIONS
from lmc_track.warehouse.migrations import MIGRATIONS, upgrade
from lmc_track.warehouse.rebuild import rebuild
from lmc_track.warehouse.recorded import recorded
from lmc_track.warehouse.results import open_results
from lmc_track.warehouse.tables import SCHEMA_VERSION
from support.simulated_study import TRACKING_URI, simulated_snapshot
from support.studies import tables_of

FILES = Path(__file__).parent / "files"


@pytest.fixture
def old_file(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A results file as a program with the older schema left it."""
    packed = FILES / f"results-schema-{request.param}.duckdb.gz"
    path = tmp_path / "results.duckdb"
    path.write_bytes(gzip.decompress(packed.read_bytes()))
    return path


def test_every_migration_is_tested_on_a_file_of_its_version() -> None:
    assert set(MIGRATIONS) == set(range(min(MIGRATIONS), SCHEMA_VERSION))
    assert all((FILES / f"results-schema-{v}.duckdb.gz").exists() for v in MIGRATIONS)


@pytest.mark.parametrize("old_file", MIGRATIONS, indirect=True)
def test_a_file_becomes_one_of_this_schema(old_file: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="older schema"):
        open_results(old_file)
    taken = upgrade(old_file)
    assert taken == [
        MIGRATIONS[v].__name__ for v in range(SCHEMA_VERSION - len(taken), SCHEMA_VERSION)
    ]
    assert upgrade(old_file) == []
    results = open_results(old_file)
    told = results.sql("SELECT version, name FROM migrations ORDER BY version").rows()
    assert told[-1] == (SCHEMA_VERSION, taken[-1])
    # All that it held is there, in the tables that a new file of the same record has.
    anew = tmp_path / "anew.duckdb"
    sets = ("validation", "main_only")
    rebuild(
        anew,
        simulated_snapshot(
            tmp_path, n_models=4, n_points=5, n_examples=40, datasets=sets, planes=((0, 1, 2),)
        ),
        DERIVATIONS,
    )
    before, after = tables_of(old_file), tables_of(anew)
    assert before.keys() == after.keys()
    for name, frame in after.items():
        if name not in ("migrations", "schema_version"):
            assert before[name].schema == frame.schema, name
            assert before[name].height == frame.height, name
    for query in ("barrier_matrix", "clusterings", "study_summary"):
        found, expected = results.query(query), open_results(anew).query(query)
        assert_frame_equal(found, expected, abs_tol=1e-12, rel_tol=1e-12)
    assert recorded(old_file, TRACKING_URI).runs.is_empty()


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
