"""README and docs agree with the program: their commands exist, their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from lmc_track.cli.main import COMMANDS, cli
from lmc_track.cli.query import read_words
from lmc_track.warehouse.library import queries
from support.documents import Reader, blocks, commands, own_commands
from support.stores import empty_home
from support.studies import run_tiny

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def shown_commands(document: str) -> list[str]:
    """Commands in fenced blocks, and those in the running text."""
    found = [
        command
        for block in blocks(document)
        if block.language in ("sh", "console")
        for command, _ in commands(block)
    ]
    text = re.sub(r"^```.*?^```$", "", document, flags=re.MULTILINE | re.DOTALL)
    return found + [" ".join(code.split()) for code in re.findall(r"`(lmc-track [^`]+)`", text)]


def check(arguments: list[str]) -> None:
    """Raise click.UsageError where the program knows no such command or option."""
    # A command keeps the help option of the first context that asks for it.
    context = click.Context(cli, info_name="lmc-track", **cli.context_settings)
    while arguments and arguments[0] == "--debug":
        arguments = arguments[1:]
    if not arguments or arguments[0] in ("--help", "--version", "COMMAND") or "…" in arguments[0]:
        return
    group: click.Command = cli
    while isinstance(group, click.Group) and arguments:
        command = group.get_command(context, arguments[0])
        if command is None:
            if arguments[0].startswith("-") or arguments[0].isupper():
                return
            raise click.UsageError(f"no such command: {arguments[0]}")
        group, arguments = command, arguments[1:]
        context = click.Context(
            group, info_name=group.name, parent=context, **group.context_settings
        )
    # Whatever stands for something else, as in `-p KEY=VALUE` or `…`, is an argument.
    parser = group.make_parser(context)
    values, _, _ = parser.parse_args([one for one in arguments if one != "…"])
    if group.name == "query":
        words = values.get("words")  # click's own mark where there are none
        check_parameters(*read_words(tuple(words) if isinstance(words, list | tuple) else ()))


def check_parameters(name: str | None, given: dict[str, str]) -> None:
    """The parameters of a query are options too; click knows none of them."""
    query = queries().get(name or "")
    for key in given:
        if query is not None and key != "KEY" and query.parameter(key) is None:
            raise click.UsageError(f"the query {name} takes no {key}")


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_command_shown_is_one_of_the_programs(path: Path) -> None:
    wrong = []
    for line in shown_commands(path.read_text(encoding="utf-8")):
        for arguments in own_commands(line):
            try:
                check(arguments)
            except click.UsageError as error:
                wrong.append(f"{line}: {error.format_message()}")
    assert wrong == []


def test_a_command_that_is_not_the_programs_is_noticed() -> None:
    with pytest.raises(click.UsageError):
        check(["query", "curves", "--shwo"])
    with pytest.raises(click.UsageError):
        check(["query", "curves", "--stduy", "demo"])
    with pytest.raises(click.UsageError):
        check(["quary", "curves"])


def test_the_readme_lists_every_command() -> None:
    listed = re.findall(r"^\| `lmc-track (\S+)` \|", DOCUMENTS[0].read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(COMMANDS)


def test_every_target_of_make_shown_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    there = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    shown = {
        target
        for path in DOCUMENTS
        for block in blocks(path.read_text(encoding="utf-8"))
        if block.language in ("sh", "console")
        for target in re.findall(r"^(?:\$ )?make ([a-z-]+)", block.text, re.MULTILINE)
    }
    assert {"demo", "test"} <= shown
    assert shown <= there


def anchors(path: Path) -> set[str]:
    """What a heading of the file can be reached by, as GitHub makes it."""
    text = re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    found: set[str] = set()
    for title in re.findall(r"^#+ +(.+)$", text, re.MULTILINE):
        plain = re.sub(r"[`*]|\[|\]\([^)]*\)", "", title).strip().lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        number = sum(1 for one in found if one == slug or re.fullmatch(rf"{slug}-\d+", one))
        found.add(f"{slug}-{number}" if number else slug)
    return found


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"`[^`\n]*`", "", text)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


def test_every_document_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    missing = [
        path.name
        for path in DOCUMENTS[1:]
        if path.parent == ROOT / "docs" and path.name != "README.md"
        if f"({path.name})" not in index
    ]
    assert missing == []


@pytest.mark.full
@pytest.mark.parametrize("name", ["docs/tutorial.md", "README.md"])
def test_what_a_document_says_can_be_done(name: str, tmp_path: Path) -> None:
    """Every block of it, in order, in an empty folder; see ``support.documents``."""
    reader = Reader(tmp_path)
    reader.follow((ROOT / name).read_text(encoding="utf-8"), name)
    assert len(reader.done) >= 5


@pytest.mark.parametrize("name", ["docs/concepts.md", "docs/completion.md"])
def test_what_needs_no_study_can_be_done(name: str, tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    reader.follow((ROOT / name).read_text(encoding="utf-8"), name)
    assert reader.done


@pytest.mark.full
def test_what_the_page_on_mlflow_says_is_so(tmp_path: Path) -> None:
    run_tiny(empty_home(tmp_path / "mlruns"), study={"name": "demo"})
    reader = Reader(tmp_path)
    reader.follow((ROOT / "docs" / "mlflow.md").read_text(encoding="utf-8"), "docs/mlflow.md")
    assert "seed-" in reader.said
