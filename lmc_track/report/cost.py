"""What a study cost: the time of its runs, as a sentence and a table."""

from __future__ import annotations

import polars as pl

from lmc_track.report import wording
from lmc_track.report.tables import Cell, Column, Table

_UNITS = ((3600.0, "h"), (60.0, "min"), (1.0, "s"))


def duration(seconds: float | None) -> str:
    """A time in the unit that suits it: ``2.5 h``, ``12 min``, ``0.43 s``."""
    if seconds is None:
        return wording.MISSING
    size, unit = next(((s, u) for s, u in _UNITS if seconds >= s), _UNITS[-1])
    return f"{wording.number(seconds / size, 2)} {unit}"


def cost_lede(costs: pl.DataFrame) -> str:
    """The whole, and how it parts into models and paths."""
    rows = {row["kind"]: row for row in costs.iter_rows(named=True)}
    parts = [
        f"{duration(rows[kind]['total_seconds'])} for "
        f"{wording.count(rows[kind]['n_timed'], kind.removesuffix('s'))}"
        for kind in ("models", "paths")
        if kind in rows and rows[kind]["n_timed"]
    ]
    total = duration(rows["total"]["total_seconds"])
    if len(parts) == 1:
        return f"The runs whose time is on record took {parts[0]}."
    split = f": {wording.listing(parts)}" if parts else ""
    return f"The runs whose time is on record took {total}{split}."


def cost_table(costs: pl.DataFrame) -> Table:
    """By kind of run: how many, and their seconds."""
    columns = (
        Column("runs", numeric=False), Column("number"), Column("timed"), Column("total, s"),
        Column("mean, s"), Column("median, s"), Column("longest, s"),
    )  # fmt: skip
    rows = tuple(
        (
            Cell(row["kind"]),
            Cell(f"{row['n_runs']:,}"),
            Cell(f"{row['n_timed']:,}"),
            *(
                Cell(wording.number(row[f"{name}_seconds"]))
                for name in ("total", "mean", "median", "max")
            ),
        )
        for row in costs.iter_rows(named=True)
    )
    return Table("Wall time by kind of run; a point's is its share of its path's", columns, rows)
