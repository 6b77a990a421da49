"""Programs that begin a study store in PostgreSQL at once share one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.servers import Postgres

pytestmark = pytest.mark.full

OPEN = """
import sys
from lmc_track.tracking.location import locate
from lmc_track.tracking.store import Store
print(len(Store(locate(sys.argv[1], sys.argv[2], environ={})).client.search_experiments()))
"""


def test_programs_that_begin_at_once_share_one_store(postgres: Postgres, tmp_path: Path) -> None:
    uri = postgres.database("begun-at-once")
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, str(tmp_path / name), uri],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "another")
    ]
    for program in programs:
        out, err = program.communicate(timeout=240)
        assert (program.returncode, out) == (0, "1\n"), err
