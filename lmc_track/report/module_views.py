"""Module-wise paths in the report: which part of the network carries the barrier."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

import polars as pl

from lmc_track.report import wording
from lmc_track.report.facts import Facts, Source
from lmc_track.report.palette import plot_text, rounded
from lmc_track.report.tables import Cell, Column, Table, gap_text

_MOST_COLUMNS = 240
_KINDS = {"within": "within clusters", "between": "between clusters", "all": "all pairs"}


@dataclass(frozen=True)
class ModuleViews:
    """``paths`` and ``summary`` are the rows of ``module_paths`` and ``module_summary``."""

    paths: pl.DataFrame
    summary: pl.DataFrame

    @property
    def kinds(self) -> list[str]:
        """Which pairs the summary tells apart: within and between, where there are both."""
        found = self.summary["pairs"].unique().to_list()
        return [k for k in ("within", "between") if k in found] if "between" in found else ["all"]


def module_views(source: Source, facts: Facts, clustering: str | None) -> ModuleViews | None:
    """The module-wise paths of the study; None where it has none that are complete."""
    asked = {"study": facts.study, "half": facts.half, "clustering": clustering}
    paths = source.query("module_paths", **asked)
    if paths["barrier_to_models"].count() == 0:
        return None
    return ModuleViews(paths, source.query("module_summary", **asked))


def modules_lede(views: ModuleViews) -> str:
    """The part that costs most where it matters most, beside the whole network's gap."""
    kind = views.kinds[-1]
    rows = views.summary.filter(pl.col("pairs") == kind).drop_nulls("mean_barrier_to_models")
    if rows.is_empty():
        return "No module-wise path between clusters is complete."
    top = rows.sort("mean_barrier_to_models", descending=True, maintain_order=True).row(
        0, named=True
    )
    where = "" if kind == "all" else f" {_KINDS[kind]}"
    whole = (
        f"; moving the whole network meets a mean gap of {wording.nats(top['mean_whole_gap'])}"
        if top["mean_whole_gap"] is not None
        else ""
    )
    if rows.height == 1:
        return (
            f"Moving {top['modules']} alone from one model to another{where} raises the loss by "
            f"up to {wording.nats(top['mean_barrier_to_models'])} on average above that of the "
            f"two models{whole}."
        )
    barriers = {wording.nats(value) for value in rows["mean_barrier_to_models"]}
    if len(barriers) == 1:
        return (
            f"Each of {wording.count(rows.height, 'part')} of the network moved one at a "
            f"time{where} raises the loss by {barriers.pop()} on average above that of the two "
            f"models{whole}."
        )
    return (
        f"Of {wording.count(rows.height, 'part')} of the network moved one at a time{where}, "
        f"{top['modules']} raises the loss most above that of the two models, by "
        f"{wording.nats(top['mean_barrier_to_models'])} on average{whole}."
    )


def modules_table(views: ModuleViews) -> Table:
    """Mean barriers, rises and distances of every part, within and between clusters."""
    columns = (
        Column("part", numeric=False), Column("pairs", numeric=False), Column("paths"),
        Column("mean barrier, nats"), Column("largest"), Column("mean rise at α = 1"),
        Column("whole network's mean gap"), Column("mean L2 distance"),
    )  # fmt: skip
    rows = tuple(
        (
            Cell(row["modules"], code=True),
            Cell(_KINDS[row["pairs"]]),
            Cell(f"{row['n_paths']:,}"),
            Cell(gap_text(row["mean_barrier_to_models"])),
            Cell(gap_text(row["max_barrier_to_models"])),
            Cell(gap_text(row["mean_rise"])),
            Cell(gap_text(row["mean_whole_gap"])),
            Cell(wording.number(row["mean_l2_distance"])),
        )
        for row in views.summary.iter_rows(named=True)
        if row["pairs"] in views.kinds
    )
    return Table("Parts of the network moved alone", columns, rows)


