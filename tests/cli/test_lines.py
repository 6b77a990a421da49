"""Progress without a terminal: plain lines while the work is under way, and how many."""

from __future__ import annotations

import shutil
from pathlib import Path

import click
import pytest

from lmc_track.cli import lines as module
from lmc_track.cli.lines import Lines, duration
from lmc_track.cli.terminal import Talk, TerminalProgress
from lmc_track.tracking.location import Location
from support.programs import Lmc
from support.stores import empty_home
from support.studies import tiny_content
from support.study_files import to_toml


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds, as its only element."""
    time = [0.0]
    monkeypatch.setattr(module, "monotonic", lambda: time[0])
    return time


def test_there_is_a_line_for_every_twentieth(clock: list[float]) -> None:
    said: list[str] = []
    lines = Lines(said.append, "Measuring 45 paths", 1000, "points")
    for _ in range(1000):
        lines.advance()
    lines.end()
    shares = [line.partition(": ")[2].partition(" (")[0] for line in said[1:-1]]
    assert shares == [f"{share} %" for share in range(5, 100, 5)]
    assert said[0] == "Measuring 45 paths: 1,000 points"
    assert said[-1] == "Measuring 45 paths: done in 0 s"


def test_a_line_says_how_long_the_rest_takes_at_the_rate_since_it_was_resumed(
    clock: list[float],
) -> None:
    said: list[str] = []
    lines = Lines(said.append, "Measuring", 1000, "points", done=500)
    lines.tell("20 of 45 paths")
    clock[0] = 600
    lines.advance(100)
    assert said[0] == "Measuring: 1,000 points, 500 done before"
    assert said[-1] == (
        "Measuring: 60 % (600 of 1,000 points, 20 of 45 paths); 10 min elapsed, about 40 min left"
    )


def test_a_model_that_is_finished_has_a_line_of_its_own(clock: list[float]) -> None:
    said: list[str] = []
    lines = Lines(said.append, "Finetuning 2 models", 1000, "steps")
    clock[0] = 90
    lines.advance(10)
    lines.finished("seed-0 is finetuned, 1 of 2 models")
    assert said[-1] == (
        "Finetuning 2 models: seed-0 is finetuned, 1 of 2 models; 90 s elapsed, about 2 h 28 min "
        "left"
    )


def test_only_verbose_lines_say_of_every_path(clock: list[float]) -> None:
    said: list[str] = []
    for verbose in (False, True):
        lines = Lines(said.append, "Measuring", 1000, "points", verbose=verbose)
        lines.tell("1 of 45 paths")
    assert said[1:] == ["Measuring: 1,000 points", "Measuring: 1 of 45 paths"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (99, "99 s"), (100, "2 min"), (12_000, "3 h 20 min"), (187_200, "2 d 4 h")],
)
def test_durations_are_told_in_what_matters(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(("talk", "n_lines"), [(None, 4), (Talk.VERBOSE, 5), (Talk.QUIET, 1)])
def test_how_much_is_said_is_asked_for(
    talk: Talk | None, n_lines: int, capsys: pytest.CaptureFixture[str]
) -> None:
    ctx = click.Context(click.Command("c"))
    if talk is not None:
        ctx.meta[Talk.__name__] = talk
    with ctx.scope(cleanup=False):
        progress = TerminalProgress()
    progress.begin("Planning")
    with progress.track("Measuring", 1, "points") as work:
        work.tell("1 of 1 paths")
        work.advance()
    progress.note("A notice.")
    printed = capsys.readouterr()
    assert len(printed.err.splitlines()) == n_lines
    assert printed.out == ""


def test_a_log_has_a_line_for_every_step_model_and_part_of_the_paths(
    in_process: Lmc, finished: Location, tmp_path: Path
) -> None:
    home = empty_home(tmp_path / "home")
    shutil.copytree(finished.cache / "base", home.cache / "base")
    file = tmp_path / "study.toml"
    file.write_text(to_toml(tiny_content(finetune={"seeds": "0-1", "max_steps": 2})))
    at = ("--home", str(home.home))
    finetuned = in_process("finetune", str(file), *at)
    assert finetuned.code == 0, finetuned.err
    said = finetuned.err.splitlines()
    assert said[0].startswith("Planning tiny")
    assert said[1] == "Finetuning 2 models: 4 steps"
    for k in range(2):
        assert any(f": seed-{k} is finetuned, " in line for line in said)
    quiet = in_process("--quiet", "interpolate", str(file), *at)
    assert quiet.err.splitlines() == ["1 paths measured."]
    denser = ("--set", "interpolate.points=7", "--verbose")
    said = in_process("interpolate", str(file), *at, *denser).err.splitlines()
    assert "Measuring 1 path: 1 of 1 paths" in said
    assert any(line.startswith("Measuring 1 path: 33 % (1 of 3 points") for line in said)
