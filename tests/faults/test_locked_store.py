"""An SQLite file that another process has locked: waited for, and said if that takes too long."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lmc_track.tracking.location import Location
from support.forked_programs import Programs
from support.moments import Pause
from support.undisturbed import Undisturbed, assert_as_undisturbed, finished_ids

pytestmark = pytest.mark.full


@contextmanager
def locked(location: Location) -> Iterator[None]:
    """This process writes to the store, and does not come to an end of it."""
    connection = sqlite3.connect(location.home / "mlflow.db", timeout=60, isolation_level=None)
    try:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")
    finally:
        connection.close()


def test_a_store_that_is_locked_for_a_while_is_waited_for(
    lmc: Programs, undisturbed: Undisturbed, study_file: str, home: Location, tmp_path: Path
) -> None:
    pause = Pause(tmp_path)
    # Both in the first training, beside which its runs are begun.
    first = undisturbed.moments["finetuning"] // 10
    command = ("run", study_file, "--home", str(home.home))
    lmc.begin(*command, fault=pause.at("finetuning", first, 2 * first))
    pause.come()
    with locked(home):
        pause.go_on()
        pause.come()
    pause.go_on()
    lmc.end().went_well()
    assert_as_undisturbed(home, undisturbed.location)


def test_a_store_that_stays_locked_is_said_and_nothing_is_lost(
    lmc: Programs, undisturbed: Undisturbed, study_file: str, home: Location, tmp_path: Path
) -> None:
    pause = Pause(tmp_path)
    command = ("run", study_file, "--home", str(home.home))
    _, *at = pause.at("logging", undisturbed.moments["logging"] // 2)
    lmc.begin(*command, fault=("impatient", *at))
    pause.come()
    with locked(home):
        pause.go_on()
        lmc.end().refused("database is locked", "Another program", "run the same command again")
    before = finished_ids(home)
    lmc(*command).went_well()
    assert before <= finished_ids(home)
    assert_as_undisturbed(home, undisturbed.location)
