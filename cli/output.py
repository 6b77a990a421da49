"""Rows as users asked for them: aligned tables, JSON, CSV, Markdown, Parquet."""

from __future__ import annotations

import io
import json
import math
import sys
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from lmc_track.plain_text import json_safe, printable

from .terminal import echo

if TYPE_CHECKING:
    import polars as pl

_WIDEST = 60


def show(frame: pl.DataFrame, output_format: str, *, widest: int | None = _WIDEST) -> None:
    """Print ``frame`` on standard output; a table's texts are cut to ``widest`` characters."""
    if output_format == "table":
        echo(as_table(frame, widest))
    elif output_format == "markdown":
        echo(as_markdown(frame))
    elif output_format == "json":
        rows = [{k: _plain(v) for k, v in row.items()} for row in frame.iter_rows(named=True)]
        click.echo(json_safe(json.dumps(rows, ensure_ascii=False, indent=1)))
    elif output_format == "csv":
        text = _flat(frame).write_csv()
        # In a file every text is as it is in the results; a terminal would act on some.
        sys.stdout.write(printable(text) if sys.stdout.isatty() else text)
    else:
        _write_parquet(frame)


def as_table(frame: pl.DataFrame, widest: int | None) -> str:
    """Columns aligned, numbers to the right with four significant digits, long texts cut."""
    header, rows, right = _cells(frame, widest)
    widths = [max(len(cell) for cell in column) for column in zip(header, *rows, strict=True)]
    lines = [header, ["-" * width for width in widths], *rows]
    text = [
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    ]
    return "\n".join(text) if rows else "\n".join([*text, "(no rows)"])


def as_markdown(frame: pl.DataFrame) -> str:
    """A table of GitHub's Markdown; numbers as in ``as_table``, texts whole and escaped."""
    from lmc_track.report.markdown_text import inline

    header, rows, right = _cells(frame, None)

    def line(cells: list[str]) -> str:
        return "| " + " | ".join(map(inline, cells)) + " |"

    rule = "| " + " | ".join("---:" if to_right else "---" for to_right in right) + " |"
    return "\n".join([line(header), rule, *(line(row) for row in rows)])


def _cells(
    frame: pl.DataFrame, widest: int | None
) -> tuple[list[str], list[list[str]], list[bool]]:
    right = [dtype.is_numeric() for dtype in frame.dtypes]
    rows = [[_cell(value, widest) for value in row] for row in frame.iter_rows()]
    return [printable(name) for name in frame.columns], rows, right


def _cell(value: Any, widest: int | None = None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return "nan" if math.isnan(value) else f"{value:.4g}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, list):
        text = ", ".join(_cell(part) for part in value)
    elif isinstance(value, dict):
        text = ", ".join(f"{name} {_cell(part)}" for name, part in value.items())
    else:
        text = str(value)
    text = printable(" ".join(text.split()))
    return text if widest is None or len(text) <= widest else text[: widest - 1] + "…"


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Decimal):  # such as the sum of a BIGINT column
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, time | timedelta):
        return str(value)
    return value


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    """CSV has no lists or structs, which become JSON, and no bytes, which become hexadecimal."""
    import polars as pl

    nested = [name for name, dtype in frame.schema.items() if dtype.is_nested()]
    frame = frame.with_columns(pl.col(pl.Binary).bin.encode("hex"))
    return frame.with_columns(
        pl.Series(
            name,
            [None if v is None else json.dumps(_plain(v)) for v in frame[name].to_list()],
            dtype=pl.String,
        )
        for name in nested
    )


def _write_parquet(frame: pl.DataFrame) -> None:
    if sys.stdout.isatty():
        raise click.UsageError("Parquet is not for a terminal: redirect it, as in > rows.parquet")
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    sys.stdout.buffer.write(buffer.getvalue())
