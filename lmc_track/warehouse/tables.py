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


SCHEMA_VERSION = 3

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
        Column("step", "BIGINT", "training step of the checkpoint"),
        Column("weights_digest", "VARCHAR", "SHA-256 over the tensors"),
        Column("created", "TIMESTAMP", "when its run started, UTC"),
        Column("seconds", "DOUBLE", "wall time of its run, seconds"),
    ),
    ("model_id",),
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
        Column("n_examples", "BIGINT", "number of examples"),
    ),
    ("study", "dataset"),
)
EXAMPLES = Table(
    "examples",
    "The examples themselves.",
    (
        Column("data_digest", "VARCHAR", "digest of the set"),
        Column("example_id", "BIGINT", "number within the joined sources"),
        Column("label", "BIGINT", "index into the study's label_names"),
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
        Column("metric", "VARCHAR", "loss, error, accuracy, matthews_correlation, ..."),
        Column("precision", "VARCHAR", "fp32 or bf16"),
        Column("value", "DOUBLE", "loss in nats, otherwise a fraction; NULL where undefined"),
        Column("n_examples", "BIGINT", "number of examples behind it"),
    ),
    ("run_id", "dataset", "subset", "half", "metric", "precision"),
)
CLUSTERINGS = Table(
    "clusterings",
    "One way of dividing a study's models into clusters.",
    (
        Column("clustering_id", "VARCHAR", "MLflow run id"),
        Column("study", "VARCHAR", "name of the study"),
        Column("method", "VARCHAR", "spectral, juneja2023 or threshold"),
        Column("metric", "VARCHAR", "what the gaps are measured on: loss or error"),
        Column("dataset", "VARCHAR", "evaluation set of the gaps"),
        Column("subset", "VARCHAR", "part of it"),
        Column("half", "VARCHAR", "half whose examples memberships come from"),
        Column("modules", "VARCHAR", "modules that move along the paths"),
        Column("precision", "VARCHAR", "precision of the evaluations"),
        Column("n_models", "INTEGER", "models divided"),
        Column("n_clusters", "INTEGER", "clusters found"),
        Column("settings", "VARCHAR", "settings, as JSON"),
        Column("statistics", "VARCHAR", "delta, silhouettes, p and the like, as JSON"),
        Column("created", "TIMESTAMP", "when it was made, UTC"),
    ),
    ("clustering_id",),
)
CLUSTERS = Table(
    "clusters",
    "Membership; clusters are numbered from 0 by falling size, ties by study order.",
    (
        Column("clustering_id", "VARCHAR", "MLflow run id of the clustering"),
        Column("model_id", "VARCHAR", "MLflow run id of the model"),
        Column("cluster", "INTEGER", "number of the cluster"),
        Column("embedding", "DOUBLE[]", "place in the spectral embedding; NULL of other methods"),
        Column("centroid_distances", "DOUBLE[]", "distance there to cluster 0, 1, …'s centroid"),
    ),
    ("clustering_id", "model_id"),
)
RECORDED = (STUDIES, MODELS, PATHS, POINTS, DATASETS, CLUSTERINGS, CLUSTERS)
"""Tables whose rows the record gives as they are."""

COMPUTED = (EXAMPLES, EXAMPLE_SUBSETS, EVALUATIONS)
"""Tables that SQL fills from the record's files."""

DERIVED: tuple[Table, ...] = ()
"""Tables that analyses fill from the others (``warehouse.derivation``)."""

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
STORED = (ATTRIBUTION_ROWS, ENSEMBLE_ROWS)
"""Tables that analyses fill too, in the schema ``storage``: users read them through views.

They are unique by making; an index on the key would be larger than they are.
"""

TABLES = (*RECORDED[:5], *COMPUTED, *RECORDED[5:], *DERIVED)

_POLARS_TYPES: dict[str, pl.DataType] = {
    "VARCHAR": pl.String(),
    "VARCHAR[]": pl.List(pl.String()),
    "BIGINT": pl.Int64(),
    "INTEGER": pl.Int32(),
    "DOUBLE": pl.Float64(),
    "FLOAT": pl.Float32(),
    "DOUBLE[]": pl.List(pl.Float64()),
    "TIMESTAMP": pl.Datetime("us"),
}


def frame_schema(table: Table) -> dict[str, pl.DataType]:
    """The Polars schema of a frame that fills ``table``."""
    return {column.name: _POLARS_TYPES[column.sql_type] for column in table.columns}
