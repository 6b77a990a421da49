"""A simulated study one of whose sets is two-way while the models are three-way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl

from lmc_track.tasks.projection import Projection
from lmc_track.warehouse.snapshot import Snapshot
from support.simulated_study import simulated_snapshot

SET = "probe"


def projection(how: Literal["max", "logsumexp"]) -> Projection:
    """The second of the model's labels is the first of the set's; the others are its second."""
    return Projection(how, ("yes", "no"), ((1,), (0, 2)))


def projected_snapshot(folder: Path, how: Literal["max", "logsumexp"]) -> Snapshot:
    """Three-way logits on ``SET``, some tied, with the losses of the projected ones."""
    made = simulated_snapshot(
        folder, n_models=4, n_points=3, n_examples=60, datasets=("validation", SET)
    )
    random = np.random.default_rng(7)
    project = projection(how)
    for file in made.predictions:
        frame = pl.read_parquet(file.path)
        # Few different rows: some examples are tied.
        rows = random.normal(size=(40, 3)).astype(np.float32)
        logits = rows[random.integers(0, len(rows), len(frame))]
        own = project(logits)
        labels = frame["label"].to_numpy()
        losses = np.logaddexp(own[:, 0], own[:, 1]) - own[np.arange(len(own)), labels]
        there = pl.col("dataset") == SET
        frame.with_columns(
            loss=pl.when(there)
            .then(pl.Series(losses.astype(np.float32)))
            .otherwise(pl.col("loss")),
            logits=pl.when(there)
            .then(pl.Series(logits.tolist(), dtype=pl.List(pl.Float32)))
            .otherwise(pl.col("logits")),
        ).write_parquet(file.path)
    there = pl.col("dataset") == SET
    groups = pl.lit(pl.Series([[list(group) for group in project.groups]]))
    names = pl.lit(pl.Series([list(project.label_names)]))
    datasets = made.datasets.with_columns(
        projection=pl.when(there).then(pl.lit(how)),
        projection_groups=pl.when(there).then(groups),
        label_names=pl.when(there).then(names),
    )
    return replace(made, datasets=datasets)
