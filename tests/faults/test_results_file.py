"""A results file that cannot be read is said, and made again from the record."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from lmc_track.tracking.location import Location
from support.forked_programs import Programs
from support.undisturbed import Undisturbed, assert_as_undisturbed

pytestmark = pytest.mark.full


def cut(file: Path) -> None:
    with file.open("rb+") as stream:
        stream.truncate(file.stat().st_size // 2)


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def random_bytes(file: Path) -> None:
    file.write_bytes(random.Random(7).randbytes(50_000))


def overwritten(file: Path) -> None:
    """The header is whole, what is behind it is not."""
    noise = random.Random(8)
    with file.open("rb+") as stream:
        stream.seek(12_288)
        stream.write(noise.randbytes(file.stat().st_size - 12_288))


def another_database(file: Path) -> None:
    file.unlink()
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE schema_version (version INTEGER)")
    connection.commit()
    connection.close()


def text(file: Path) -> None:
    file.write_text("model,loss\nseed-0,0.5\n")


DAMAGE = [cut, emptied, random_bytes, overwritten, another_database, text]


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda one: one.__name__)
def test_a_results_file_that_is_none_is_made_again(
    damage: Callable[[Path], None],
    lmc: Programs,
    undisturbed: Undisturbed,
    finished: Location,
    tmp_path: Path,
) -> None:
    at = ("--home", str(finished.home))
    damage(finished.results_path)
    told = lmc("query", "paths", *at)
    told.refused("results.duckdb", "lmc-track ingest", code=2)
    assert told.out == ""
    report = lmc("report", "tiny", "--out", str(tmp_path / "report.html"), *at)
    report.refused("results.duckdb", "lmc-track ingest", code=2)
    done = lmc("ingest", *at).went_well()
    assert "results.duckdb" in done.err
    assert "anew" in done.err
    assert lmc("query", "paths", *at).went_well().out
    assert_as_undisturbed(finished, undisturbed.location)


def test_a_whole_run_makes_it_again_too(
    lmc: Programs, undisturbed: Undisturbed, finished: Location, study_file: str
) -> None:
    cut(finished.results_path)
    lmc("run", study_file, "--home", str(finished.home)).went_well()
    assert_as_undisturbed(finished, undisturbed.location)
