"""A hand-made study whose logits are given too, for checks of what is computed from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from lmc_track.warehouse.snapshot import Snapshot


def with_margins(snapshot: Snapshot, margins: Mapping[str, Sequence[float]]) -> Snapshot:
    """``snapshot`` with its predictions rewritten, and their losses with them.

    ``margins[run_id]`` is, for examples of label 0 and of label 1, by how much the true label's
    logit is above the other. Runs that are not in it keep their predictions.
    """
    for file in snapshot.predictions:
        if file.run_id not in margins:
            continue
        frame = pl.read_parquet(file.path)
        labels = frame["label"].to_numpy()
        margin = np.asarray(margins[file.run_id], dtype=np.float64)[labels]
        logits = np.zeros((len(labels), 2))
        logits[np.arange(len(labels)), labels] = margin
        frame.with_columns(
            loss=pl.Series(np.logaddexp(0, -margin), dtype=pl.Float32),
            logits=pl.Series(logits.tolist(), dtype=pl.List(pl.Float32)),
        ).write_parquet(file.path)
    return snapshot
