"""Which runs an analysis needs of each path: its two models, or the points that carry its gap."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray


@dataclass(frozen=True)
class PathRuns:
    """Runs of p paths that are evaluated on one data set, in study order.

    ``set_nos``: (p,), numbers of path and data set together, of supporting points only.
    ``weights``: (p,), (α − l)/(r − l) of supporting points, otherwise empty. ``runs``: places in
    ``run_ids``, (p, 3) of l, α and r, or (p, 2) of the models at α = 0 and α = 1.
    """

    study: str
    dataset: str
    precision: str
    path_ids: tuple[str, ...]
    set_nos: NDArray[np.int32]
    weights: NDArray[np.float64]
    run_ids: tuple[str, ...]
    runs: NDArray[np.int64]


def supporting_runs(connection: duckdb.DuckDBPyConnection) -> list[PathRuns]:
    """The runs at the supporting points of the discovery gaps, per study and data set.

    Paths that have no gap, or are incomplete, have none.
    """
    frame = connection.sql("SELECT * FROM storage.supports ORDER BY set_no").pl()
    return _per_data_set(frame, ("run_l", "run_alpha", "run_r"))


def end_runs(connection: duckdb.DuckDBPyConnection) -> list[PathRuns]:
    """The two models of every path on which all modules move, where both are evaluated."""
    frame = connection.sql(
        """
        SELECT p.study, a.dataset, p.precision, p.path_id,
               p.model_a_id AS run_a, p.model_b_id AS run_b
        FROM paths p
        JOIN storage.prediction_sets a ON a.run_id = p.model_a_id AND a.precision = p.precision
        JOIN storage.prediction_sets b
            ON b.run_id = p.model_b_id AND b.precision = p.precision AND b.dataset = a.dataset
        JOIN models ma ON ma.model_id = p.model_a_id
        JOIN models mb ON mb.model_id = p.model_b_id
        WHERE p.modules = 'all'
        ORDER BY p.study, a.dataset, p.precision, ma.position, mb.position, p.path_id
        """
    ).pl()
    return _per_data_set(frame, ("run_a", "run_b"))


def _per_data_set(frame: pl.DataFrame, columns: tuple[str, ...]) -> list[PathRuns]:
    found = []
    keys = ["study", "dataset", "precision"]
    for (study, dataset, precision), part in frame.group_by(keys, maintain_order=True):
        chosen = part.select(columns)
        run_ids = pl.concat([chosen[name] for name in columns]).unique().sort()
        # Search in sorted text is what a join would do.
        runs = np.stack([run_ids.search_sorted(chosen[name]) for name in columns], axis=1)
        found.append(
            PathRuns(
                str(study),
                str(dataset),
                str(precision),
                tuple(part["path_id"]),
                _column(part, "set_no", np.int32),
                _column(part, "weight", np.float64),
                tuple(run_ids),
                runs.astype(np.int64),
            )
        )
    return found


def _column(frame: pl.DataFrame, name: str, dtype: type) -> NDArray[np.generic]:
    values = frame[name].to_numpy() if name in frame.columns else []
    return np.asarray(values, dtype=dtype)
