"""Tab-separated files in the form data sets are published in: no quoting, one row a line.

Columns are counted from 1 in what users are told, as lines are.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lmc_track.errors import InputError


def text_of(file: Path) -> str:
    """The text of ``file``, without a byte-order mark.

    Raises:
        InputError: the file is missing or not UTF-8; with file and line.
    """
    try:
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{file}, line {line}: not UTF-8 text", "Take the file as it was published."
        ) from None
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}") from None


def lines_of(file: Path) -> list[str]:
    """The lines of ``file``; CRLF ends and a last line without an end are tolerated."""
    text = text_of(file)
    # Not splitlines(): it would also split at characters that occur inside sentences.
    lines = text.removesuffix("\n").split("\n") if text else []
    return [line.removesuffix("\r") for line in lines]


def read_rows(file: Path, columns: Sequence[str]) -> list[list[str]]:
    """The rows of a file without a header, each with a text per name in ``columns``.

    A byte-order mark, CRLF line ends and a last line without an end are tolerated.

    Raises:
        InputError: the file is missing, not UTF-8 or empty, or a row has other columns; with
            file and line.
    """
    rows = [line.split("\t") for line in lines_of(file)]
    if not rows:
        raise InputError(f"{file} is empty", f"Expected are rows of {', '.join(columns)}.")
    for number, row in enumerate(rows, 1):
        if len(row) != len(columns):
            raise InputError(
                f"{file}, line {number}: {len(columns)} tab-separated columns are expected, "
                f"not {len(row)}",
                f"The columns are {', '.join(columns)}; quotes have no meaning.",
            )
    return rows
