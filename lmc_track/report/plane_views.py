"""Planes through three models as the report reads them: grids of values, and routes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lmc_track.report.facts import Facts, Row, Source

_MOST = 12
METRICS = ("loss", "accuracy")


@dataclass(frozen=True)
class Plane:
    """``row`` is that of the query ``planes``; ``xs`` and ``ys`` are the grid's columns and rows.

    ``values`` maps (data set, metric) to the values at its points, shape (len(ys), len(xs));
    ``between`` says which points lie between the three models, edges included. ``routes`` maps
    every data set that any plane of the study has, in the study's order, to the rows of
    ``plane_routes``.
    """

    row: Row
    xs: list[float]
    ys: list[float]
    values: Mapping[tuple[str, str], NDArray[np.float64]]
    between: NDArray[np.bool_]
    routes: Mapping[str, list[Row]]

    @property
    def names(self) -> tuple[str, str, str]:
        return self.row["model_a"], self.row["model_b"], self.row["model_c"]


def read_planes(source: Source, facts: Facts, clustering: str | None) -> list[Plane]:
    """The planes of the study at its own precision, the first of them where there are many.

    Of several grids on one plane the finest is shown.
    """
    asked = {
        "study": facts.study,
        "precision": facts.summary["precision"],
        "clustering": clustering,
    }
    finest: dict[tuple[str, ...], Row] = {}
    for row in source.query("planes", **asked).iter_rows(named=True):
        finest[row["model_a"], row["model_b"], row["model_c"]] = row  # ordered by their points
    rows = list(finest.values())[:_MOST]
    sets = [name for name in facts.datasets["dataset"] if any(name in r["datasets"] for r in rows)]
    routes = {name: source.query("plane_routes", **asked, dataset=name) for name in sets}
    return [_plane(source, facts, row, routes) for row in rows]


def _plane(source: Source, facts: Facts, row: Row, routes: Mapping[str, pl.DataFrame]) -> Plane:
    n, plane = row["n_grid"], row["plane_id"]
    values = {}
    for dataset in (name for name in routes if name in row["datasets"]):
        for metric in METRICS:
            grid = source.query(
                "plane", study=facts.study, plane=plane, dataset=dataset, metric=metric
            )
            values[dataset, metric] = grid["value"].to_numpy().reshape(n, n)
    shares = grid.select(pl.min_horizontal("weight_a", "weight_b", "weight_c")).to_series()
    return Plane(
        row,
        grid["x"].to_list()[:n],
        grid["y"].to_list()[::n],
        values,
        (shares.to_numpy() >= -1e-9).reshape(n, n),
        {
            name: list(frame.filter(plane_id=plane).iter_rows(named=True))
            for name, frame in routes.items()
        },
    )
