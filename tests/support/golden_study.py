"""The study whose answers the golden files keep: two clusterings, some holes, fixed for good."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl

from lmc_track.warehouse.snapshot import Snapshot
from support.simulated_study import simulated_snapshot, some_holes


def golden_snapshot(folder: Path) -> Snapshot:
    """Six models in two clusters, five points a path; a path, a point and evaluations missing.

    Two parts of the network have paths of their own, and every path a refined point.
    There is a plane through ``seed-0``, ``seed-1`` and ``seed-2``.

    Beside the spectral clustering there is an older one that puts ``seed-1`` with the even seeds
    and leaves ``seed-5`` out.
    """
    made = simulated_snapshot(
        folder,
        n_points=5,
        n_examples=100,
        holes=some_holes(),
        modules=("encoder.layer.0", "classifier"),
        refined=(0.375,),
        planes=((0, 1, 2),),
    )
    older = made.clusterings.with_columns(
        clustering_id=pl.lit("0" * 32),
        method=pl.lit("threshold"),
        n_models=pl.lit(5, pl.Int32),
        settings=pl.lit('{"tau": 0.1}'),
        statistics=pl.lit("{}"),
        created=pl.col("created") - timedelta(hours=1),
    )
    of_model = dict(zip(made.models["model_id"], [0, 0, 0, 1, 0], strict=False))
    members = made.clusters.filter(pl.col("model_id").is_in(list(of_model))).with_columns(
        clustering_id=pl.lit("0" * 32),
        cluster=pl.col("model_id").replace_strict(of_model, return_dtype=pl.Int32),
        embedding=pl.lit(None, made.clusters.schema["embedding"]),
        centroid_distances=pl.lit(None, made.clusters.schema["centroid_distances"]),
    )
    return replace(
        made,
        clusterings=pl.concat([made.clusterings, older]),
        clusters=pl.concat([made.clusters, members]),
        precision_checks=pl.DataFrame(
            {
                "study": made.studies["study"],
                "dataset": "validation",
                "n_paths": 3,
                "n_points": 15,
                "loss": 0.0021,
                "example_loss": 0.04,
                "accuracy": 0.01,
                "gap": 0.0009,
                "fp32_gap": 0.3,
            },
            schema=made.precision_checks.schema,
        ),
    )
