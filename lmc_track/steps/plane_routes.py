"""The table of best routes over the planes' grids (``geometry.routes``)."""

from __future__ import annotations

from typing import Any

import polars as pl

from lmc_track.geometry.planes import PlaneFrame
from lmc_track.geometry.routes import Place, best_routes
from lmc_track.warehouse.moment import Moment
from lmc_track.warehouse.tables import PLANE_ROUTES, frame_schema


def plane_route_rows(moment: Moment) -> pl.DataFrame:
    """The rows of ``PLANE_ROUTES``: three for each plane and data set, where there are routes."""
    rows: list[dict[str, Any]] = []
    for study in moment.studies():
        sets: list[str] = moment.query("planes", study=study)["datasets"].explode().to_list()
        for dataset in sorted(set(sets)):
            for plane in moment.query("planes", study=study, dataset=dataset).iter_rows(named=True):
                rows += _routes(moment, study, plane, dataset)
    return pl.DataFrame(rows, schema=frame_schema(PLANE_ROUTES), orient="row")


def _routes(
    moment: Moment, study: str, plane: dict[str, Any], dataset: str
) -> list[dict[str, Any]]:
    losses = [plane[f"loss_{side}"] for side in "abc"]
    if dataset not in plane["datasets"] or None in losses:
        return []
    ids = [plane[f"model_{side}_id"] for side in "abc"]
    frame = PlaneFrame(plane["x_b"], plane["x_c"], plane["y_c"])
    models = [Place(*at, loss) for at, loss in zip(frame.positions, losses, strict=True)]
    asked = {"study": study, "dataset": dataset, "plane": plane["plane_id"]}
    grid, n = moment.query("plane", **asked), plane["n_grid"]
    found = best_routes(
        grid["x"].to_list()[:n],
        grid["y"].to_list()[::n],
        grid["value"].to_numpy().reshape(n, n),
        models,
    )
    return [
        {
            "plane_id": plane["plane_id"],
            "dataset": dataset,
            "model_a_id": ids[a],
            "model_b_id": ids[b],
            "route_loss": route.loss,
            "route_barrier": route.barrier,
            "route_length": route.length,
            "route_x": list(route.xs),
            "route_y": list(route.ys),
        }
        for (a, b), route in found.items()
        if route is not None
    ]
