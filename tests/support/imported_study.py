"""A study of which only values are known, as imports leave it: no examples, no predictions."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import polars as pl

from lmc_track.warehouse.snapshot import Snapshot
from lmc_track.warehouse.tables import (
    CLUSTERINGS,
    CLUSTERS,
    DATASETS,
    IMPORTED_VALUES,
    MODELS,
    PATHS,
    POINTS,
    frame_schema,
)
from support.handmade_study import handmade_snapshot

_N = 5


def imported_snapshot(folder: Path, *, paths: bool) -> Snapshot:
    """Five models in two published clusters, with accuracies on validation, probe and probe's odd.

    With ``paths`` all pairs but the last have points, and models and points have losses too.
    """
    # Of a study that is only planned, what is said of the study itself.
    planned = handmade_snapshot(folder, [], {})
    values = [
        {"run_id": f"m{k}", "dataset": dataset, "subset": subset, "metric": "accuracy",
         "precision": "fp32", "value": 0.5 + k / 20}
        for k in range(_N)
        for dataset, subset in (("validation", "all"), ("probe", "all"), ("probe", "odd"))
    ]  # fmt: skip
    path_rows, points = [], []
    if paths:
        values += [_loss(f"m{k}", 0.5) for k in range(_N)]
        for a, b in list(combinations(range(_N), 2))[:-1]:
            path_rows.append(
                {"path_id": f"{a}-{b}", "study": "handmade", "key": f"{a}-{b}", "model_a": f"m{a}",
                 "model_b": f"m{b}", "model_a_id": f"m{a}", "model_b_id": f"m{b}",
                 "precision": "fp32", "modules": "all", "l2_distance": 1.0 + a + b}
            )  # fmt: skip
            points.append(
                {"point_id": f"{a}-{b}-half", "path_id": f"{a}-{b}", "study": "handmade",
                 "alpha": 0.5, "grid": "common"}
            )  # fmt: skip
            values.append(_loss(f"{a}-{b}-half", 1.0 if (a < 2) != (b < 2) else 0.625))
    alphas = [0.0, 0.5, 1.0] if paths else [0.0, 1.0]
    studies = planned.studies.with_columns(
        alphas=pl.lit(pl.Series([alphas])),
        primary_method=pl.lit("published"),
        primary_diagnostic=pl.lit("probe:odd:accuracy"),
    )
    models = [
        {"model_id": f"m{k}", "study": "handmade", "name": f"m{k}", "position": k, "key": f"m{k}",
         "source": "imported"}
        for k in range(_N)
    ]  # fmt: skip
    datasets = [
        {"study": "handmade", "dataset": name, "data_digest": name, "role": role,
         "source": "scores", "values_only": True}
        for name, role in (("validation", "validation"), ("probe", "diagnostic"))
    ]  # fmt: skip
    clustering = {
        "clustering_id": "known", "study": "handmade", "method": "published", "n_models": _N,
        "n_clusters": 2, "settings": "{}", "statistics": "{}",
    }  # fmt: skip
    members = [
        {"clustering_id": "known", "model_id": f"m{k}", "cluster": int(k < 2)} for k in range(_N)
    ]
    return replace(
        planned,
        studies=studies,
        models=pl.DataFrame(models, schema=frame_schema(MODELS)),
        paths=pl.DataFrame(path_rows, schema=frame_schema(PATHS)),
        points=pl.DataFrame(points, schema=frame_schema(POINTS)),
        datasets=pl.DataFrame(datasets, schema=frame_schema(DATASETS)),
        clusterings=pl.DataFrame([clustering], schema=frame_schema(CLUSTERINGS)),
        clusters=pl.DataFrame(members, schema=frame_schema(CLUSTERS)),
        examples={},
        text_columns={},
        imported_values=pl.DataFrame(values, schema=frame_schema(IMPORTED_VALUES)),
    )


def _loss(run_id: str, value: float) -> dict[str, object]:
    return {
        "run_id": run_id, "dataset": "validation", "subset": "all", "metric": "loss",
        "precision": "fp32", "value": value,
    }  # fmt: skip
