"""Rows of named columns, from a file in one of four formats or from the hub, with their places.

Knows where every row came from, so that what is wrong with it can be told; refuses to know what
the columns mean.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from lmc_track.errors import InputError
from lmc_track.spelling import nearest
from lmc_track.tasks.tsv import lines_of, text_of

Cells = list[str | None]
FORMATS = {
    ".tsv": "tsv", ".txt": "tsv", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl",
    ".json": "jsonl", ".parquet": "parquet",
}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """Rows of text, None where a cell has no value.

    ``numbers`` are the rows' places in ``source``, lines of a text file from 1, else rows from 0.
    ``n_broken`` rows were left out, as they have other columns.
    """

    source: str
    unit: str
    columns: dict[str, Cells]
    numbers: list[int]
    n_broken: int = 0

    def __len__(self) -> int:
        return len(self.numbers)

    def where(self, row: int) -> str:
        """What users are told where row ``row`` is."""
        return f"{self.source}, {self.unit} {self.numbers[row]}"

    def column(self, name: str) -> Cells:
        """Raises InputError where there is no such column."""
        if name not in self.columns:
            raise no_column(self.source, name, self.columns)
        return self.columns[name]

    def filled(self, name: str) -> list[str]:
        """The column ``name``, of which every cell must have a value."""
        found: list[str] = []
        for row, cell in enumerate(self.column(name)):
            if cell is None:
                raise InputError(f"{self.where(row)}: {name} has no value", "Give it one.")
            found.append(cell)
        return found

    def take(self, rows: Sequence[int]) -> Table:
        """These rows, in this order."""
        columns = {name: [cells[k] for k in rows] for name, cells in self.columns.items()}
        return Table(
            self.source, self.unit, columns, [self.numbers[k] for k in rows], self.n_broken
        )


def no_column(source: str, name: str, known: Iterable[str]) -> InputError:
    columns = list(known)
    near = nearest(name, columns)
    meant = "" if near is None else f"Did you mean {near!r}? "
    return InputError(
        f"{source} has no column {name!r}", f"{meant}Its columns are {', '.join(columns)}."
    )


def read_table(
    file: Path,
    wanted: Sequence[str],
    format_name: str | None = None,
    header: Sequence[str] | None = None,
    *,
    most_broken: int = 0,
) -> Table:
    """The columns ``wanted`` of ``file``, whose columns are called ``header`` where it has none.

    A TSV file has no quoting; a CSV file has RFC 4180's; a line of a JSONL file
    is an object, and a JSON file may be an array of them.
    Up to ``most_broken`` rows that have more or fewer columns are left out.

    Raises:
        InputError: with file and line, what is wrong; or which column is missing.
    """
    kind = format_name or FORMATS.get(file.suffix.lower())
    if kind is None:
        raise InputError(
            f"{file}: what format is it?",
            f"Name it: format = 'tsv', 'csv', 'jsonl' or 'parquet' (known by name: "
            f"{', '.join(FORMATS)}).",
        )
    if kind == "parquet":
        return _read_parquet(file, wanted)
    if kind == "jsonl":
        return _read_jsonl(file, wanted)
    rows = _csv_rows(file) if kind == "csv" else _tsv_rows(file)
    if header is None:
        _, header = next(rows, (0, ()))
        if not header:
            raise InputError(f"{file} is empty", "Expected is a header, then rows.")
    if twice := [name for name in wanted if list(header).count(name) > 1]:
        raise InputError(f"{file} has more than one column {twice[0]!r}", "Rename one of them.")
    if missing := [name for name in wanted if name not in header]:
        raise no_column(str(file), missing[0], header)
    places = [header.index(name) for name in wanted]
    columns: dict[str, Cells] = {name: [] for name in wanted}
    numbers: list[int] = []
    broken: list[tuple[int, int]] = []
    for line, cells in rows:
        if len(cells) == len(header):
            numbers.append(line)
            for name, place in zip(wanted, places, strict=True):
                columns[name].append(cells[place])
            continue
        broken.append((line, len(cells)))
        if len(broken) > most_broken:
            first, width = broken[0]
            raise InputError(
                f"{file}, line {first}: {len(header)} columns are expected, not {width}",
                f"The columns are {', '.join(header)}"
                + ("." if kind == "csv" else ", tab-separated; quotes have no meaning."),
            )
    return Table(str(file), "line", columns, numbers, len(broken))


def _tsv_rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    for line, text in enumerate(lines_of(file), 1):
        yield line, text.split("\t")


def _csv_rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text_of(file), newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            if cells:
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"{file}, line {line}: not CSV: {error}",
            "A cell with commas, quotes or line ends is quoted, and a quote in it doubled.",
        ) from None


def _read_jsonl(file: Path, wanted: Sequence[str]) -> Table:
    """Objects, one a line with blank lines between or after them, or all of them in one array."""
    lines = lines_of(file)
    if not any(map(str.strip, lines)):
        raise InputError(f"{file} is empty", "Expected is a JSON object a line.")
    first = next(text for text in lines if text.strip())
    if first.lstrip().startswith("["):
        found = _objects_of_array(file, "\n".join(lines))
        unit, numbers = "row", list(range(len(found)))
    else:
        numbers = [number for number, text in enumerate(lines, 1) if text.strip()]
        unit = "line"
        found = [_object(lines[number - 1], f"{file}, line {number}") for number in numbers]
    columns: dict[str, Cells] = {name: [] for name in wanted}
    for number, row in zip(numbers, found, strict=True):
        where = f"{file}, {unit} {number}"
        if not isinstance(row, dict):
            raise InputError(
                f"{where}: no JSON object", "Expected is a JSON object a line, or an array of them."
            )
        for name in wanted:
            if name not in row:
                raise no_column(where, name, row)
            columns[name].append(_text(row[name], name, where))
    return Table(str(file), unit, columns, numbers)


def _object(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{where}: not JSON: {error}", "Expected is a JSON object a line; is it cut off?"
        ) from None


def _objects_of_array(file: Path, text: str) -> list[Any]:
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{file}, line {error.lineno}: not JSON: {error.msg}",
            "Expected is an array of JSON objects; is it cut off?",
        ) from None
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{file}: not JSON that can be read: {error}", "Expected is an array of JSON objects."
        ) from None
    if not isinstance(content, list) or not content:
        raise InputError(f"{file} holds no rows", "Expected is an array of JSON objects.")
    return content


def _text(value: Any, name: str, where: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)
    raise InputError(f"{where}: {name} is no text or number", "Give it one value.")


def _read_parquet(file: Path, wanted: Sequence[str]) -> Table:
    try:
        known = list(pl.read_parquet_schema(file))
        if missing := [name for name in wanted if name not in known]:
            raise no_column(str(file), missing[0], known)
        frame = pl.read_parquet(file, columns=list(dict.fromkeys(wanted)))
    except (OSError, pl.exceptions.PolarsError) as error:
        why = str(error).partition("\n")[0]
        raise InputError(f"{file} cannot be read as Parquet: {why}") from None
    return table_of_frame(frame, wanted, str(file))


def table_of_frame(frame: pl.DataFrame, wanted: Sequence[str], source: str) -> Table:
    """The columns ``wanted`` of a frame; numbers and truth values as text.

    Raises:
        InputError: a column is missing, or holds lists.
    """
    columns: dict[str, Cells] = {}
    for name in wanted:
        if name not in frame.columns:
            raise no_column(source, name, frame.columns)
        try:
            columns[name] = frame[name].cast(pl.String).to_list()
        except pl.exceptions.PolarsError:
            raise InputError(
                f"{source}: the column {name!r} is neither text nor numbers", "Name another one."
            ) from None
    return Table(source, "row", columns, list(range(len(frame))))
