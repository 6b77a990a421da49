"""Reading text, tables and JSON that somebody else wrote; every refusal names file and line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lmc_track.errors import InputError


def read_text(file: Path) -> str:
    """The text of a UTF-8 file, without a byte-order mark; line ends as they are.

    Raises:
        InputError: it cannot be read or is no UTF-8 text.
    """
    try:
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{file}, line {line}: not UTF-8 text", "Take the file as it was published."
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{file} cannot be read: {reason}") from None


@dataclass(frozen=True)
class TextTable:
    """A table of texts: its header, and every row that is not blank with its line."""

    file: Path
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]

    def column(self, name: str) -> int:
        """The place of the column ``name``.

        Raises:
            InputError: there is none.
        """
        if name not in self.header:
            raise InputError(
                f"{self.file}, line 1: there is no column {name!r}",
                f"There are: {', '.join(filter(None, self.header))}.",
            )
        return self.header.index(name)


def read_table(file: Path) -> TextTable:
    """A table with a header, separated by commas, tabs or semicolons, whichever the header has.

    Quoting is CSV's; between tabs there is none. Rows without any text are left out.

    Raises:
        InputError: the file cannot be read, is empty or broken, or a row has other columns.
    """
    text = read_text(file)
    first = text.split("\n", 1)[0]
    delimiter = max(",\t;", key=first.count)
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        strict=True,
        # Data sets separated by tabs are published without quoting.
        quoting=csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL,
    )
    header: tuple[str, ...] | None = None
    rows: list[tuple[int, tuple[str, ...]]] = []
    for line, cells in _csv_rows(reader, file):
        if not any(cells):
            continue
        if header is None:
            header = cells
        elif len(cells) != len(header):
            raise InputError(
                f"{file}, line {line}: {len(cells)} columns, where the header has {len(header)}",
                "Give every row as many columns as the header.",
            )
        else:
            rows.append((line, cells))
    if header is None:
        raise InputError(f"{file} is empty", "Expected is a table with a header.")
    return TextTable(file, header, tuple(rows))


def _csv_rows(reader: Any, file: Path) -> Iterator[tuple[int, tuple[str, ...]]]:
    """(line on which it begins, cells without spaces at their ends) of every row."""
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(
                f"{file}, line {line}: {error}", "Quotes must be closed and doubled inside."
            ) from None
        yield line, tuple(cell.strip() for cell in cells)


def read_json(file: Path) -> Any:
    """The content of a JSON file.

    Raises:
        InputError: it breaks off, is no JSON, or an object has a key twice.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(pairs)
        if len(content) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise InputError(f"{file}: the key {twice!r} is given twice", "Keep one of them.")
        return content

    text = read_text(file)
    try:
        return json.loads(text, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        cut = error.pos >= len(text.rstrip())
        what = "the file breaks off here" if cut else f"no JSON: {error.msg}"
        raise InputError(
            f"{file}, line {error.lineno}: {what}", "Take the file as it was published."
        ) from None
    except (RecursionError, ValueError) as error:
        raise InputError(f"{file}: no JSON that can be read: {error}") from None
