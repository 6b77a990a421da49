"""The reference in docs/ says what the program says; everything has help and a place in it."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import click
import pytest

from lmc_track.cli.main import COMMANDS, cli
from lmc_track.warehouse.library import queries
from lmc_track.warehouse.schema import schema

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_reference", DOCS / "make_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made(maker: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return maker.reference(maker.example_results(tmp_path_factory.mktemp("docs")))


@pytest.mark.parametrize("name", ["cli.md", "queries.md", "study-file.md", "tables.md"])
def test_the_reference_is_up_to_date(made: dict[str, str], name: str) -> None:
    committed = (DOCS / name).read_text(encoding="utf-8")
    assert committed == made[name], f"docs/{name} is out of date: run `make docs`"


def headings(name: str, level: int) -> list[str]:
    text = (DOCS / name).read_text(encoding="utf-8")
    return re.findall(rf"^{'#' * level} (.+)$", text, re.MULTILINE)


def test_every_key_of_a_study_file_has_a_meaning(made: dict[str, str]) -> None:
    rows = [line for line in made["study-file.md"].splitlines() if line.startswith("| `")]
    assert len(rows) > 80
    assert [row for row in rows if row.endswith("|  |")] == []


def test_every_query_has_a_place() -> None:
    assert headings("queries.md", 2) == list(queries())


def test_every_command_has_a_place() -> None:
    assert headings("cli.md", 2) == list(COMMANDS)


def test_every_table_view_and_macro_has_a_place() -> None:
    assert headings("tables.md", 3) == [item.name for item in schema()]


@pytest.mark.parametrize("item", schema(), ids=lambda item: item.name)
def test_everything_in_the_schema_has_a_meaning(item: object) -> None:
    assert item.meaning  # type: ignore[attr-defined]
    assert [c.name for c in item.columns if not c.meaning] == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("query", queries().values(), ids=lambda query: query.name)
def test_every_query_has_help(query: object) -> None:
    assert query.description.endswith(".")  # type: ignore[attr-defined]
    assert [p.name for p in query.parameters if not p.meaning] == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.help
    for one in (command, *getattr(command, "commands", {}).values()):
        assert one.help
        options = [p for p in one.params if isinstance(p, click.Option)]
        assert [option.name for option in options if not option.help] == []
