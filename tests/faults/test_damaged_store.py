"""A database in which bytes were flipped: told in words, or what was flipped says nothing."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest

from lmc_track.errors import LmcTrackError, WorkError
from lmc_track.progress import Silent
from lmc_track.steps.ingest import ingest
from lmc_track.steps.status import study_status
from lmc_track.tracking.location import Location
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.store import Store
from lmc_track.tracking.studies import find_study
from lmc_track.warehouse.results import open_results
from support.undisturbed import Undisturbed, assert_as_undisturbed

pytestmark = pytest.mark.full


def flip(file: Path, position: int) -> None:
    with file.open("rb+") as stream:
        stream.seek(position)
        byte = stream.read(1)
        stream.seek(position)
        stream.write(bytes([byte[0] ^ 0x41]))


def settled(location: Location) -> Path:
    """The SQLite file with all that is in its log."""
    file = location.home / "mlflow.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file


@pytest.mark.parametrize("seed", [0, 8])
def test_flipped_bytes_of_the_store_are_told_in_words(seed: int, finished: Location) -> None:
    file = settled(finished)
    drawn = random.Random(seed)
    for _ in range(20):
        flip(file, drawn.randrange(file.stat().st_size))
    for look in (
        lambda: find_study(Store(finished), "tiny"),
        lambda: ingest(finished, Silent(), everything=True),
        lambda: study_status(finished, None),
    ):
        with suppress(LmcTrackError):  # and nothing else
            look()


@pytest.mark.parametrize("seed", [0, 8])
def test_a_results_file_with_flipped_bytes_is_told_or_made_anew(
    seed: int, finished: Location
) -> None:
    drawn = random.Random(seed)
    for _ in range(3):
        size = finished.results_path.stat().st_size
        flip(finished.results_path, drawn.randrange(size))
    with suppress(LmcTrackError):
        results = open_results(finished.results_path, finished.tracking_uri)
        results.query("barrier_pairs", study="tiny")
    ingest(finished, Silent())


def test_an_ingest_that_comes_upon_damage_writes_all_anew(
    finished: Location, undisturbed: Undisturbed
) -> None:
    for position in range(16 * 1024, finished.results_path.stat().st_size, 20_000):
        flip(finished.results_path, position)
    ingest(finished, Silent(), everything=True)
    assert_as_undisturbed(finished, undisturbed.location)


def test_a_parameter_that_is_gone_is_told_as_damage() -> None:
    run = RunEntry("a1", "point", "key", "name", "FINISHED", 0, 1, "", params={"precision": "fp32"})
    assert run.params["precision"] == "fp32"
    assert run.params.get("alpha") is None
    with pytest.raises(WorkError, match="run a1 has no parameter 'alpha'"):
        _ = run.params["alpha"]
