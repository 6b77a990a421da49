"""What an analysis takes out of the results: the matrix of a study's gaps, and their scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lmc_track.errors import InputError

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
    row = results.query(
        "chance_headroom",
        study=study,
        half=half,
        dataset=dataset,
        subset=subset,
        precision=precision,
    )
    headroom: float | None = row["headroom"].item() if len(row) == 1 else None
    if headroom is None:
        raise InputError(
            f"the models of {study} have no losses on {dataset}, subset {subset}, half {half}",
            "evaluate the study, then run `lmc-track ingest`",
        )
    return headroom
