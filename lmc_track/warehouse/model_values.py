"""What an analysis of models takes out of the results: their values on the evaluation sets, and
which cluster each is in by every recorded clustering.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lmc_track.warehouse.moment import Moment


@dataclass(frozen=True)
class ModelValues:
    """One metric of a study's n models on r evaluation sets and subsets.

    ``rows``: (data set, subset), in the order in which results show them. ``matrix``: (r, n),
    models in study order, NaN where a model was not evaluated. ``primary``: (r,), which row is
    the study's primary diagnostic. ``halves``: (r,), ``half``, or ``all`` of a set of which only
    values are known.
    """

    half: str
    metric: str
    model_ids: tuple[str, ...]
    rows: tuple[tuple[str, str], ...]
    matrix: NDArray[np.float64]
    primary: NDArray[np.bool_]
    halves: tuple[str, ...]

    @property
    def validation(self) -> NDArray[np.float64]:
        """The metric on all of validation, (n,)."""
        found = np.full(len(self.model_ids), np.nan)
        if ("validation", "all") in self.rows:
            found[:] = self.matrix[self.rows.index(("validation", "all"))]
        return found

    def of_models(self, model_ids: Sequence[str]) -> ModelValues:
        """The same of these models only, in this order."""
        places = [self.model_ids.index(model_id) for model_id in model_ids]
        return ModelValues(
            self.half,
            self.metric,
            tuple(model_ids),
            self.rows,
            self.matrix[:, places],
            self.primary,
            self.halves,
        )

    def frame(self) -> pl.DataFrame:
        """Which row is which: ``dataset, subset, half, metric, is_primary``."""
        return pl.DataFrame(
            {
                "dataset": [dataset for dataset, _ in self.rows],
                "subset": [subset for _, subset in self.rows],
                "half": list(self.halves),
                "metric": [self.metric] * len(self.rows),
                "is_primary": self.primary,
            }
        )


def model_values(moment: Moment, study: str) -> list[ModelValues]:
    """Accuracy, the task's metric and the primary diagnostic's, as far as models have them.

    Of held-out examples; of all where no model has a held-out value, as in imported results.
    """
    half = evaluated_half(moment, study)
    summary = moment.query("study_summary", study=study).row(0, named=True)
    primary = str(summary["primary_diagnostic"] or "").split(":")
    metrics = dict.fromkeys(["accuracy", summary["metric"], primary[-1]])
    found = [_of_metric(moment, study, half, metric, primary) for metric in metrics if metric]
    return [values for values in found if values.rows]


def _of_metric(
    moment: Moment, study: str, half: str, metric: str, primary: list[str]
) -> ModelValues:
    frame = moment.query("diagnostics", study=study, half=half, metric=metric)
    model_ids = tuple(frame.sort("position")["model_id"].unique(maintain_order=True))
    known = frame.filter(pl.col("value").is_not_null())
    kept = known.unique(["dataset", "subset"], maintain_order=True)
    rows = tuple(kept.select("dataset", "subset").iter_rows())
    place = {row: i for i, row in enumerate(rows)}
    column = {model_id: j for j, model_id in enumerate(model_ids)}
    matrix = np.full((len(rows), len(model_ids)), np.nan)
    columns = ("dataset", "subset", "model_id", "value")
    for dataset, subset, model_id, value in known.select(columns).iter_rows():
        matrix[place[dataset, subset], column[model_id]] = value
    is_primary = np.array([[*row, metric] == primary for row in rows], dtype=np.bool_)
    return ModelValues(half, metric, model_ids, rows, matrix, is_primary, tuple(kept["half"]))


def evaluated_half(moment: Moment, study: str) -> str:
    """The half that results about clusters come from.

    All where no model has a held-out value, or validation, on which clusters are found, is known
    by imported values alone.
    """
    found = moment.connection.execute(
        """
        SELECT
            (SELECT count(*) FROM evaluations e JOIN models m ON m.model_id = e.run_id
             WHERE m.study = $study AND e.half = 'held-out'),
            (SELECT count(*) FROM datasets
             WHERE study = $study AND dataset = 'validation' AND values_only)
        """,
        {"study": study},
    ).fetchall()
    held_out, values_only = found[0]
    return "held-out" if held_out and not values_only else "all"


def memberships(moment: Moment, study: str) -> list[pl.DataFrame]:
    """The members of each clustering of ``study``, by id, its models in study order.

    Columns: ``clustering_id, model_id, cluster, embedding, centroid_distances``.
    """
    frame: pl.DataFrame = moment.connection.sql(
        """
        SELECT k.clustering_id, k.model_id, k.cluster, k.embedding, k.centroid_distances
        FROM clusters k
        JOIN clusterings g ON g.clustering_id = k.clustering_id AND g.study = $study
        JOIN models m ON m.model_id = k.model_id AND m.study = g.study
        ORDER BY k.clustering_id, m.position
        """,
        params={"study": study},
    ).pl()
    return frame.partition_by("clustering_id", maintain_order=True)
