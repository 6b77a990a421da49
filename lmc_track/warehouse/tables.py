"""The warehouse's tables: columns, types and meanings, the one source for schema and docs."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Column:
    name: str
    sql_type: str
    meaning: str


@dataclass(frozen=True)
class Table:
    name: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]


SCHEMA_VERSION = 11

STUDIES = Table(
    "studies",
    "One base model, one task, one recipe, many seeds.",
    (
        Column("study", "VARCHAR", "name of the study"),
        Column("study_id", "VARCHAR", "MLflow run id of the study's own run"),
        Column("experiment_id", "VARCHAR", "MLflow experiment"),
        Column("description", "VARCHAR", "the study file's description"),
        Column("task", "VARCHAR", "name of the task"),
        Column("metric", "VARCHAR", "the task's own metric"),
        Column("label_names", "VARCHAR[]", "names of the labels, in logit order"),
        Column("base", "VARCHAR", "base model as the study names it"),
        Column("base_digest", "VARCHAR", "SHA-256 over the base model's weights"),
        Column("recipe", "VARCHAR", "training settings that differ from their defaults, as JSON"),
        Column("alphas", "DOUBLE[]", "the common grid, endpoints included"),
        Column("precision", "VARCHAR", "precision of evaluation the study asks for"),
        Column("primary_diagnostic", "VARCHAR", "dataset:subset:metric clusters are compared on"),
        Column("primary_method", "VARCHAR", "clustering method that the report speaks of"),
        Column("study_file", "VARCHAR", "the resolved study file, as JSON"),
        Column("versions", "VARCHAR", "package versions and git commit, as JSON"),
        Column("created", "TIMESTAMP", "when the study was first recorded, UTC"),
    ),
    ("study",),
)
MODELS = Table(
    "models",
    "Finetuned, registered or imported classifiers.",
    (
        Column("model_id", "VARCHAR", "MLflow run id"),
        Column("study", "VARCHAR", "name of the study"),
        Column("name", "VARCHAR", "stable human name, such as seed-7"),
        Column("position", "INTEGER", "study order"),
        Column("key", "VARCHAR", "what the model is: recipe, seeds, base, training data, step"),
        Column("source", "VARCHAR", "finetuned, registered or imported"),
        Column("head_seed", "BIGINT", "seed of the head's initial weights"),
        Column("data_seed", "BIGINT", "seed of data order and dropout"),
        Column("step", "BIGINT", "training step of the checkpoint, the last one where it ended"),
        Column("weights_digest", "VARCHAR", "SHA-256 over the tensors"),
        Column("created", "TIMESTAMP", "when its run started, UTC"),
        Column("seconds", "DOUBLE", "wall time of its run, seconds"),
        Column("checkpoint_of", "VARCHAR", "model its training ended with; NULL of that itself"),
        Column("origin", "VARCHAR", "where a registered model came from; NULL of others"),
        Column("failed", "VARCHAR", "how it failed, such as at chance; NULL where it did not"),
        Column("left_out", "VARCHAR", "why it is in no path, cluster, test; NULL where it counts"),
    ),
    ("model_id",),
)
LEFT_OUT = Table(
    "left_out",
    "Models and evaluation sets that are on record and do not count.",
    (
        Column("study", "VARCHAR", "name of the study"),
        Column("kind", "VARCHAR", "model or dataset"),
        Column("name", "VARCHAR", "name of the model or the set"),
        Column("reason", "VARCHAR", "failed, dropped, or not in the study file"),
        Column("why", "VARCHAR", "how it failed, or what was said when it was dropped"),
        Column("position", "INTEGER", "study order, of models"),
        Column("model_id", "VARCHAR", "MLflow run id of the model; NULL where it has none"),
        Column("checkpoint_of", "VARCHAR", "model its training ended with; NULL of that itself"),
    ),
    ("study", "kind", "name"),
)
PATHS = Table(
    "paths",
    "Pairs of models joined by a straight line, model_a before model_b in study order.",
    (
        Column("path_id", "VARCHAR", "MLflow run id"),
        Column("study", "VARCHAR", "name of the study"),
        Column("key", "VARCHAR", "the two models' keys, precision, modules"),
        Column("model_a", "VARCHAR", "name of the model at alpha 0"),
        Column("model_b", "VARCHAR", "name of the model at alpha 1"),
        Column("model_a_id", "VARCHAR", "MLflow run id of model_a"),
        Column("model_b_id", "VARCHAR", "MLflow run id of model_b"),
        Column("precision", "VARCHAR", "fp32 or bf16"),
        Column("modules", "VARCHAR", "modules that move; all"),
        Column("l2_distance", "DOUBLE", "Euclidean distance of the weights"),
        Column("cosine", "DOUBLE", "cosine of theta_a - theta_0 and theta_b - theta_0, encoder"),
        Column("created", "TIMESTAMP", "when its run started, UTC"),
        Column("seconds", "DOUBLE", "wall time of its run, seconds"),
    ),
    ("path_id",),
)
POINTS = Table(
    "points",
    "Interpolated models strictly between the endpoints of a path.",
    (
        Column("point_id", "VARCHAR", "MLflow run id"),
        Column("path_id", "VARCHAR", "MLflow run id of the path"),
        Column("study", "VARCHAR", "name of the study"),
        Column("alpha", "DOUBLE", "share of model_b, exact"),
        Column("grid", "VARCHAR", "common or refined"),
    ),
    ("point_id",),
)
DATASETS = Table(
    "datasets",
    "Evaluation sets of a study; a name is pinned to one digest.",
    (
        Column("study", "VARCHAR", "name of the study"),
        Column("dataset", "VARCHAR", "name of the set"),
        Column("data_digest", "VARCHAR", "SHA-256 over its examples"),
        Column("role", "VARCHAR", "validation, train_sample or diagnostic"),
        Column("source", "VARCHAR", "where the examples came from"),
        Column("n_examples", "BIGINT", "number of examples; NULL where not told"),
        Column("values_only", "BOOLEAN", "imported values of all of it, without its examples"),
        Column(
            "label_names", "VARCHAR[]", "names of its labels; the study's own, unless projected"
        ),
        Column("projection", "VARCHAR", "what is made of several logits: max, logsumexp or NULL"),
        Column(
            "projection_groups", "BIGINT[][]", "for each of its labels, the logits of it, from 0"
        ),
        Column("drawn", "VARCHAR", "how its examples were drawn from others; all; NULL: not told"),
        Column("n_source", "BIGINT", "number of examples they were drawn from"),
    ),
    ("study", "dataset"),
)
EXAMPLES = Table(
    "examples",
    "The examples themselves.",
    (
        Column("data_digest", "VARCHAR", "digest of the set"),
        Column("example_id", "BIGINT", "number within the joined sources"),
        Column("label", "BIGINT", "index into the data set's label_names"),
        Column("text", "VARCHAR", "the text; several columns joined by a tab"),
        Column("group_id", "VARCHAR", "examples that belong together, or NULL"),
        Column("half", "VARCHAR", "discovery or held-out"),
    ),
    ("data_digest", "example_id"),
)
EXAMPLE_SUBSETS = Table(
    "example_subsets",
    "Named parts of an evaluation set.",
    (
        Column("data_digest", "VARCHAR", "digest of the set"),
        Column("example_id", "BIGINT", "number of the example"),
        Column("subset", "VARCHAR", "name of the part"),
    ),
    ("data_digest", "example_id", "subset"),
)
EVALUATIONS = Table(
    "evaluations",
    "One number per model or point, data set, subset, half and metric.",
    (
        Column("run_id", "VARCHAR", "MLflow run id of the model or point"),
        Column("dataset", "VARCHAR", "name of the set"),
        Column("subset", "VARCHAR", "part of it; all"),
        Column("half", "VARCHAR", "all, discovery or held-out"),
        Column("metric", "VARCHAR", "one of those in metrics"),
        Column("precision", "VARCHAR", "fp32 or bf16"),
        Column("value", "DOUBLE", "loss in nats, otherwise a fraction; NULL where undefined"),
        Column("n_examples", "BIGINT", "number of examples behind it; NULL where not told"),
    ),
    ("run_id", "dataset", "subset", "half", "metric", "precision"),
)
IMPORTED_VALUES = Table(
    "imported_values",
    "Numbers taken over from elsewhere without predictions; evaluations has them with half all.",
    (
        Column("run_id", "VARCHAR", "MLflow run id of the model or point"),
        Column("dataset", "VARCHAR", "name of the set"),
        Column("subset", "VARCHAR", "part of it; all"),
        Column("metric", "VARCHAR", "one of those in metrics"),
        Column("precision", "VARCHAR", "precision they are taken for"),
        Column("value", "DOUBLE", "loss in nats, otherwise a fraction"),
        Column("n_examples", "BIGINT", "number of examples behind it; NULL where not told"),
    ),
    ("run_id", "dataset", "subset", "metric", "precision"),
)
CLUSTERINGS = Table(
    "clusterings",
    "One way of dividing a study's models into clusters.",
    (
        Column("clustering_id", "VARCHAR", "MLflow run id"),
        Column("study", "VARCHAR", "name of the study"),
        Column("method", "VARCHAR", "verdict, juneja2023, threshold; planted, published: known"),
        Column("metric", "VARCHAR", "what the gaps are of: loss, error or calibrated_loss"),
        Column("dataset", "VARCHAR", "evaluation set of the gaps"),
        Column("subset", "VARCHAR", "part of it"),
        Column("half", "VARCHAR", "half whose examples memberships come from"),
        Column("modules", "VARCHAR", "modules that move along the paths"),
        Column("precision", "VARCHAR", "precision of the evaluations"),
        Column("n_models", "INTEGER", "models divided"),
        Column("n_clusters", "INTEGER", "clusters found"),
        Column("settings", "VARCHAR", "settings, as JSON"),
        Column("statistics", "VARCHAR", "silhouette, p, strength, stability, bases; as JSON"),
        Column("created", "TIMESTAMP", "when it was made, UTC"),
    ),
    ("clustering_id",),
)
CLUSTERS = Table(
    "clusters",
    "Membership; clusters are numbered from 0 by falling size, ties by study order. Models that "
    "were set apart are in none.",
    (
        Column("clustering_id", "VARCHAR", "MLflow run id of the clustering"),
        Column("model_id", "VARCHAR", "MLflow run id of the model"),
        Column("cluster", "INTEGER", "number of the cluster"),
        Column("embedding", "DOUBLE[]", "place that the gaps give; NULL of other methods"),
        Column("centroid_distances", "DOUBLE[]", "distance there to cluster 0, 1, …'s centroid"),
    ),
    ("clustering_id", "model_id"),
)
PRECISION_CHECKS = Table(
    "precision_checks",
    "What evaluating in bf16 instead of fp32 changes, on a sample of a study's paths.",
    (
        Column("study", "VARCHAR", "name of the study"),
        Column("dataset", "VARCHAR", "name of the set"),
        Column("n_paths", "INTEGER", "paths that were evaluated in both precisions"),
        Column("n_points", "INTEGER", "points on them, ends included"),
        Column("loss", "DOUBLE", "greatest difference of a point's mean loss, nats"),
        Column("example_loss", "DOUBLE", "greatest difference of a single example's loss, nats"),
        Column("accuracy", "DOUBLE", "greatest difference of a point's accuracy"),
        Column("gap", "DOUBLE", "greatest difference of a path's convexity gap, nats"),
        Column("fp32_gap", "DOUBLE", "greatest convexity gap of these paths in fp32, nats"),
    ),
    ("study", "dataset"),
)
CO_ASSIGNMENTS = Table(
    "co_assignments",
    "How often two models are in one cluster when resampled; of one cluster, in its best division.",
    (
        Column("clustering_id", "VARCHAR", "MLflow run id of the clustering"),
        Column("model_a_id", "VARCHAR", "MLflow run id of the model first in study order"),
        Column("model_b_id", "VARCHAR", "MLflow run id of the other"),
        Column("by_examples", "DOUBLE", "share of the resamples of the examples"),
        Column("by_models", "DOUBLE", "share of the divisions of fewer models that have both"),
    ),
    ("clustering_id", "model_a_id", "model_b_id"),
)
_EVALUATED_ON = (
    Column("dataset", "VARCHAR", "name of the set"),
    Column("subset", "VARCHAR", "part of it; all"),
    Column("half", "VARCHAR", "half of the values: held-out, or all of results without halves"),
    Column("metric", "VARCHAR", "what is compared: accuracy, the task's or the primary metric"),
)
_TESTED = (
    Column("adjusted_p_value", "DOUBLE", "p_value of the partial correlation (Freedman-Lane)"),
    Column("adjusted_p_corrected", "DOUBLE", "the same, corrected over the family"),
    Column("smallest_p", "DOUBLE", "the smallest p that so many models can attain"),
    Column("n_deals", "BIGINT", "permutations behind p_value"),
    Column("is_exact", "BOOLEAN", "whether these are all that there are"),
    Column("is_primary", "BOOLEAN", "whether it is the study's primary diagnostic"),
)
CLUSTER_EFFECTS = Table(
    "cluster_effects",
    "Each cluster against the rest on each evaluation set, with permutation tests over models.",
    (
        Column("clustering_id", "VARCHAR", "MLflow run id of the clustering"),
        Column("cluster", "INTEGER", "number of the cluster"),
        *_EVALUATED_ON,
        Column("n_in", "BIGINT", "models of the cluster that have a value"),
        Column("n_out", "BIGINT", "models of other clusters that have one"),
        Column("mean_in", "DOUBLE", "mean over the cluster"),
        Column("mean_out", "DOUBLE", "mean over the others"),
        Column("difference", "DOUBLE", "mean_in - mean_out"),
        Column("auc", "DOUBLE", "how often a model of the cluster has more; ties half"),
        Column("r", "DOUBLE", "point-biserial correlation; NULL where all values are equal"),
        Column("adjusted_difference", "DOUBLE", "difference of the residuals on validation"),
        Column("adjusted_auc", "DOUBLE", "auc of the residuals on validation"),
        Column("adjusted_r", "DOUBLE", "partial correlation given validation"),
        Column("p_value", "DOUBLE", "two-sided permutation p of r, by itself"),
        Column("p_corrected", "DOUBLE", "p over all rows and clusters: step-down max-T"),
        *_TESTED,
    ),
    ("clustering_id", "cluster", "dataset", "subset", "half", "metric"),
)
AXIS_EFFECTS = Table(
    "axis_effects",
    "Correlation of the spectral embedding with each evaluation set, over models.",
    (
        Column("clustering_id", "VARCHAR", "MLflow run id of the clustering"),
        Column("cluster", "INTEGER", "cluster that the axis leads to; 0 of an axis of one cluster"),
        Column("axis", "VARCHAR", "centroid_distances, or embedding: its second coordinate"),
        *_EVALUATED_ON,
        Column("n_models", "BIGINT", "models that have a place and a value"),
        Column("pearson", "DOUBLE", "Pearson's correlation"),
        Column("spearman", "DOUBLE", "Spearman's correlation"),
        Column("adjusted_pearson", "DOUBLE", "partial correlation given validation"),
        Column("p_value", "DOUBLE", "two-sided permutation p of Pearson's, by itself"),
        Column("p_corrected", "DOUBLE", "p over all rows and axes: step-down max-T"),
        Column("spearman_p_value", "DOUBLE", "p_value of Spearman's"),
        Column("spearman_p_corrected", "DOUBLE", "p_corrected of Spearman's"),
        *_TESTED,
    ),
    ("clustering_id", "cluster", "dataset", "subset", "half", "metric"),
)
DISTANCE_TESTS = Table(
    "distance_tests",
    "Mantel tests of the validation loss's convexity gaps against other distances of models.",
    (
        Column("study", "VARCHAR", "name of the study"),
        Column("distance", "VARCHAR", "diagnostic: |difference of the metric|; or l2_distance"),
        *_EVALUATED_ON,
        Column("n_pairs", "BIGINT", "pairs whose gap and distance are known"),
        Column("r", "DOUBLE", "Pearson's correlation over the pairs"),
        Column("p_value", "DOUBLE", "two-sided p over relabellings of models, by itself"),
        Column("p_corrected", "DOUBLE", "p over all diagnostics: step-down max-T; NULL of others"),
        Column("smallest_p", "DOUBLE", "the smallest p that so many models can attain"),
        Column("is_primary", "BOOLEAN", "whether it is the study's primary diagnostic"),
    ),
    ("study", "distance", "dataset", "subset", "half", "metric"),
)
GAP_BOUNDS = Table(
    "gap_bounds",
    "What the examples allow to say about the gap of every complete path (uncertainty.md).",
    (
        Column("path_id", "VARCHAR", "MLflow run id of the path"),
        Column("dataset", "VARCHAR", "evaluation set, all of it"),
        Column("metric", "VARCHAR", "loss or error"),
        Column("left_alpha", "DOUBLE", "left end of the contrast chosen on discovery examples"),
        Column("alpha", "DOUBLE", "where its height is taken; NULL where the curve is convex"),
        Column("right_alpha", "DOUBLE", "its right end"),
        Column("estimate", "DOUBLE", "the contrast on held-out examples"),
        Column("standard_error", "DOUBLE", "of the estimate, over held-out units"),
        Column("lower", "DOUBLE", "lower bound of the gap, in nats or as a share of examples"),
        Column("upper", "DOUBLE", "upper bound of the gap, in nats or as a share of examples"),
        Column("level", "DOUBLE", "probability with which each of the two bounds holds"),
        Column("unit", "VARCHAR", "what is resampled as a whole: group or text"),
        Column("n_units", "INTEGER", "units of all examples"),
        Column("n_held_out_units", "INTEGER", "units of held-out examples"),
        Column("n_examples", "INTEGER", "examples of the evaluation set"),
        Column("lowers", "DOUBLE[]", "lower bounds; the k-th fails with probability bound_tail(k)"),
        Column("uppers", "DOUBLE[]", "upper bounds; the k-th fails with probability bound_tail(k)"),
        Column("height", "DOUBLE", "the contrast that limits upper, on all examples"),
        Column("variance", "DOUBLE", "of that contrast, for a single example"),
        Column("jump", "DOUBLE", "examples that a unit like none drawn may be wrong about"),
    ),
    ("path_id", "dataset", "metric"),
)
PLANES = Table(
    "planes",
    "Planes through the weights of three models, A, B and C in study order, A at (0, 0).",
    (
        Column("plane_id", "VARCHAR", "MLflow run id"),
        Column("study", "VARCHAR", "name of the study"),
        Column("key", "VARCHAR", "the three models' keys, precision, grid"),
        Column("model_a", "VARCHAR", "name of the model at (0, 0)"),
        Column("model_b", "VARCHAR", "name of the model at (x_b, 0)"),
        Column("model_c", "VARCHAR", "name of the model at (x_c, y_c)"),
        Column("model_a_id", "VARCHAR", "MLflow run id of model_a"),
        Column("model_b_id", "VARCHAR", "MLflow run id of model_b"),
        Column("model_c_id", "VARCHAR", "MLflow run id of model_c"),
        Column("precision", "VARCHAR", "fp32 or bf16"),
        Column("n_grid", "INTEGER", "points along each side of the grid"),
        Column("margin", "DOUBLE", "how far the grid goes on, in longer sides of the models' box"),
        Column("x_b", "DOUBLE", "distance of the weights of A and B"),
        Column("x_c", "DOUBLE", "where C is along the line from A to B"),
        Column("y_c", "DOUBLE", "distance of C from that line"),
        Column("created", "TIMESTAMP", "when its run started, UTC"),
        Column("seconds", "DOUBLE", "wall time of its run, seconds"),
    ),
    ("plane_id",),
)
PLANE_POINTS = Table(
    "plane_points",
    "Values at the points of planes, on whole evaluation sets, both halves together.",
    (
        Column("plane_id", "VARCHAR", "MLflow run id of the plane"),
        Column("i", "INTEGER", "column of the grid, from 0"),
        Column("j", "INTEGER", "row of the grid, from 0"),
        Column("x", "DOUBLE", "distance of weights along the line from A to B"),
        Column("y", "DOUBLE", "distance of weights from that line, on the side of C"),
        Column("weight_a", "DOUBLE", "share of model_a's weights; the three add up to 1"),
        Column("weight_b", "DOUBLE", "share of model_b's weights"),
        Column("weight_c", "DOUBLE", "share of model_c's weights"),
        Column("dataset", "VARCHAR", "name of the set"),
        Column("metric", "VARCHAR", "loss, error, accuracy, or the task's own"),
        Column("value", "DOUBLE", "loss in nats, otherwise a fraction"),
    ),
    ("plane_id", "dataset", "metric", "j", "i"),
)
PLANE_ROUTES = Table(
    "plane_routes",
    "The best route between two models over the points of a plane's grid (planes.md).",
    (
        Column("plane_id", "VARCHAR", "MLflow run id of the plane"),
        Column("dataset", "VARCHAR", "evaluation set, all of it"),
        Column("model_a_id", "VARCHAR", "MLflow run id of the model first in study order"),
        Column("model_b_id", "VARCHAR", "MLflow run id of the other"),
        Column("route_loss", "DOUBLE", "greatest loss on the best route, ends included, nats"),
        Column("route_barrier", "DOUBLE", "how far that is above the higher of its ends, nats"),
        Column("route_length", "DOUBLE", "length of the shortest best route, distance of weights"),
        Column("route_x", "DOUBLE[]", "x of the points of that route"),
        Column("route_y", "DOUBLE[]", "y of the points of that route"),
    ),
    ("plane_id", "dataset", "model_a_id", "model_b_id"),
)
STEP_PLACES = Table(
    "step_places",
    "The published clustering (juneja2023) of each training step, the ends among them.",
    (
        Column("study", "VARCHAR", "name of the study"),
        Column("model_id", "VARCHAR", "MLflow run id of the checkpoint or the model at the end"),
        Column("cluster", "INTEGER", "cluster at its step; numbered as most are a step later"),
        Column("embedding", "DOUBLE[]", "place in the spectral embedding; NULL without any gap"),
        Column("centroid_distances", "DOUBLE[]", "distance there to cluster 0's and 1's centroid"),
    ),
    ("study", "model_id"),
)
RECORDED = (
    STUDIES,
    MODELS,
    PATHS,
    POINTS,
    DATASETS,
    CLUSTERINGS,
    CLUSTERS,
    CO_ASSIGNMENTS,
    PRECISION_CHECKS,
    IMPORTED_VALUES,
    PLANES,
    PLANE_POINTS,
    LEFT_OUT,
)
"""Tables whose rows the record gives as they are."""

COMPUTED = (EXAMPLES, EXAMPLE_SUBSETS, EVALUATIONS)
"""Tables that SQL fills from the record's files."""

