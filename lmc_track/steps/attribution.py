"""Attributing every path's barrier to held-out examples, and averaging logits beside weights.

Discovery examples choose the supporting points of a gap, held-out ones are asked about them: at
the point where a maximum was found, the examples that found it lose too much by selection.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from lmc_track.analysis.attribution import attribute, ensemble_curves, margins_of
from lmc_track.tasks.projection import projected
from lmc_track.warehouse.moment import Moment

_PREDICTIONS_AT_ONCE = 1 << 23


def attribution_rows(moment: Moment) -> Iterator[pl.DataFrame]:
    """Departure and averaging of every held-out example on every path that has a gap.

    Not known, NULL, where one of the three logits is not finite.
    """
    for paths in moment.supporting_runs():
        examples = moment.examples(paths.study, paths.dataset)
        kept = examples.held_out
        labels = examples.labels[kept]
        step = max(1, _PREDICTIONS_AT_ONCE // (3 * max(len(kept), 1)))
        for start in range(0, len(paths.set_nos), step):
            runs, places = np.unique(paths.runs[start : start + step], return_inverse=True)
            logits = moment.logits(
                paths.study, [paths.run_ids[k] for k in runs], examples, precision=paths.precision
            )[:, kept]
            logits = projected(logits, examples.projection)
            left, point, right = (logits[k] for k in places.reshape(-1, 3).T)
            weights = paths.weights[start : start + step]
            parts = attribute(left, point, right, labels, weights)
            set_nos = paths.set_nos[start : start + step]
            yield pl.DataFrame(
                {
                    "set_no": np.repeat(set_nos, len(labels)),
                    "example_id": np.tile(examples.example_ids[kept], len(set_nos)),
                    "departure": parts.departure.astype(np.float32).ravel(),
                    "averaging": parts.averaging.astype(np.float32).ravel(),
                },
                schema_overrides={"example_id": pl.Int32},
                nan_to_null=True,
            )


def ensemble_rows(moment: Moment) -> Iterator[pl.DataFrame]:
    """The logit ensemble's curve of every path's two models, per data set and half.

    A mean is not known, NULL, where a logit of one of the models is not finite.
    """
    for paths in moment.end_runs():
        examples = moment.examples(paths.study, paths.dataset)
        logits = moment.logits(paths.study, paths.run_ids, examples, precision=paths.precision)
        logits = projected(logits, examples.projection)
        halves = {
            "all": np.full(len(examples.held_out), True),
            "discovery": ~examples.held_out,
            "held-out": examples.held_out,
        }
        losses = ensemble_curves(
            margins_of(logits, examples.labels),
            paths.runs,
            paths.alphas,
            list(halves.values()),
        )
        for k, half in enumerate(halves):
            yield pl.DataFrame(
                {
                    "path_id": paths.path_ids,
                    "dataset": paths.dataset,
                    "half": half,
                    "losses": pl.Series(losses[:, k])
                    .arr.to_list()
                    .list.eval(pl.element().fill_nan(None)),
                }
            )
