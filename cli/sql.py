"""``lmc-track sql``: one's own SQL over the results."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TextIO

import click

from lmc_track.errors import InputError
from lmc_track.names import is_name
from lmc_track.spelling import nearest

from .options import find_location, format_option, location_options
from .output import show


@click.command("sql")
@click.argument("statement", required=False)
@click.option(
    "--file",
    "file",
    type=click.File(encoding="utf-8"),
    help="Read the statement from a file; - is standard input.",
)
@format_option
@location_options
def command(
    statement: str | None,
    file: TextIO | None,
    output_format: str,
    home: str | None,
    tracking_uri: str | None,
) -> None:
    """Run one SQL statement over the results.

    It can read the tables, views and macros that `lmc-track schema` lists, and nothing else: no
    files, no network. It is stopped after 60 seconds, at 2 GB of memory or at 1 GB of rows.

    \b
    Examples:
      lmc-track sql "SELECT name, head_seed FROM models WHERE study = 'demo'"
      lmc-track sql --file mine.sql --format csv
      lmc-track sql - < mine.sql
    """
    from lmc_track.warehouse.results import Results

    if (statement is None) == (file is None):
        raise click.UsageError("give a statement, or - for standard input, or --file")
    location = find_location(home, tracking_uri)
    results = Results(location.results_path, location.tracking_uri)
    text = _text(statement, file)
    _refuse_name(text, location.home)
    show(results.sql(text), output_format)


def _refuse_name(text: str, home: Path) -> None:
    """Raise InputError where ``text`` is the name of a query instead of SQL."""
    word = text.strip().rstrip(";").strip()
    if not is_name(word):
        return
    from lmc_track.warehouse.library import queries
    from lmc_track.warehouse.own_queries import own_queries
    from lmc_track.warehouse.schema import schema

    known = queries() | own_queries(home).queries
    meant = word if word in known else nearest(word, known)
    if meant is None:
        return
    remedy = f"Run it by: lmc-track query {meant}"
    if word in {item.name for item in schema() if item.kind != "macro"}:
        remedy += f'; the table of that name by: lmc-track sql "FROM {word}"'
    what = "a query of that name" if meant == word else f"a query {meant}"
    raise InputError(f"{word!r} is not an SQL statement; there is {what}", remedy)


def _text(statement: str | None, file: TextIO | None) -> str:
    if statement is not None and statement != "-":
        return statement
    try:
        return (file or sys.stdin).read().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise click.UsageError(f"the statement is not UTF-8 text: {error.reason}") from None