DERIVED: tuple[Table, ...] = (
    CLUSTER_EFFECTS,
    AXIS_EFFECTS,
    DISTANCE_TESTS,
    GAP_BOUNDS,
    PLANE_ROUTES,
    STEP_PLACES,
)
"""Tables that analyses fill from the others (``warehouse.derivation``)."""

TABLES = (*RECORDED[:5], *COMPUTED, *RECORDED[5:], *DERIVED)

_POLARS_TYPES: dict[str, pl.DataType] = {
    "VARCHAR": pl.String(),
    "VARCHAR[]": pl.List(pl.String()),
    "BIGINT[][]": pl.List(pl.List(pl.Int64())),
    "BIGINT": pl.Int64(),
    "INTEGER": pl.Int32(),
    "DOUBLE": pl.Float64(),
    "FLOAT": pl.Float32(),
    "BOOLEAN": pl.Boolean(),
    "DOUBLE[]": pl.List(pl.Float64()),
    "FLOAT[]": pl.List(pl.Float32()),
    "TIMESTAMP": pl.Datetime("us"),
}


def frame_schema(table: Table) -> dict[str, pl.DataType]:
    """The Polars schema of a frame that fills ``table``."""
    return {column.name: _POLARS_TYPES[column.sql_type] for column in table.columns}
