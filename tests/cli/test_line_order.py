"""Options and parameters stand where users put them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lmc_track.cli.main import COMMANDS
from lmc_track.tracking.location import Location
from support.programs import Lmc

GROUPS = ("import",)


def rows_of(lmc: Lmc, *arguments: str) -> list[dict[str, object]]:
    done = lmc(*arguments)
    assert done.code == 0, done.err
    rows: list[dict[str, object]] = json.loads(done.out)
    return rows


@pytest.mark.parametrize("place", ["before", "after", "both"])
def test_home_and_format_stand_anywhere(in_process: Lmc, finished: Location, place: str) -> None:
    options = ("--home", str(finished.home), "--format", "json")
    before = {"before": options, "after": (), "both": ("--home", "/nowhere", "--format", "csv")}
    after = () if place == "before" else options
    rows = rows_of(in_process, *before[place], "query", "models", *after)
    assert [row["name"] for row in rows] == ["seed-0", "seed-1", "seed-2", "seed-3"]


@pytest.mark.parametrize("command", ["models", "query models", "models --study tiny"])
def test_an_option_before_a_command_that_does_not_take_it_is_refused(
    in_process: Lmc, command: str
) -> None:
    done = in_process("--format", "json", "init", "study.toml")
    assert done.code == 2
    assert "init takes no --format" in done.err


def test_options_stand_within_a_group_too(in_process: Lmc, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    (tmp_path / "scores.csv").write_text("model,validation\na,.5\n")
    import_scores = ("scores", str(tmp_path / "scores.csv"), "--study", "s")
    home = ("--home", str(tmp_path))
    for line in (
        (*home, "import", *import_scores),
        ("import", *home, *import_scores),
        ("import", *import_scores, *home),
    ):
        assert "it holds scores.csv, thesis.tex" in in_process(*line).err


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in GROUPS])
def test_every_command_takes_how_much_is_said(in_process: Lmc, name: str) -> None:
    done = in_process(name, "--help")
    for option in ("--quiet", "--verbose", "--debug"):
        assert option in done.out


@pytest.mark.parametrize(
    "line",
    ["--debug run absent.toml", "run --debug absent.toml", "run absent.toml --debug"],
)
def test_debug_stands_anywhere(in_process: Lmc, line: str) -> None:
    assert "Traceback" in in_process(*line.split()).err


@pytest.mark.parametrize("line", ["--quiet schema --verbose", "schema --quiet --verbose"])
def test_quiet_and_verbose_exclude_each_other(in_process: Lmc, line: str) -> None:
    done = in_process(*line.split())
    assert done.code == 2
    assert "either --quiet or --verbose" in done.err


@pytest.mark.parametrize(
    "words",
    [
        "models -p study=tiny",
        "models -pstudy=tiny",
        "models study=tiny",
        "models --study tiny",
        "models --study=tiny",
        "--study tiny models",
        "study=tiny models",
    ],
)
def test_parameters_of_a_query_may_be_written_in_every_way(
    in_process: Lmc, finished: Location, words: str
) -> None:
    at = ("--home", str(finished.home), "--format", "json")
    assert len(rows_of(in_process, "query", *words.split(), *at)) == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("models --stduy tiny", "did you mean study?"),
        ("models --lits", "--list"),
        ("models other", "'other' is not KEY=VALUE"),
        ("--study tiny", "name a query"),
        ("models -p study", "'study' is not KEY=VALUE"),
    ],
)
def test_a_wrong_parameter_of_a_query_is_told(
    in_process: Lmc, finished: Location, words: str, said: str
) -> None:
    done = in_process("query", *words.split(), "--home", str(finished.home))
    assert done.code == 2
    assert said in done.err


def test_sql_given_to_query_is_told_where_it_belongs(in_process: Lmc, finished: Location) -> None:
    done = in_process("query", "SELECT 1", "--home", str(finished.home))
    assert done.code == 2
    assert "lmc-track sql 'SELECT 1'" in done.err


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("barrier_matrix", "Run it by: lmc-track query barrier_matrix"),
        (" barrier_matrix; ", "Run it by: lmc-track query barrier_matrix"),
        ("barrier_matrx", "there is a query barrier_matrix"),
        ("models", 'the table of that name by: lmc-track sql "FROM models"'),
    ],
)
def test_the_name_of_a_query_given_to_sql_is_told_where_it_belongs(
    in_process: Lmc, finished: Location, statement: str, said: str
) -> None:
    done = in_process("sql", statement, "--home", str(finished.home))
    assert done.code == 2
    assert said in done.err


def test_an_own_query_given_to_sql_is_told_where_it_belongs(
    in_process: Lmc, finished: Location, tmp_path: Path
) -> None:
    (tmp_path / "queries").mkdir()
    (tmp_path / "queries" / "mine.sql").write_text("-- name: mine\n-- description: M.\nSELECT 1\n")
    at = ("--home", str(tmp_path), "--tracking-uri", finished.tracking_uri)
    assert "lmc-track query mine" in in_process("sql", "mine", *at).err
