"""The table of where checkpoints are at their step: the published procedure, step by step.

Made of the gaps of the validation loss on all examples, as the published clustering of the models
at the end. A step at which a pair has no gap has no places.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from lmc_track.analysis.clustering import Clustering
from lmc_track.analysis.published import juneja2023, numbered_alike
from lmc_track.warehouse.moment import Moment
from lmc_track.warehouse.tables import STEP_PLACES, frame_schema


def step_place_rows(moment: Moment) -> pl.DataFrame:
    """The rows of ``STEP_PLACES``, of every study in which steps of trainings were tracked."""
    rows: list[dict[str, Any]] = []
    for study in moment.studies():
        rows += _of_study(moment, study)
    return pl.DataFrame(rows, schema=frame_schema(STEP_PLACES), orient="row")


def _of_study(moment: Moment, study: str) -> list[dict[str, Any]]:
    members: pl.DataFrame = moment.connection.sql(
        "SELECT step_number, number, training, model_id FROM step_models($study, NULL) "
        "ORDER BY number",
        params={"study": study},
    ).pl()
    if members["step_number"].n_unique() < 2:
        return []
    pairs: pl.DataFrame = moment.connection.sql(
        "SELECT step_number, number_a, number_b, gap "
        "FROM step_pairs($study, 'validation', 'all', 'all', 'loss', NULL, NULL)",
        params={"study": study},
    ).pl()
    steps: list[tuple[list[str], Clustering]] = []
    ids: list[list[str]] = []
    for (step,), models in members.group_by("step_number", maintain_order=True):
        found = _clustered(models, pairs.filter(pl.col("step_number") == step))
        if found is not None:
            steps.append((models["training"].to_list(), found))
            ids.append(models["model_id"].to_list())
    return [
        {
            "study": study,
            "model_id": model_id,
            "cluster": int(found.labels[i]),
            "embedding": _row(found.embedding, i),
            "centroid_distances": _row(found.centroid_distances, i),
        }
        for members_of, found in zip(ids, numbered_alike(steps), strict=True)
        for i, model_id in enumerate(members_of)
    ]


def _clustered(models: pl.DataFrame, pairs: pl.DataFrame) -> Clustering | None:
    """The published clustering of the models of one step; None where a gap is missing."""
    gaps = pairs["gap"].to_numpy()
    if models.height < 2 or not np.isfinite(gaps.astype(np.float64)).all():
        return None
    place = {number: i for i, number in enumerate(models["number"].to_list())}
    matrix = np.zeros((models.height, models.height))
    for a, b, gap in pairs.select("number_a", "number_b", "gap").iter_rows():
        matrix[place[a], place[b]] = matrix[place[b], place[a]] = gap
    return juneja2023(matrix)


def _row(values: np.ndarray | None, i: int) -> list[float] | None:
    return None if values is None else [float(value) for value in values[i]]
