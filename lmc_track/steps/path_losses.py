"""Losses of single examples along a study's paths, by half, as the analyses take them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lmc_track.analysis.resampling import PathLosses
from lmc_track.warehouse.results import Results

Halves = tuple[PathLosses, PathLosses]


def path_losses(
    results: Results, study: str, names: Sequence[str], precision: str
) -> Halves | None:
    """The losses of discovery and of held-out examples along the paths between all of ``names``.

    None where some pair has no predictions on the whole common grid, or a half has no example.
    """
    with results.at_once() as now:
        curves = now.loss_curves(study, "validation", precision=precision)
        pairs = now.query("barrier_pairs", study=study, precision=precision)
    place = {name: position for position, name in enumerate(names)}
    joined = {
        path: (place[a], place[b])
        for path, a, b in pairs.select("path_id", "model_a", "model_b").iter_rows()
    }
    held_out = curves.examples.held_out
    if set(curves.path_ids) != set(joined) or held_out.all() or not held_out.any():
        return None
    ends = np.array([joined[path] for path in curves.path_ids], dtype=np.int64).reshape(-1, 2)
    discovery, other = (
        PathLosses(
            len(names),
            curves.alphas,
            ends,
            curves.runs,
            curves.losses[:, kept],
            curves.examples.units[kept],
        )
        for kept in (~held_out, held_out)
    )
    return discovery, other
