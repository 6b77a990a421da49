"""What single examples cost along the paths of a study, as arrays.

Means over examples are in ``evaluations``; what resamples examples, or looks at one of them,
needs these.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from lmc_track.tasks.projection import Projection, projected

_ROWS_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class ExampleSet:
    """The n examples of an evaluation set, by ``example_ids``.

    ``held_out``: (n,), which half each is in. ``units``: (n,) from 0, what is resampled as a
    whole: the examples of one group, where the data have groups (``grouped``), and otherwise
    those of one text. ``projection`` tells how logits become those of the set's labels.
    """

    dataset: str
    example_ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    held_out: NDArray[np.bool_]
    units: NDArray[np.int64]
    grouped: bool
    projection: Projection | None = None


@dataclass(frozen=True)
class LossCurves:
    """Losses of n examples at the k points of the common grid, for every complete path of p.

    ``alphas``: (k,), ends included. ``runs``: (p, k) places in ``run_ids``, the models and
    points that the losses are of. ``losses``: float32 (r, n) in nats, a row a run, so that a
    path's curves are ``losses[runs[i]]``, (k, n).
    """

    path_ids: tuple[str, ...]
    alphas: NDArray[np.float64]
    run_ids: tuple[str, ...]
    runs: NDArray[np.int64]
    losses: NDArray[np.float32]
    examples: ExampleSet


def example_set(connection: duckdb.DuckDBPyConnection, study: str, dataset: str) -> ExampleSet:
    """The examples of ``dataset``, by ``example_id``."""
    frame = _frame(
        connection,
        """
        SELECT
            example_id, label, half = 'held-out' AS held_out, group_id,
            dense_rank() OVER (ORDER BY group_id, CASE WHEN group_id IS NULL THEN text END) - 1
                AS unit
        FROM examples
        JOIN datasets USING (data_digest)
        WHERE study = $study AND dataset = $dataset
        ORDER BY example_id
        """,
        study=study,
        dataset=dataset,
    )
    return ExampleSet(
        dataset,
        frame["example_id"].to_numpy().astype(np.int64),
        frame["label"].to_numpy().astype(np.int64),
        frame["held_out"].to_numpy().astype(np.bool_),
        frame["unit"].to_numpy().astype(np.int64),
        frame["group_id"].count() > 0,
        _projection(connection, study, dataset),
    )


def _projection(
    connection: duckdb.DuckDBPyConnection, study: str, dataset: str
) -> Projection | None:
    rows = connection.execute(
        "SELECT projection, label_names, projection_groups FROM datasets "
        "WHERE study = ? AND dataset = ? AND projection IS NOT NULL",
        [study, dataset],
    ).fetchall()
    if not rows:
        return None
    how, names, groups = rows[0]
    return Projection(how, tuple(names), tuple(tuple(group) for group in groups))


def loss_curves(
    connection: duckdb.DuckDBPyConnection,
    study: str,
    dataset: str,
    *,
    precision: str | None = None,
    modules: str = "all",
    touched: bool = False,
) -> LossCurves:
    """The per-example losses of the paths that were evaluated on the whole common grid.

    Paths of checkpoints on the way of a training are left out; and all but the ``touched`` ones
    (see ``warehouse.filling``) where only these are asked for.
    ``precision`` None is the study's own. Paths come in study order. A study without predictions
    on ``dataset`` has no rows.
    """
    examples = example_set(connection, study, dataset)
    among = "(FROM paths SEMI JOIN touched_paths USING (path_id))" if touched else "paths"
    samples = _frame(
        connection,
        f"""
        WITH the_study AS (
            SELECT study, alphas, coalesce($precision, precision) AS precision
            FROM studies WHERE study = $study
        ), the_paths AS (
            SELECT p.*, s.alphas AS common
            FROM {among} p JOIN the_study s ON s.study = p.study AND s.precision = p.precision
            JOIN models ma ON ma.model_id = p.model_a_id AND ma.checkpoint_of IS NULL
            JOIN models mb ON mb.model_id = p.model_b_id AND mb.checkpoint_of IS NULL
            WHERE p.modules = $modules
        ), samples AS (
            SELECT path_id, model_a_id AS run_id, 0.0::DOUBLE AS alpha FROM the_paths
            UNION ALL
            SELECT path_id, model_b_id, 1.0 FROM the_paths WHERE modules = 'all'
            UNION ALL
            SELECT path_id, point_id, alpha
            FROM points JOIN the_paths USING (path_id) WHERE list_contains(common, alpha)
        ), evaluated AS (
            SELECT path_id, alpha, run_id
            FROM samples
            JOIN storage.prediction_sets e USING (run_id)
            JOIN the_study s ON e.precision = s.precision
            WHERE e.dataset = $dataset
        ), complete AS (
            SELECT path_id FROM evaluated JOIN the_paths USING (path_id)
            GROUP BY path_id HAVING list(alpha ORDER BY alpha) = any_value(common)
        )
        SELECT path_id, alpha, run_id
        FROM evaluated SEMI JOIN complete USING (path_id)
        JOIN paths p USING (path_id)
        JOIN models a ON a.model_id = p.model_a_id
        JOIN models b ON b.model_id = p.model_b_id
        ORDER BY a.position, b.position, path_id, alpha
        """,
        study=study,
        dataset=dataset,
        precision=precision,
        modules=modules,
    )
    run_ids = samples["run_id"].unique(maintain_order=True)
    paths = samples["path_id"].unique(maintain_order=True)
    k = len(samples) // max(len(paths), 1)
    place = pl.DataFrame({"run_id": run_ids, "place": np.arange(len(run_ids))})
    runs = samples.join(place, on="run_id", how="left", maintain_order="left")["place"]
    return LossCurves(
        tuple(paths),
        samples["alpha"].to_numpy()[:k].astype(np.float64),
        tuple(run_ids),
        runs.to_numpy().astype(np.int64).reshape(len(paths), k),
        _losses(connection, tuple(run_ids), examples, study, precision),
        examples,
    )


def run_logits(
    connection: duckdb.DuckDBPyConnection,
    study: str,
    run_ids: Sequence[str],
    examples: ExampleSet,
    *,
    precision: str | None = None,
) -> NDArray[np.float32]:
    """Raw logits (len(run_ids), n, c) of models and points on ``examples``, NaN where unknown."""
    reader = _predictions(connection, run_ids, examples.dataset, study, precision, "r.logits")
    found: NDArray[np.float32] | None = None
    for batch in reader:
        values = batch.column("logits")
        n_labels = len(values.flatten()) // max(len(values), 1)
        if found is None:
            shape = (len(run_ids), len(examples.example_ids), n_labels)
            found = np.full(shape, np.nan, dtype=np.float32)
        example = np.searchsorted(examples.example_ids, batch.column("example_id").to_numpy())
        flat = values.flatten().to_numpy(zero_copy_only=False)
        found[batch.column("place").to_numpy(), example] = flat.reshape(-1, n_labels)
    if found is None:
        return np.full((len(run_ids), len(examples.example_ids), 0), np.nan, dtype=np.float32)
    return found


def run_errors(
    connection: duckdb.DuckDBPyConnection,
    study: str,
    run_ids: Sequence[str],
    examples: ExampleSet,
    *,
    precision: str | None = None,
) -> NDArray[np.bool_]:
    """Which ``examples`` (n,) models and points are wrong about: (len(run_ids), n).

    The predicted label is the first of the largest logits, as in ``geometry.part_metrics``. An
    example without a prediction counts as wrong.
    """
    wrong = np.ones((len(run_ids), len(examples.example_ids)), dtype=np.bool_)
    reader = _predictions(connection, run_ids, examples.dataset, study, precision, "r.logits")
    for batch in reader:
        values = batch.column("logits")
        example = np.searchsorted(examples.example_ids, batch.column("example_id").to_numpy())
        logits = values.flatten().to_numpy(zero_copy_only=False).reshape(len(values), -1)
        predicted = projected(logits, examples.projection).argmax(1)
        wrong[batch.column("place").to_numpy(), example] = predicted != examples.labels[example]
    return wrong


def _losses(
    connection: duckdb.DuckDBPyConnection,
    run_ids: Sequence[str],
    examples: ExampleSet,
    study: str,
    precision: str | None,
) -> NDArray[np.float32]:
    found = np.full((len(run_ids), len(examples.example_ids)), np.nan, dtype=np.float32)
    reader = _predictions(connection, run_ids, examples.dataset, study, precision, "r.loss")
    for batch in reader:
        example = np.searchsorted(examples.example_ids, batch.column("example_id").to_numpy())
        loss = batch.column("loss").to_numpy(zero_copy_only=False)
        found[batch.column("place").to_numpy(), example] = loss
    return found


def _predictions(
    connection: duckdb.DuckDBPyConnection,
    run_ids: Sequence[str],
    dataset: str,
    study: str,
    precision: str | None,
    value: str,
) -> Iterator[Any]:
    """Record batches of the columns place, example_id and ``value``, in any order."""
    # Rows are put in their places by the caller: sorting tens of millions would cost more.
    connection.register(
        "wanted_runs",
        pl.DataFrame(
            {"run_id": list(run_ids), "place": np.arange(len(run_ids), dtype=np.int32)},
            schema={"run_id": pl.String, "place": pl.Int32},
        ),
    )
    try:
        relation = connection.sql(
            f"""
            WITH sets AS (
                SELECT set_no, place
                FROM storage.prediction_sets
                JOIN wanted_runs USING (run_id)
                WHERE dataset = $dataset AND precision = (
                    SELECT coalesce($precision, precision) FROM studies WHERE study = $study)
            )
            SELECT place, r.example_id, {value}
            FROM storage.prediction_rows r JOIN sets USING (set_no)
            """,
            params={"dataset": dataset, "precision": precision, "study": study},
        )
        yield from relation.to_arrow_reader(_ROWS_AT_ONCE)
    finally:
        connection.unregister("wanted_runs")


def _frame(connection: duckdb.DuckDBPyConnection, text: str, **values: str | None) -> pl.DataFrame:
    frame: pl.DataFrame = connection.sql(text, params=values).pl()
    return frame
