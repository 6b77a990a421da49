"""``lmc-track plane`` from the command line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lmc_track.cli import main as program
from lmc_track.tracking.location import Location
from support.studies import runs_of


@pytest.fixture
def plane(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """The program's own entry, in this process: its exit code and what it printed."""

    def run(home: Location, *arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(
            "sys.argv", ["lmc-track", "plane", *arguments, "--home", str(home.home)]
        )
        with pytest.raises(SystemExit) as left:
            program.main()
        printed = capsys.readouterr()
        assert "defect of the program" not in printed.err
        return int(left.value.code or 0), printed.out, printed.err

    return run


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("tiny",), "a plane goes through three models; 0 were named"),
        (("tiny", "seed-0"), "one was named"),
        (("tiny", "seed-0", "seed-1", "seed-2", "seed-3"), "4 were named"),
        (("tiny", "seed-0", "seed-1", "seed-1"), "seed-1 is named twice"),
        (("tiny", "seed-0", "seed-1", "seed2"), "Did you mean seed-2?"),
        (("tyni", "seed-0", "seed-1", "seed-2"), "there is no study 'tyni'"),
        (("tiny", "seed-0", "seed-1", "seed-2", "--grid", "2"), "--grid"),
        (("tiny", "seed-0", "seed-1", "seed-2", "--margin", "-1"), "--margin"),
        (("tiny", "seed-0", "seed-1", "seed-2", "--datasets", "hans"), "no set 'hans'"),
    ],
)
def test_wrong_use_is_said_and_nothing_begun(
    plane: Any, finished: Location, arguments: tuple[str, ...], said: str
) -> None:
    code, out, err = plane(finished, *arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert not runs_of(finished).unfinished("plane")


def test_a_dry_run_prints_rows_and_records_nothing(plane: Any, finished: Location) -> None:
    trio = ("seed-0", "seed-1", "seed-2")
    code, out, _ = plane(finished, "tiny", *trio, "--dry-run", "--format", "json", "--grid", "5")
    assert code == 0
    (row,) = json.loads(out)
    assert (row["what"], row["planned"], row["to_do"]) == ("plane points", 25, 25)
    assert not runs_of(finished).all("plane")
