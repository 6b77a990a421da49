"""The query library: SQL files with a header that says what they answer and what they take.

A header is the comment lines at the top of a file::

    -- name: curves
    -- description: Values along every path.
    -- param study VARCHAR required: name of the study
    -- param half VARCHAR = 'all': all, discovery or held-out

In the meaning of a parameter ``{metrics}`` stands for the names of all metrics, and
``{gap_metrics}`` for those that have gaps. Parameters reach the SQL as DuckDB variables,
``getvariable('half')``, never as spliced text.
A user's own files (``lmc_track.warehouse.own_queries``) have the same header and checks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from lmc_track.errors import InputError
from lmc_track.metrics import GAP_METRICS, METRICS, listed

_LISTS = {"{metrics}": listed(METRICS), "{gap_metrics}": listed(GAP_METRICS)}
TYPES = ("VARCHAR", "DOUBLE", "INTEGER", "BOOLEAN")
_FIELD = re.compile(r"-- (name|description): (.+)")
_PARAMETER = re.compile(
    r"-- param (?P<name>[a-z_]+) (?P<type>[A-Z]+) "
    r"(?:(?P<required>required)|= (?P<default>'(?:[^']|'')*'|[^:']+?)): (?P<meaning>.+)"
)
_NUMBER = r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?"
_LITERALS = {
    "VARCHAR": re.compile(r"NULL|'(?:[^']|'')*'", re.IGNORECASE),
    "DOUBLE": re.compile(rf"NULL|{_NUMBER}", re.IGNORECASE),
    "INTEGER": re.compile(r"NULL|[-+]?\d+", re.IGNORECASE),
    "BOOLEAN": re.compile(r"NULL|true|false", re.IGNORECASE),
}
_USE = re.compile(r"getvariable\(\s*'([^']*)'\s*\)", re.IGNORECASE)


class QueryFileError(InputError):
    """A query file whose header and SQL do not agree; the message starts with file and line."""


@dataclass(frozen=True)
class Parameter:
    """``default`` is an SQL literal, ``None`` where the parameter must be given."""

    name: str
    sql_type: str
    default: str | None
    meaning: str


@dataclass(frozen=True)
class Query:
    """A named query. ``sql`` is the file's text; ``path`` is ``None`` for those of the library."""

    name: str
    description: str
    parameters: tuple[Parameter, ...]
    sql: str
    path: Path | None = None

    def parameter(self, name: str) -> Parameter | None:
        """The parameter ``name``, or ``None``."""
        return next((p for p in self.parameters if p.name == name), None)


def queries() -> dict[str, Query]:
    """All queries of the library by name, in the order of their names.

    ``QueryFileError`` for the first file that is not well formed.
    """
    return dict(_library())


@cache
def _library() -> dict[str, Query]:
    place = files("lmc_track.queries")
    found = sorted((f for f in place.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return {f.name.removesuffix(".sql"): parse_query(f.name, f.read_text("utf-8")) for f in found}


def parse_query(file_name: str, text: str, path: Path | None = None) -> Query:
    """The query in ``text``, checked: every declared parameter is used and the reverse.

    Messages call the file by its ``path`` if one is given, else by its name.
    """
    wanted = file_name.removesuffix(".sql")
    file_name = str(path) if path is not None else file_name
    fields: dict[str, str] = {}
    named_at: dict[str, int] = {}
    parameters: dict[str, Parameter] = {}
    declared_at: dict[str, int] = {}
    lines = text.splitlines()
    body = next((i for i, line in enumerate(lines) if not line.startswith("--")), len(lines))
    for number, line in enumerate(lines[:body], 1):
        if field := _FIELD.fullmatch(line):
            fields[field[1]] = field[2]
            named_at[field[1]] = number
        elif line.startswith("-- param"):
            parameter = _parameter(file_name, number, line)
            if parameter.name in parameters:
                raise problem(file_name, number, f"parameter {parameter.name} is declared twice")
            parameters[parameter.name] = parameter
            declared_at[parameter.name] = number
    for field_name in ("name", "description"):
        if field_name not in fields:
            raise problem(file_name, 1, f"the header has no line `-- {field_name}: …`")
    if fields["name"] != wanted:
        what = f"the header names the query {fields['name']}, the file {wanted}"
        raise problem(file_name, named_at["name"], what)
    used = _uses(lines, body)
    for name, number in used.items():
        if name not in parameters:
            raise problem(file_name, number, f"parameter {name} is used but not declared")
    for name, number in declared_at.items():
        if name not in used:
            raise problem(file_name, number, f"parameter {name} is declared but not used")
    return Query(fields["name"], fields["description"], tuple(parameters.values()), text, path)


def _parameter(file_name: str, number: int, line: str) -> Parameter:
    match = _PARAMETER.fullmatch(line)
    if match is None:
        form = "`-- param NAME TYPE required: meaning` or `-- param NAME TYPE = DEFAULT: meaning`"
        raise problem(file_name, number, f"a parameter is written {form}")
    if match["type"] not in TYPES:
        raise problem(file_name, number, f"type {match['type']} is not one of {', '.join(TYPES)}")
    default = match["default"]
    if default is not None and _LITERALS[match["type"]].fullmatch(default) is None:
        raise problem(file_name, number, f"the default {default} is not a {match['type']} literal")
    meaning = match["meaning"]
    for name, names in _LISTS.items():
        meaning = meaning.replace(name, names)
    return Parameter(match["name"], match["type"], default, meaning)


def _uses(lines: list[str], body: int) -> dict[str, int]:
    """Parameters that the SQL reads, each with the first line that does."""
    used: dict[str, int] = {}
    for number, line in enumerate(lines[body:], body + 1):
        for match in _USE.finditer(line.partition("--")[0]):
            used.setdefault(match[1], number)
    return used


def problem(file_name: str, number: int, what: str) -> QueryFileError:
    """What is wrong with a query file, and on which line."""
    return QueryFileError(f"{file_name}:{number}: {what}", "correct the query file")
