"""drop takes models out and back, and says what is left out; list has all studies."""

from __future__ import annotations

import json
from pathlib import Path

from lmc_track.cli.main import Exit
from lmc_track.tracking.location import Location
from support.programs import Lmc
from support.stores import copied_home


def test_drop_prints_what_is_left_out_and_undo_counts_it_again(
    finished: Location, tmp_path: Path, in_process: Lmc
) -> None:
    home = ("--home", str(copied_home(finished, tmp_path / "home").home))
    done = in_process("drop", "tiny", "seed-1", "--why", "diverged", "--format", "json", *home)
    assert done.code == 0
    row = {"kind": "model", "name": "seed-1", "reason": "dropped", "why": "diverged"}
    assert json.loads(done.out) == [row]
    assert "lmc-track run tiny" in done.err
    assert json.loads(in_process("drop", "tiny", "--format", "json", *home).out) == [row]
    (study,) = json.loads(in_process("list", "--format", "json", *home).out)
    assert (study["study"], study["models"], study["dropped"]) == ("tiny", 3, 1)
    undone = in_process("drop", "tiny", "seed-1", "--undo", "--format", "json", *home)
    assert (undone.code, json.loads(undone.out)) == (0, [])


def test_undo_needs_names_and_takes_no_reason(finished: Location, in_process: Lmc) -> None:
    home = ("--home", str(finished.home))
    assert in_process("drop", "tiny", "--undo", *home).code == Exit.WRONG_USE
    wrong = in_process("drop", "tiny", "seed-1", "--undo", "--why", "x", *home)
    assert wrong.code == Exit.WRONG_USE
    assert "--why goes with dropping" in wrong.err
