"""What the warehouse is filled from: plain frames, read by somebody else from the record.

The frames' columns are those of the tables of the same name (``lmc_track.warehouse.tables``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from lmc_track.warehouse.stored_tables import RECORDED_RUNS
from lmc_track.warehouse.tables import IMPORTED_VALUES, LEFT_OUT, PLANE_POINTS, PLANES, frame_schema


@dataclass(frozen=True)
class PredictionFile:
    """One Parquet file of predictions, and which data sets in it count for which run.

    Columns of the file: ``dataset, example_id, label, loss, logits``. Data sets of the file
    that are not in ``datasets`` are left out: their evaluation never finished. ``told`` has the
    mean loss in nats that the run gives for a data set, ``sha256`` the digest of the file where
    it is on record: by these a damaged file is found out.
    """

    run_id: str
    path: Path
    datasets: tuple[str, ...]
    precision: str
    told: Mapping[str, float] = field(default_factory=dict)
    sha256: str | None = None


@dataclass(frozen=True)
class DamagedFile:
    """A file of predictions that was left out, and why."""

    file: PredictionFile
    why: str


@dataclass(frozen=True)
class Snapshot:
    """Everything that a record held at one moment.

    ``examples`` maps a data digest to the Parquet file of its examples (columns as
    ``lmc_track.tasks.dataset.Dataset.frame``), whose text columns are ``text_columns[digest]``.
    Sets of which only values are known have none.

    ``runs``: the finished runs that all of this is from (columns of ``RECORDED_RUNS``). ``kept``:
    models and points whose predictions and values a results file has already; ``predictions``
    and ``imported_values`` are those of the others. ``changed``: the studies that are not as the
    file has them; None where all are new.
    """

    tracking_uri: str
    studies: pl.DataFrame
    models: pl.DataFrame
    paths: pl.DataFrame
    points: pl.DataFrame
    datasets: pl.DataFrame
    clusterings: pl.DataFrame
    clusters: pl.DataFrame
    co_assignments: pl.DataFrame
    precision_checks: pl.DataFrame
    examples: dict[str, Path]
    text_columns: dict[str, tuple[str, ...]]
    predictions: tuple[PredictionFile, ...]
    imported_values: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema=frame_schema(IMPORTED_VALUES))
    )
    planes: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=frame_schema(PLANES)))
    plane_points: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema=frame_schema(PLANE_POINTS))
    )
    left_out: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema=frame_schema(LEFT_OUT))
    )
    runs: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema=frame_schema(RECORDED_RUNS))
    )
    kept: frozenset[str] = frozenset()
    changed: frozenset[str] | None = None
