"""The table of gap bounds: what ``analysis.bounds`` says of every complete path and data set."""

from __future__ import annotations

import numpy as np
import polars as pl

from lmc_track.analysis.bounds import GapBounds, gap_bounds
from lmc_track.warehouse.moment import Moment
from lmc_track.warehouse.per_example import LossCurves
from lmc_track.warehouse.tables import GAP_BOUNDS, frame_schema


def gap_bound_rows(moment: Moment) -> pl.DataFrame:
    """The rows of ``GAP_BOUNDS``, one for each complete path and data set that has bounds."""
    schema = pl.Schema(frame_schema(GAP_BOUNDS))
    frames = [pl.DataFrame(schema=schema)]
    for study in moment.studies():
        names = moment.query("datasets", study=study)["dataset"]
        for precision, modules in moment.path_kinds(study):
            for dataset in names:
                curves = moment.loss_curves(study, dataset, precision=precision, modules=modules)
                found = _bounds(curves)
                if found is not None:
                    frames.append(_frame(curves, found).select(list(schema)).cast(schema))
    return pl.concat(frames)


def _bounds(curves: LossCurves) -> GapBounds | None:
    examples = curves.examples
    return gap_bounds(curves.alphas, curves.losses, curves.runs, examples.held_out, examples.units)


def _frame(curves: LossCurves, found: GapBounds) -> pl.DataFrame:
    chosen = found.contrast[:, 0] >= 0
    alphas = np.where(chosen[:, None], curves.alphas[found.contrast], np.nan)
    one_each = {
        "path_id": pl.Series([curves.path_ids[place] for place in found.paths], dtype=pl.String),
        "left_alpha": _nullable(alphas[:, 0]),
        "alpha": _nullable(alphas[:, 1]),
        "right_alpha": _nullable(alphas[:, 2]),
        "estimate": _nullable(found.estimate),
        "standard_error": _nullable(found.standard_error),
        "lower": found.lower,
        "upper": found.upper,
        "line_heights": _lists(found.lines.heights),
        "line_errors": _lists(found.lines.errors),
        "max_t": pl.Series(found.draws).arr.to_list(),
        "n_uncertain": found.n_uncertain.astype(np.int32),
    }
    return pl.DataFrame(one_each).with_columns(
        pl.lit(curves.examples.dataset).alias("dataset"),
        pl.lit("group" if curves.examples.grouped else "text").alias("unit"),
        pl.lit(found.level).alias("level"),
        pl.lit(found.n_units, pl.Int32).alias("n_units"),
        pl.lit(found.n_held_out_units, pl.Int32).alias("n_held_out_units"),
        pl.lit(found.n_draws, pl.Int32).alias("n_draws"),
    )


def _nullable(values: np.ndarray) -> pl.Series:
    return pl.Series(values).fill_nan(None)


def _lists(padded: np.ndarray) -> pl.Series:
    """Rows without the NaN that they end in."""
    return pl.Series([row[~np.isnan(row)].tolist() for row in padded], dtype=pl.List(pl.Float64))
