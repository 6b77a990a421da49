"""Bytes as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def readable(size: int | None) -> str | None:
    """``size`` in bytes with a decimal unit: 1,234,567 is ``1.23 MB``; None stays None."""
    if size is None:
        return None
    value, unit = float(size), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.0f} B" if unit == 0 else f"{value:.3g} {_UNITS[unit]}"


def with_readable_sizes(frame: pl.DataFrame, output_format: str) -> pl.DataFrame:
    """``frame`` with its column ``bytes`` as ``size``, where it is for people to read."""
    import polars as pl

    if output_format not in ("table", "markdown"):
        return frame
    sizes = pl.Series("size", [readable(size) for size in frame["bytes"]], dtype=pl.String)
    return frame.drop("bytes").with_columns(sizes)