def modules_figure(views: ModuleViews) -> dict[str, Any]:
    """A heatmap, a row for each part and a column for each ordered pair of models.

    Where there are too many pairs to see, a column is the mean over the pairs of two clusters.
    """
    parts = views.paths["modules"].unique(maintain_order=True).to_list()
    columns = module_columns(views.paths)
    index = {part: i for i, part in enumerate(parts)}
    grid: list[list[float | None]] = [[None] * len(columns) for _ in parts]
    rises: list[list[float | None]] = [[None] * len(columns) for _ in parts]
    for j, (_, _, rows) in enumerate(columns):
        for part, barrier, rise in rows:
            grid[index[part]][j], rises[index[part]][j] = rounded(barrier, 3), rounded(rise, 3)
    names = [plot_text(name) for name, _, _ in columns]
    bounds, start = [], 0
    for kind, group in groupby(kind for _, kind, _ in columns):
        size = len(list(group))
        bounds.append((kind, start, start + size))
        start += size
    return {
        "data": [
            {
                "type": "heatmap",
                "x": list(range(len(names))),
                "y": [plot_text(part) for part in parts],
                "z": grid,
                "text": [names for _ in parts],
                "customdata": rises,
                "colorscale": "Cividis",
                "zmin": 0,
                "hoverongaps": False,
                "ygap": 1,
                "hovertemplate": "%{y}, %{text}<br>barrier to the two models %{z:.3g} nats<br>"
                "rise at α = 1 %{customdata:.3g} nats<extra></extra>",
                "colorbar": {
                    "title": {"text": "barrier, nats", "side": "right"},
                    "thickness": 12,
                    "outlinewidth": 0,
                    "len": 0.9,
                },
            }
        ],
        "layout": {
            "height": max(260, 130 + 32 * len(parts)),
            "xaxis": {
                "showgrid": False,
                "zeroline": False,
                "tickvals": [(low + high - 1) / 2 for _, low, high in bounds],
                "ticktext": [kind for kind, _, _ in bounds],
            },
            "yaxis": {"type": "category", "autorange": "reversed", "showgrid": False},
            "shapes": [
                {
                    "type": "line", "xref": "x", "x0": low - 0.5, "x1": low - 0.5,
                    "yref": "y domain", "y0": 0, "y1": 1, "line": {"color": "--paper", "width": 3},
                }
                for _, low, _ in bounds[1:]
            ],
            "plot_bgcolor": "--hole",
            "margin": {"t": 12, "l": 16, "r": 8, "b": 40},
        },
    }  # fmt: skip


_Rows = list[tuple[str, float | None, float | None]]


def module_columns(paths: pl.DataFrame) -> list[tuple[str, str, _Rows]]:
    """(name, which pairs, (part, barrier, rise) of each part), within clusters first."""
    named = paths.with_columns(
        pl.format("{} to {}", "model_a", "model_b").alias("column"),
        pl.when(pl.col("same_cluster").is_null())
        .then(pl.lit("all pairs"))
        .when("same_cluster")
        .then(pl.lit("within clusters"))
        .otherwise(pl.lit("between clusters"))
        .alias("kind"),
    )
    if named["column"].n_unique() > _MOST_COLUMNS:
        named = named.with_columns(
            pl.format("mean from cluster {} to {}", "cluster_a", "cluster_b")
            .fill_null("mean of all pairs")
            .alias("column")
        )
    means = (
        named.group_by("kind", "column", "modules", maintain_order=True)
        .agg(pl.col("barrier_to_models", "rise").mean())
        .sort(pl.col("kind") == "between clusters", maintain_order=True)
    )
    found: dict[tuple[str, str], _Rows] = {}
    for kind, column, part, barrier, rise in means.iter_rows():
        found.setdefault((column, kind), []).append((part, barrier, rise))
    return [(column, kind, rows) for (column, kind), rows in found.items()]
