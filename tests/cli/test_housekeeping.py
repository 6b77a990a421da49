"""gc asks before it removes and says what it did; doctor ends with what its checks say."""

from __future__ import annotations

import io
import json
import sys

import pytest

from lmc_track.cli.main import Exit
from lmc_track.tracking.location import Location
from lmc_track.tracking.store import Store
from support.programs import Lmc
from support.stores import copied_home
from support.studies import runs_of


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def untidy(finished: Location, tmp_path_factory: pytest.TempPathFactory) -> Location:
    """A finished study of which a path was deleted in MLflow."""
    home = copied_home(finished, tmp_path_factory.mktemp("untidy") / "home")
    Store(home).client.delete_run(runs_of(home).all("path")[0].run_id)
    return home


def test_what_nobody_agrees_to_stays(
    untidy: Location, in_process: Lmc, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = sorted(untidy.home.rglob("*"))
    home = ("--home", str(untidy.home))
    looked = in_process("gc", "--dry-run", *home)
    assert looked.code == 0
    assert "deleted runs" in looked.out
    assert "orphaned runs" in looked.out
    unasked = in_process("gc", *home)
    assert unasked.code == Exit.WRONG_USE
    assert "give --yes, or --dry-run" in unasked.err
    monkeypatch.setattr(sys, "stdin", _Terminal("n\n"))
    refused = in_process("gc", *home)
    assert refused.code == 0
    assert "Nothing was removed." in refused.err
    assert sorted(untidy.home.rglob("*")) == there


def test_what_went_is_told_and_a_second_gc_finds_nothing(untidy: Location, in_process: Lmc) -> None:
    home = ("--home", str(untidy.home))
    done = in_process("gc", "--yes", *home)
    assert done.code == 0
    assert "Removed 3 things" in done.err  # the path and its two points
    again = in_process("gc", "--yes", *home)
    assert (again.code, again.out) == (0, "")
    assert "There is nothing to remove." in again.err
    assert json.loads(in_process("gc", "--dry-run", "--format", "json", *home).out) == []


def test_what_is_no_age_is_refused(finished: Location, in_process: Lmc) -> None:
    refused = in_process("gc", "--older-than", "soon", "--home", str(finished.home))
    assert refused.code == Exit.WRONG_USE
    assert "'soon' is no age: write 30d" in refused.err


def test_doctor_fails_where_a_check_does(
    finished: Location, untidy: Location, in_process: Lmc
) -> None:
    well = in_process("doctor", "--format", "json", "--home", str(finished.home))
    assert well.code == 0, well.printed
    assert {row["verdict"] for row in json.loads(well.out)} <= {"ok", "warn"}
    untidy.results_path.write_bytes(b"no results" * 500)
    ill = in_process("doctor", "--home", str(untidy.home))
    assert ill.code == Exit.FAILED
    (line,) = (line for line in ill.out.splitlines() if line.startswith("results "))
    assert "fail" in line
    assert "ingest" in line
