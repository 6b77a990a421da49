"""Evaluations of predictions on every subset and half: numbers from arrays, rows in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from lmc_track.geometry.part_metrics import Cells, part_metrics
from lmc_track.tasks.projection import Projection, projected

HALVES = ("all", "discovery", "held-out")


@dataclass(frozen=True)
class Evaluated:
    """The n examples of an evaluation set and the parts that models are evaluated on.

    ``example_ids``: (n,), rising. ``parts``: subset and half of each of p parts, none empty.
    ``sizes``: (p,), their examples.
    """

    example_ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    parts: tuple[tuple[str, str], ...]
    sizes: NDArray[np.int64]
    cells: Cells


def evaluated_set(connection: duckdb.DuckDBPyConnection, digest: str) -> Evaluated:
    """The examples of the set with this digest and their parts."""
    examples: pl.DataFrame = connection.sql(
        "SELECT example_id, label, half FROM examples WHERE data_digest = ? ORDER BY example_id",
        params=[digest],
    ).pl()
    subsets: pl.DataFrame = connection.sql(
        "SELECT subset, example_id FROM example_subsets WHERE data_digest = ? ORDER BY ALL",
        params=[digest],
    ).pl()
    ids = examples["example_id"].to_numpy()
    of_subset = {"all": np.ones(len(ids), dtype=np.bool_)}
    for (name,), part in subsets.group_by("subset", maintain_order=True):
        of_subset[str(name)] = np.isin(ids, part["example_id"].to_numpy())
    halves = examples["half"].to_numpy()
    of_half = {half: (halves == half) | (half == "all") for half in HALVES}
    parts = {
        (subset, half): chosen & inside
        for subset, chosen in of_subset.items()
        for half, inside in of_half.items()
        if (chosen & inside).any()
    }
    members = np.array(list(parts.values()), dtype=np.bool_).reshape(len(parts), len(ids))
    labels = examples["label"].to_numpy().astype(np.int64)
    return Evaluated(
        ids.astype(np.int64), labels, tuple(parts), members.sum(1), Cells.of(labels, members)
    )


@dataclass(frozen=True)
class Evaluation:
    """Measures (r, p) by name of r runs on the parts of ``data``, in one precision each."""

    data: Evaluated
    dataset: str
    run_ids: Sequence[str]
    precisions: Sequence[str]
    values: dict[str, NDArray[np.float64]]


def evaluate(
    data: Evaluated,
    logits: NDArray[Any],
    losses: NDArray[Any],
    projection: Projection | None,
) -> dict[str, NDArray[np.float64]]:
    """Measures of runs whose logits (r, n, k) and losses (r, n) are in the order of the cells.

    Temperatures are fitted on the discovery examples, of projected logits.
    """
    discovery = ("all", "discovery")
    fitted_on = data.parts.index(discovery) if discovery in data.parts else None
    return part_metrics(data.cells, projected(logits, projection), losses, fitted_on)


@dataclass(frozen=True)
class PartValues:
    """Measures of many runs on one part: ``frame`` has run_id, precision and a column a measure."""

    dataset: str
    subset: str
    half: str
    n_examples: int
    frame: pl.DataFrame
    metrics: tuple[str, ...]


def part_values(found: Sequence[Evaluation]) -> Iterator[PartValues]:
    """What was found, by data set and part, in the order in which results are asked for."""
    alike: dict[tuple[str, int, tuple[str, ...]], list[Evaluation]] = {}
    for one in found:
        key = (one.dataset, id(one.data), tuple(sorted(one.values)))
        alike.setdefault(key, []).append(one)
    for (dataset, _, metrics), group in sorted(alike.items(), key=lambda item: item[0][0]):
        data = group[0].data
        names = pl.DataFrame(
            {
                "run_id": [run_id for one in group for run_id in one.run_ids],
                "precision": [precision for one in group for precision in one.precisions],
            }
        )
        order = names.select(pl.arg_sort_by("precision", "run_id"))["precision"].to_numpy()
        names = names[order]
        values = {m: np.concatenate([one.values[m] for one in group])[order] for m in metrics}
        for part in sorted(range(len(data.parts)), key=lambda k: data.parts[k]):
            frame = names.with_columns(
                pl.Series(metric, values[metric][:, part], nan_to_null=True) for metric in metrics
            )
            yield PartValues(dataset, *data.parts[part], int(data.sizes[part]), frame, metrics)
