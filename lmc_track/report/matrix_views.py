"""What the barrier matrix can show: measures of all pairs, by data set, half and metric.

Values of a view are those of the pairs (0, 1), (0, 2), …, (1, 2), … of the models in the matrix's
order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lmc_track.report.facts import Facts, Source

_MEASURES = ("convexity_gap", "barrier_height")
_LEAST_OF_THE_WAY = 0.1


@dataclass(frozen=True)
class MatrixView:
    """Measures of all pairs on one data set, half and metric; NaN where a pair is a hole.

    ``values``: by measure, float64 (n pairs,), in the order of the matrix; ``runs`` are the ids of
    the paths, empty where there is none.
    """

    dataset: str
    half: str
    metric: str
    values: dict[str, NDArray[np.float64]]
    runs: tuple[str, ...]


def matrix_views(source: Source, facts: Facts, order: Sequence[str]) -> list[MatrixView]:
    """Every view in which a pair has a gap; the reported half of validation's loss first."""
    frame = source.query("pair_measures", study=facts.study)
    place = {name: k for k, name in enumerate(order)}
    known = frame.filter(pl.col("model_a").is_in(order) & pl.col("model_b").is_in(order))
    views = []
    for (dataset, half, metric), rows in known.group_by(
        "dataset", "half", "metric", maintain_order=True
    ):
        if rows["convexity_gap"].count() == 0:
            continue
        ends = [
            np.array([place[name] for name in rows[column].to_list()])
            for column in ("model_a", "model_b")
        ]
        at = _pair_index(np.minimum(*ends), np.maximum(*ends), len(order))
        values = {}
        for measure in _MEASURES:
            values[measure] = np.full(len(order) * (len(order) - 1) // 2, np.nan)
            values[measure][at] = rows[measure].cast(pl.Float64).fill_null(np.nan).to_numpy()
        runs = [""] * values["convexity_gap"].size
        for k, run in zip(at.tolist(), rows["path_id"].to_list(), strict=True):
            runs[k] = run
        views.append(MatrixView(str(dataset), str(half), str(metric), values, tuple(runs)))
    reported = ("validation", facts.half, "loss")
    return sorted(views, key=lambda view: (view.dataset, view.half, view.metric) != reported)


def _pair_index(i: NDArray[np.int64], j: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """The place of the pair i < j among the pairs of ``n`` models in their order."""
    return i * (2 * n - i - 1) // 2 + (j - i - 1)


def scale_top(facts: Facts) -> float:
    """The gap, in nats, at the top of the colour scale: the largest one, or a tenth of the way
    to chance where all are below it, so that noise does not shine like a barrier."""
    known = facts.measured.select("convexity_gap", "relative_gap").drop_nulls()
    known = known.filter(pl.col("relative_gap") > 0)
    ways = (known["convexity_gap"] / known["relative_gap"]).to_numpy()
    least = _LEAST_OF_THE_WAY * float(np.median(ways)) if ways.size else 0.0
    largest = float(np.max(facts.measured["convexity_gap"].to_numpy(), initial=0.0))
    return max(largest, least) or 1.0
