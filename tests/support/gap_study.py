"""Studies that are nothing but gaps, logits and clusterings, in one database in memory.

Everything is written past the ingest, straight into the tables that queries read, so a study takes
milliseconds and Hypothesis can make many.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from lmc_track.warehouse import storage
from lmc_track.warehouse.moment import Moment
from lmc_track.warehouse.tables import (
    CLUSTERINGS,
    CLUSTERS,
    DATASETS,
    EXAMPLES,
    MODELS,
    PATHS,
    STUDIES,
    TABLES,
    Table,
    frame_schema,
)
from lmc_track.warehouse.views import create_views

_STUDY = "gaps"
_START = datetime(2026, 1, 1)


@dataclass(frozen=True)
class GapStudy:
    """An open database whose one study each method replaces."""

    connection: duckdb.DuckDBPyConnection

    def of_gaps(
        self,
        n: int,
        gaps: Mapping[tuple[int, int], float],
        *,
        clusterings: Sequence[Sequence[int | None]] = (),
        distances: Mapping[tuple[int, int], float] | None = None,
        checkpoints: Mapping[int, tuple[int, int]] | None = None,
    ) -> Moment:
        """Models ``m0 … m(n−1)`` with the convexity gaps of ``gaps``; other pairs are missing.

        ``clusterings``: each model's cluster, the last the newest. ``distances`` of the weights
        are 1 where they are not given. ``checkpoints`` maps a model to the one that its training
        ended with and the step that it is of.
        """
        self._empty()
        self._study(n, checkpoints or {})
        l2 = distances or {}
        self._fill(
            PATHS,
            [
                {
                    "path_id": f"{a}-{b}",
                    "study": _STUDY,
                    "model_a": f"m{a}",
                    "model_b": f"m{b}",
                    "model_a_id": f"id{a}",
                    "model_b_id": f"id{b}",
                    "precision": "fp32",
                    "modules": "all",
                    "l2_distance": l2.get((a, b), 1.0),
                }
                for a, b in gaps
            ],
        )
        measured = pl.DataFrame(
            {"path_id": [f"{a}-{b}" for a, b in gaps], "gap": list(gaps.values())},
            schema={"path_id": pl.String, "gap": pl.Float64},
        )
        self.connection.register("measured", measured)
        self.connection.execute(
            "INSERT INTO storage.barrier_rows "
            "(study, path_id, dataset, subset, half, metric, convexity_gap) "
            f"SELECT '{_STUDY}', path_id, 'validation', 'all', half, 'loss', gap "
            "FROM measured, (SELECT unnest(['all', 'discovery']) AS half)"
        )
        self.connection.unregister("measured")
        for number, clusters in enumerate(clusterings):
            self._clustering(number, clusters)
        return self._moment()

    def of_logits(
        self, logits: NDArray[np.float32], labels: NDArray[np.int64], clusters: Sequence[int] = ()
    ) -> Moment:
        """Models that gave ``logits`` (n, e, c) on the e examples of ``validation``."""
        self._empty()
        n, e, _ = logits.shape
        self._study(n)
        self._fill(
            EXAMPLES,
            [
                {
                    "data_digest": "digest",
                    "example_id": k,
                    "label": int(label),
                    "text": f"text {k}",
                    "half": "held-out" if k % 2 else "discovery",
                }
                for k, label in enumerate(labels)
            ],
        )
        for i in range(n):
            self.connection.execute(
                "INSERT INTO storage.prediction_sets "
                "(set_no, run_id, dataset, precision, data_digest) "
                "VALUES (?, ?, 'validation', 'fp32', 'digest')",
                [i, f"id{i}"],
            )
            rows = pl.DataFrame(
                {
                    "set_no": np.full(e, i, dtype=np.int32),
                    "example_id": np.arange(e),
                    "label": labels.astype(np.int32),
                    "loss": np.zeros(e, dtype=np.float32),
                    "logits": logits[i].tolist(),
                },
                schema_overrides={"logits": pl.List(pl.Float32)},
            )
            self.connection.register("rows", rows)
            self.connection.execute("INSERT INTO storage.prediction_rows SELECT * FROM rows")
            self.connection.unregister("rows")
        if clusters:
            self._clustering(0, clusters)
        return self._moment()

    def _study(self, n: int, checkpoints: Mapping[int, tuple[int, int]] | None = None) -> None:
        of = {
            i: {"checkpoint_of": f"m{end}", "step": step}
            for i, (end, step) in (checkpoints or {}).items()
        }
        self._fill(
            STUDIES,
            [
                {
                    "study": _STUDY,
                    "metric": "accuracy",
                    "alphas": [0.0, 0.5, 1.0],
                    "precision": "fp32",
                    "primary_method": "any",
                    "created": _START,
                }
            ],
        )
        self._fill(
            DATASETS,
            [
                {
                    "study": _STUDY,
                    "dataset": "validation",
                    "data_digest": "digest",
                    "role": "validation",
                }
            ],
        )
        self._fill(
            MODELS,
            [
                {"model_id": f"id{i}", "study": _STUDY, "name": f"m{i}", "position": i}
                | of.get(i, {"step": 900})
                for i in range(n)
            ],
        )

    def _clustering(self, number: int, clusters: Sequence[int | None]) -> None:
        found = {k for k in clusters if k is not None}
        self._fill(
            CLUSTERINGS,
            [
                {
                    "clustering_id": f"c{number}",
                    "study": _STUDY,
                    "method": "any",
                    "n_clusters": len(found),
                    "created": _START + timedelta(hours=number),
                }
            ],
        )
        self._fill(
            CLUSTERS,
            [
                {"clustering_id": f"c{number}", "model_id": f"id{i}", "cluster": k}
                for i, k in enumerate(clusters)
                if k is not None
            ],
        )

    def _fill(self, table: Table, rows: list[dict[str, object]]) -> None:
        frame = pl.DataFrame(rows, schema=frame_schema(table))
        storage.insert_rows(self.connection, table, frame)

    def _empty(self) -> None:
        inner = ("barrier_rows", "prediction_rows", "prediction_sets")
        for name in (*(table.name for table in TABLES), *(f"storage.{name}" for name in inner)):
            self.connection.execute(f"DELETE FROM {name}")

    def _moment(self) -> Moment:
        return Moment(Path("gaps"), self.connection)


@contextmanager
def gap_study() -> Iterator[GapStudy]:
    """A database with the tables and views of a results file, and no rows."""
    connection = duckdb.connect(":memory:", config={"threads": 1})
    try:
        storage.create_tables(connection)
        create_views(connection)
        yield GapStudy(connection)
    finally:
        connection.close()
