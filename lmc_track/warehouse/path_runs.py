"""Which runs an analysis needs of each path: its two models, or the points that carry its gap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray


@dataclass(frozen=True)
class SupportingRuns:
    """The runs at the supporting points l < α < r of the gaps on one data set.

    ``set_nos``: (p,), number of path and data set together. ``weights``: (p,), (α − l)/(r − l).
    ``runs``: (p, 3), places in ``run_ids`` of the models and points at l, α and r.
    """

    study: str
    dataset: str
    precision: str
    set_nos: NDArray[np.int32]
    weights: NDArray[np.float64]
    run_ids: tuple[str, ...]
    runs: NDArray[np.int64]


@dataclass(frozen=True)
class EndRuns:
    """The two models of every path that are both evaluated on one data set.

    ``runs``: (p, 2), places in ``run_ids`` of the models at α = 0 and at α = 1. ``alphas``: the
    study's common grid.
    """

    study: str
    dataset: str
    precision: str
    alphas: NDArray[np.float64]
    path_ids: tuple[str, ...]
    run_ids: tuple[str, ...]
    runs: NDArray[np.int64]


def supporting_runs(
    connection: duckdb.DuckDBPyConnection, *, touched: bool = False
) -> Iterator[SupportingRuns]:
    """Per study and data set, of the discovery gaps; paths without a gap have none."""
    frame = connection.sql(f"FROM storage.supports {_touched(touched)} ORDER BY set_no").pl()
    for key, part in _parts(frame):
        yield SupportingRuns(
            *key,
            part["set_no"].to_numpy(),
            part["weight"].to_numpy(),
            *_places(part.select("run_l", "run_alpha", "run_r")),
        )


def end_runs(connection: duckdb.DuckDBPyConnection, *, touched: bool = False) -> Iterator[EndRuns]:
    """Per study and data set, of the paths on which all modules move, complete or not."""
    frame = connection.sql(
        f"""
        SELECT p.study, a.dataset, p.precision, s.alphas, p.path_id, p.model_a_id, p.model_b_id
        FROM (FROM paths {_touched(touched)}) p
        JOIN studies s ON s.study = p.study
        JOIN storage.prediction_sets a ON a.run_id = p.model_a_id AND a.precision = p.precision
        JOIN storage.prediction_sets b
            ON b.run_id = p.model_b_id AND b.precision = p.precision AND b.dataset = a.dataset
        JOIN models ma ON ma.model_id = p.model_a_id AND ma.checkpoint_of IS NULL
        JOIN models mb ON mb.model_id = p.model_b_id AND mb.checkpoint_of IS NULL
        WHERE p.modules = 'all'
        ORDER BY p.study, a.dataset, p.precision, ma.position, mb.position, p.path_id
        """
    ).pl()
    for key, part in _parts(frame):
        yield EndRuns(
            *key,
            np.array(part["alphas"][0], dtype=np.float64),
            tuple(part["path_id"]),
            *_places(part.select("model_a_id", "model_b_id")),
        )


def _touched(only: bool) -> str:
    return "SEMI JOIN touched_paths USING (path_id)" if only else ""


def _parts(frame: pl.DataFrame) -> Iterator[tuple[tuple[str, str, str], pl.DataFrame]]:
    keys = ["study", "dataset", "precision"]
    for (study, dataset, precision), part in frame.group_by(keys, maintain_order=True):
        yield (str(study), str(dataset), str(precision)), part


def _places(columns: pl.DataFrame) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The different runs in ``columns``, and where in them each row's are."""
    rows = columns.rows()
    run_ids = sorted({run_id for row in rows for run_id in row})
    place = {run_id: k for k, run_id in enumerate(run_ids)}
    return tuple(run_ids), np.array([[place[run_id] for run_id in row] for row in rows])
