"""What an analysis takes out of the results: the matrix of a study's gaps, and their scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lmc_track.errors import InputError
from lmc_track.metrics import GAP_METRICS

if TYPE_CHECKING:
    from lmc_track.warehouse.moment import Moment
    from lmc_track.warehouse.results import Results


@dataclass(frozen=True)
class GapMatrix:
    """One measure of all pairs of a study's n models, in study order.

    ``matrix``: float64 (n, n), symmetric, 0 on the diagonal, NaN where a pair was not measured
    on the whole common grid.
    """

    names: tuple[str, ...]
    model_ids: tuple[str, ...]
    matrix: NDArray[np.float64]


def gap_matrix(
    results: Results | Moment,
    study: str,
    *,
    half: str,
    metric: str = "loss",
    dataset: str = "validation",
    subset: str = "all",
    precision: str | None = None,
    measure: str = "convexity_gap",
) -> GapMatrix:
    """The matrix of ``measure``, a column of the query ``barrier_pairs``."""
    models = results.query("models", study=study)
    pairs = results.query(
        "barrier_pairs",
        study=study,
        half=half,
        metric=metric,
        dataset=dataset,
        subset=subset,
        precision=precision,
    )
    names = tuple(models["name"])
    index = {name: i for i, name in enumerate(names)}
    matrix = np.zeros((len(names), len(names)))
    for a, b, value in pairs.select("model_a", "model_b", measure).iter_rows():
        i, j = index[a], index[b]
        matrix[i, j] = matrix[j, i] = np.nan if value is None else value
    return GapMatrix(names, tuple(models["model_id"]), matrix)


def gap_matrices(
    results: Results | Moment,
    study: str,
    *,
    halves: Sequence[str],
    metrics: Sequence[str] = GAP_METRICS,
    dataset: str = "validation",
    precision: str | None = None,
    measure: str = "convexity_gap",
) -> dict[tuple[str, str], GapMatrix]:
    """The matrices of several metrics and halves of one evaluation set, by (metric, half).

    They are read together, which takes little longer than one. A metric that was not computed, or
    a half that the set does not have, is a matrix of NaN.
    """
    models = results.query("models", study=study)
    pairs = results.query("pair_measures", study=study, dataset=dataset, precision=precision)
    names, model_ids = tuple(models["name"]), tuple(models["model_id"])
    n = len(names)
    place = pl.DataFrame({"name": names, "place": np.arange(n)}, {"name": pl.String, "place": int})
    of_pairs = (
        pairs.select("metric", "half", "model_a", "model_b", pl.col(measure).alias("value"))
        .join(place.rename({"name": "model_a", "place": "i"}), on="model_a")
        .join(place.rename({"name": "model_b", "place": "j"}), on="model_b")
        .partition_by("metric", "half", as_dict=True)
    )
    found = {}
    for key in product(metrics, halves):
        matrix = np.full((n, n), np.nan)
        np.fill_diagonal(matrix, 0.0)
        if (known := of_pairs.get(key)) is not None:
            i, j = known["i"].to_numpy(), known["j"].to_numpy()
            values = known["value"].cast(pl.Float64).fill_null(np.nan).to_numpy()
            matrix[i, j] = matrix[j, i] = values
        found[key] = GapMatrix(names, model_ids, matrix)
    return found


def chance_headroom(
    results: Results,
    study: str,
    *,
    half: str,
    dataset: str = "validation",
    subset: str = "all",
    precision: str | None = None,
) -> float:
    """Entropy of the label distribution minus the models' mean loss, in nats.

    What the models gained over knowing only the labels' frequencies: the unit of relative gaps.
    """
    asked = {"dataset": dataset, "subset": subset, "precision": precision}
    headroom = _headroom(results, study, "headroom", half=half, **asked)
    if headroom is None:
        raise InputError(
            f"the models of {study} have no losses on {dataset}, subset {subset}, half {half}",
            "evaluate the study, then run `lmc-track ingest`",
        )
    return headroom


def valley_headroom(
    results: Results | Moment,
    study: str,
    *,
    half: str,
    dataset: str = "validation",
    subset: str = "all",
    precision: str | None = None,
) -> float | None:
    """Entropy of the label distribution minus the mean of the paths' valleys, in nats.

    A path's valley is its least loss, ends included. Paths on which all modules move and whose
    curve is complete on the common grid count. None where there is none, or the labels are not
    known, as of imported values.
    """
    asked = {"dataset": dataset, "subset": subset, "precision": precision}
    return _headroom(results, study, "valley_headroom", half=half, **asked)


def _headroom(
    results: Results | Moment, study: str, column: str, **asked: str | None
) -> float | None:
    row = results.query("chance_headroom", study=study, **asked)
    found: float | None = row[column].item() if len(row) == 1 else None
    return found
