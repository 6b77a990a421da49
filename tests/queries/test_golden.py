"""What every query prints about one fixed study is what it printed before.

A query needs a file ``golden/NAME.txt``. After a change that is meant, or for a new query, write
the files anew, look at the difference, and commit it with the change::

    LMC_WRITE_GOLDEN=1 pytest -n0 tests/queries/test_golden.py
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lmc_track.cli.output import show
from lmc_track.warehouse.library import queries
from lmc_track.warehouse.results import Results
from support.query_values import required

GOLDEN = Path(__file__).parent / "golden"
REWRITE = "run LMC_WRITE_GOLDEN=1 pytest -n0 tests/queries/test_golden.py"


@pytest.mark.parametrize("name", list(queries()))
def test_a_query_prints_what_it_printed(
    golden: Results, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    params = required(name)
    given = "".join(f" -p {key}={value}" for key, value in params.items())
    show(golden.query(name, **params), "table")
    printed = f"$ lmc-track query {name}{given}\n{capsys.readouterr().out}"
    file = GOLDEN / f"{name}.txt"
    if "LMC_WRITE_GOLDEN" in os.environ:
        file.write_text(printed, encoding="utf-8")
    assert file.is_file(), f"the query {name} has no golden file: {REWRITE}"
    assert printed == file.read_text(encoding="utf-8"), f"if this is meant, {REWRITE}"


def test_every_golden_file_is_of_a_query() -> None:
    assert {file.stem for file in GOLDEN.iterdir()} <= set(queries())
