"""The tables of the schema ``storage``: what views show, and what an ingest remembers."""

from __future__ import annotations

from lmc_track.warehouse.tables import Column, Table

ATTRIBUTION_ROWS = Table(
    "storage.attribution_rows",
    "What the view attributions shows, with numbers for names.",
    (
        Column("set_no", "INTEGER", "path and set, as storage.supports numbers them"),
        Column("example_id", "INTEGER", "number of the example"),
        Column("departure", "FLOAT", "departure from the logit ensemble, nats"),
        Column("averaging", "FLOAT", "what averaging logits gains, nats"),
    ),
    ("set_no", "example_id"),
)
ENSEMBLE_ROWS = Table(
    "storage.ensemble_rows",
    "What the view ensemble_curves shows, a curve a row.",
    (
        Column("path_id", "VARCHAR", "MLflow run id of the path"),
        Column("dataset", "VARCHAR", "name of the set"),
        Column("half", "VARCHAR", "all, discovery or held-out"),
        Column("losses", "DOUBLE[]", "mean loss at every point of the common grid, nats"),
    ),
    ("path_id", "dataset", "half"),
)
PREDICTION_SETS = Table(
    "storage.prediction_sets",
    "Predictions of one run on one data set in one precision.",
    (
        Column("set_no", "INTEGER", "number of the set"),
        Column("run_id", "VARCHAR", "MLflow run id of the model or point"),
        Column("dataset", "VARCHAR", "name of the set"),
        Column("precision", "VARCHAR", "fp32 or bf16"),
        Column("data_digest", "VARCHAR", "digest of the data set"),
        Column("projection", "VARCHAR", "of the data set"),
        Column("projection_groups", "BIGINT[][]", "of the data set"),
    ),
    ("set_no",),
)
PREDICTION_ROWS = Table(
    "storage.prediction_rows",
    "What the view predictions shows, with numbers for names.",
    (
        Column("set_no", "INTEGER", "number of the set"),
        Column("example_id", "BIGINT", "number of the example"),
        Column("label", "INTEGER", "true label"),
        Column("loss", "FLOAT", "cross entropy, nats"),
        Column("logits", "FLOAT[]", "raw logits"),
    ),
    ("set_no", "example_id"),
)
BARRIER_ROWS = Table(
    "storage.barrier_rows",
    "What the view barriers shows.",
    (
        Column("study", "VARCHAR", "name of the study"),
        Column("path_id", "VARCHAR", "MLflow run id of the path"),
        Column("model_a", "VARCHAR", "name of the model at alpha 0"),
        Column("model_b", "VARCHAR", "name of the model at alpha 1"),
        Column("dataset", "VARCHAR", "name of the set"),
        Column("subset", "VARCHAR", "part of it; all"),
        Column("half", "VARCHAR", "all, discovery or held-out"),
        Column("metric", "VARCHAR", "a metric that has gaps"),
        Column("precision", "VARCHAR", "precision of the evaluations"),
        Column("modules", "VARCHAR", "modules that move; all"),
        Column("n_points", "INTEGER", "points of the common grid that were measured"),
        Column("alphas", "DOUBLE[]", "the common grid, endpoints included"),
        Column("barrier_height", "DOUBLE", "greatest height above the chord of the endpoints"),
        Column("interpolation_instability", "DOUBLE", "the same above the endpoints' mean"),
        Column("convexity_gap", "DOUBLE", "greatest height above the lower convex hull"),
        Column("curve_area", "DOUBLE", "trapezoid area above the curve's minimum"),
        Column("relative_gap", "DOUBLE", "gap / (label entropy - mean endpoint loss); nats only"),
        Column("support", "STRUCT(l DOUBLE, alpha DOUBLE, r DOUBLE)", "of the convexity gap"),
        Column("valley", "DOUBLE", "least value along the path, ends included"),
    ),
    ("path_id", "dataset", "subset", "half", "metric"),
)
REFINED_ROWS = Table(
    "storage.refined_rows",
    "What the view refined_gaps shows.",
    (
        Column("study", "VARCHAR", "name of the study"),
        Column("path_id", "VARCHAR", "MLflow run id of the path"),
        Column("dataset", "VARCHAR", "name of the set"),
        Column("subset", "VARCHAR", "part of it; all"),
        Column("half", "VARCHAR", "all, discovery or held-out"),
        Column("metric", "VARCHAR", "a metric that has gaps"),
        Column("n_refined", "INTEGER", "points that the common grid does not have"),
        Column("convexity_gap", "DOUBLE", "greatest height above the lower convex hull"),
        Column("barrier_height", "DOUBLE", "greatest height above the chord of the endpoints"),
        Column("support", "STRUCT(l DOUBLE, alpha DOUBLE, r DOUBLE)", "of the convexity gap"),
    ),
    ("path_id", "dataset", "subset", "half", "metric"),
)
SUPPORTS = Table(
    "storage.supports",
    "The supporting points of every path's gap, per data set, and the runs evaluated there.",
    (
        Column("set_no", "INTEGER", "number of path and set"),
        Column("study", "VARCHAR", "name of the study"),
        Column("dataset", "VARCHAR", "name of the set"),
        Column("precision", "VARCHAR", "fp32 or bf16"),
        Column("path_id", "VARCHAR", "MLflow run id of the path"),
        Column("weight", "DOUBLE", "(alpha - l) / (r - l)"),
        Column("run_l", "VARCHAR", "model or point at l"),
        Column("run_alpha", "VARCHAR", "point at alpha"),
        Column("run_r", "VARCHAR", "model or point at r"),
    ),
    ("set_no",),
)
RECORDED_RUNS = Table(
    "storage.recorded_runs",
    "The finished runs that the file was made from, as they were then.",
    (
        Column("run_id", "VARCHAR", "MLflow run id"),
        Column("study", "VARCHAR", "name of the study"),
        Column("kind", "VARCHAR", "what the run is of"),
        Column("end_time", "BIGINT", "when it ended, milliseconds since 1970"),
        Column("revision", "BIGINT", "how often it has gained something since"),
        Column("built", "BOOLEAN", "whether the file was built with it, rather than updated"),
    ),
    ("run_id",),
)
STORED = (
    PREDICTION_SETS,
    PREDICTION_ROWS,
    BARRIER_ROWS,
    REFINED_ROWS,
    SUPPORTS,
    ATTRIBUTION_ROWS,
    ENSEMBLE_ROWS,
    RECORDED_RUNS,
)
"""Tables in the schema ``storage``: users read them through views.

They are unique by making; an index on the key would be larger than they are.
"""
