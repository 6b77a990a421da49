"""The SQLite store is made whole, whoever begins it and whatever was left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lmc_track.tracking.location import locate
from lmc_track.tracking.store import Store

OPEN = """
import sys
from lmc_track.tracking.location import locate
from lmc_track.tracking.store import Store
print(len(Store(locate(sys.argv[1], environ={})).client.search_experiments()))
"""


@pytest.mark.full
def test_programs_that_begin_a_store_at_once_share_one(tmp_path: Path) -> None:
    home = tmp_path / "home"
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, str(home)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for program in programs:
        out, err = program.communicate(timeout=240)
        assert (program.returncode, out) == (0, "1\n"), err
    assert list(home.glob("*.new")) == []


def test_what_was_left_of_a_store_half_made_is_no_hindrance(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".mlflow.db.new").write_bytes(b"half a store")
    store = Store(locate(str(home), environ={}))
    assert store.absent
    assert [one.name for one in store.client.search_experiments()] == ["Default"]
    assert not (home / ".mlflow.db.new").exists()
