"""Texts in GitHub-flavoured Markdown that read as they are, whatever is in them.

Knows the syntax; refuses to know what is written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lmc_track.plain_text import printable
from lmc_track.report import wording
from lmc_track.report.tables import Cell, Table

# Within words an underscore means nothing, and names are easier to read without backslashes.
_MARKUP = re.compile(r"[\\`*\[\]|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_OPENS_BLOCK = re.compile(r"^([#+=-]|\d+(?=[.)]))")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def inline(text: str) -> str:
    """``text`` in one line, with nothing in it that Markdown or HTML would act on."""
    line = printable(" ".join(text.split()))
    return _MARKUP.sub(r"\\\g<0>", line.translate(_ENTITIES))


def paragraph(text: str) -> str:
    """``text`` as a paragraph, even where it begins like a heading or a list."""
    line = inline(text)
    opening = _OPENS_BLOCK.match(line)
    if opening is None:
        return line
    # Of a number it is the dot after it that makes a list.
    at = opening.end() if opening[1].isdigit() else 0
    return f"{line[:at]}\\{line[at:]}"


def code(text: str, *, in_table: bool = False) -> str:
    """``text`` in a code span, in a fence longer than any in it."""
    line = printable(" ".join(text.split()))
    fence = "`" * (_longest_run(line) + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    span = f"{fence}{space}{line}{space}{fence}"
    return span.replace("|", "\\|") if in_table else span


def code_block(lines: Sequence[str], language: str = "sh") -> str:
    """Lines of code, in a fence longer than any in them."""
    fence = "`" * max(3, 1 + max((_longest_run(line) for line in lines), default=0))
    return "\n".join([f"{fence}{language}", *lines, fence])


def image(title: str, target: str) -> str:
    """A picture; ``target`` is a URL or a quoted path."""
    return f"![{inline(title)}]({target})"


def table(content: Table) -> str:
    """The caption and the table under it; numbers stand on the right."""
    head = [inline(column.label) for column in content.columns]
    rule = ["---:" if column.numeric else "---" for column in content.columns]
    rows = [[_cell(cell) for cell in row] for row in content.rows]
    lines = [f"| {' | '.join(cells)} |" for cells in (head, rule, *rows)]
    return "\n".join([paragraph(content.caption), "", *lines])


def _cell(cell: Cell) -> str:
    plain = not cell.code or cell.text in ("", wording.MISSING)
    text = inline(cell.text) if plain else code(cell.text, in_table=True)
    return f"{text} ({inline(cell.note)})" if cell.note else text


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
