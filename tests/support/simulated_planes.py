"""Planes of a made study: low along the line from A to C, a hill on the way to B."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from itertools import product

import polars as pl

from lmc_track.geometry.planes import PlaneFrame, plane_grid
from lmc_track.warehouse.tables import PLANE_POINTS, PLANES, frame_schema

SIDE, POINTS, MARGIN = 10.0, 7, 0.2


def simulated_planes(
    study: str,
    models: Sequence[Mapping[str, object]],
    planes: Sequence[tuple[int, int, int]],
    datasets: Sequence[str],
) -> dict[str, pl.DataFrame]:
    """The frames ``planes`` and ``plane_points`` of planes through ``models``, by position."""
    frame = PlaneFrame(SIDE, SIDE / 2, SIDE * math.sqrt(3) / 2)
    grid = plane_grid(frame, POINTS, MARGIN)
    rows, points = [], []
    for through in planes:
        plane_id = sha256(repr((study, "plane", through)).encode()).hexdigest()[:32]
        chosen = [models[position] for position in through]
        rows.append(
            {
                "plane_id": plane_id,
                "study": study,
                "key": f"simulated {study} plane {through}",
                **{f"model_{s}": m["name"] for s, m in zip("abc", chosen, strict=True)},
                **{f"model_{s}_id": m["model_id"] for s, m in zip("abc", chosen, strict=True)},
                "precision": "fp32",
                "n_grid": POINTS,
                "margin": MARGIN,
                "x_b": frame.x_b,
                "x_c": frame.x_c,
                "y_c": frame.y_c,
                "created": datetime(2026, 1, 1, 15),
                "seconds": 4.0,
            }
        )
        for dataset, (j, y), (i, x) in product(datasets, enumerate(grid.ys), enumerate(grid.xs)):
            a, b, c = frame.shares(x, y)
            # High away from the three models, least along the line from A to C.
            loss = 0.1 + 2 * max(b, 0) * (1 - min(max(b, 0), 1)) + 0.05 * (a * a + c * c)
            where = {
                "plane_id": plane_id, "i": i, "j": j, "x": x, "y": y,
                "weight_a": a, "weight_b": b, "weight_c": c, "dataset": dataset,
            }  # fmt: skip
            accuracy = math.exp(-loss)
            for metric, value in (("loss", loss), ("accuracy", accuracy), ("error", 1 - accuracy)):
                points.append({**where, "metric": metric, "value": value})
    return {
        "planes": pl.DataFrame(rows, schema=frame_schema(PLANES)),
        "plane_points": pl.DataFrame(points, schema=frame_schema(PLANE_POINTS)),
    }
