"""What users type: rows on stdout, everything else on stderr, help with an example."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import click
import polars as pl
import pytest
from click.testing import CliRunner, Result

from lmc_track.cli.main import COMMANDS, cli
from lmc_track.study.task_sections import TASK_NAMES
from lmc_track.tracking.location import Location


def invoke(*arguments: str) -> Result:
    """In this process, errors raised."""
    return CliRunner().invoke(cli, list(arguments), catch_exceptions=False)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    result = invoke(name, "--help")
    assert result.exit_code == 0
    assert "Example" in result.output
    assert f"lmc-track {name}" in result.output


def test_the_list_of_commands_cuts_no_help() -> None:
    assert "..." not in invoke("--help").output.partition("Commands:")[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_help(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


def test_a_study_file_can_be_begun_for_every_task() -> None:
    command = cli.get_command(click.Context(cli), "init")
    assert command is not None
    (option,) = (p for p in command.params if p.name == "task")
    assert isinstance(option.type, click.Choice)
    assert tuple(option.type.choices) == TASK_NAMES


def test_every_command_is_in_the_readme() -> None:
    readme = Path(__file__).parents[2] / "README.md"
    text = readme.read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"lmc-track {name}" not in text] == []


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from lmc_track.cli.main import cli\n"
        "for name in ([], ['run'], ['query'], ['ui']):\n"
        "    try: cli.main([*name, '--help'], standalone_mode=False)\n"
        "    except SystemExit: pass\n"
        "heavy = {'torch', 'mlflow', 'transformers', 'duckdb', 'polars', 'pydantic', 'numpy'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def rows(location: Location, output_format: str) -> Result:
    return invoke(
        "query", "models", "-p", "study=tiny", "--format", output_format,
        "--home", str(location.home),
    )  # fmt: skip


def test_rows_come_in_every_format(finished: Location) -> None:
    names = ["seed-0", "seed-1", "seed-2", "seed-3"]
    assert [row["name"] for row in json.loads(rows(finished, "json").output)] == names
    assert pl.read_csv(io.StringIO(rows(finished, "csv").output))["name"].to_list() == names
    parquet = pl.read_parquet(io.BytesIO(rows(finished, "parquet").stdout_bytes))
    assert parquet["name"].to_list() == names
    markdown = rows(finished, "markdown").output.splitlines()
    assert markdown[2].startswith("| seed-0 |")


def test_tables_align(finished: Location) -> None:
    lines = rows(finished, "table").output.splitlines()
    rule = lines[1]
    starts = [0] + [i + 2 for i in range(len(rule)) if rule[i : i + 2] == "  "]
    for line in lines:
        for start in starts[1:]:
            assert line[start - 2 : start].strip() == "" or len(line) < start


COUNT = "SELECT count(*) AS n -- how many\nFROM models\n"


def test_sql_takes_a_statement_a_file_or_standard_input(finished: Location, tmp_path: Path) -> None:
    home = ("--home", str(finished.home), "--format", "csv")
    file = tmp_path / "count.sql"
    file.write_text(COUNT, encoding="utf-8-sig")
    for given in ((COUNT,), ("--file", str(file)), ("--file", "-"), ("-",)):
        result = CliRunner().invoke(cli, ["sql", *given, *home], COUNT, catch_exceptions=False)
        assert result.output == "n\n4\n", given


def test_the_schema_needs_no_results() -> None:
    rows = json.loads(invoke("schema", "--format", "json").output)
    assert {row["kind"] for row in rows} == {"table", "view", "macro"}
    assert [row for row in rows if not row["meaning"]] == []
    models = json.loads(invoke("schema", "models", "--format", "json").output)
    assert models[0]["column"] is None
    assert "weights_digest" in [row["column"] for row in models]
    macro = json.loads(invoke("schema", "study_models", "--format", "json").output)
    assert "study_models(study_name, clustering_name)" in macro[0]["meaning"]


def test_own_queries_are_listed_with_where_they_are_from(tmp_path: Path) -> None:
    folder = tmp_path / "queries"
    folder.mkdir()
    text = "-- name: mine\n-- description: Mine.\nSELECT 1\n"
    (folder / "mine.sql").write_text(text)
    (folder / "broken.sql").write_text("SELECT 1")
    (folder / "curves.sql").write_text(text)
    home = ("--home", str(tmp_path))
    listed = CliRunner().invoke(cli, ["query", "--list", "--format", "json", *home])
    found = {row["query"]: row["from"] for row in json.loads(listed.stdout)}
    assert found["models"] == found["curves"] == "library"
    assert found["mine"] == str(folder / "mine.sql")
    assert "broken" not in found
    assert f"Not usable: {folder / 'broken.sql'}:1: " in listed.stderr
    assert f"Not usable: {folder / 'curves.sql'}: the library has" in listed.stderr
    assert invoke("query", "mine", "--show", *home).output == text + "\n"
    library = CliRunner().invoke(cli, ["query", "curves", "--show", *home])
    assert "-- name: curves" in library.stdout
    assert "this is the library's" in library.stderr


def test_queries_are_listed_and_shown() -> None:
    assert "barrier_matrix" in invoke("query", "--list").output
    assert "SELECT" in invoke("query", "curves", "--show").output


def test_a_report_is_written_where_asked(finished: Location, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    result = invoke("report", "tiny", "--out", str(out), "--home", str(finished.home))
    assert result.stdout.strip() == str(out)
    assert out.read_text().startswith("<!DOCTYPE html>")


def test_a_study_is_exported(finished: Location, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = CliRunner().invoke(cli, ["export", "tiny", str(out), "--home", str(finished.home)])
    assert result.stdout == ""
    assert result.stderr.splitlines()[-1].startswith(f"{out}: ")
    assert (out / "predictions" / "dataset=validation" / "predictions.parquet").is_file()


def test_a_point_is_materialized(finished: Location, tmp_path: Path) -> None:
    home = ("--home", str(finished.home))
    listed = invoke("sql", "SELECT point_id FROM points LIMIT 1", "--format", "json", *home)
    point = json.loads(listed.output)[0]["point_id"]
    result = invoke("materialize", point, str(tmp_path / "out"), *home)
    assert result.exit_code == 0
    assert (tmp_path / "out" / "model.safetensors").is_file()


def test_status_counts(finished: Location) -> None:
    result = invoke("status", "--format", "json", "--home", str(finished.home))
    found = {row["what"]: row for row in json.loads(result.output)}
    assert found["model"]["done"] == 4


def test_init_writes_a_study_that_runs_as_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    assert invoke("init", str(path), "--task", "agreement").exit_code == 0
    from lmc_track.study import read_study

    assert read_study(path).name == "mine"
