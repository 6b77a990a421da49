"""The table of gap bounds: what ``analysis.bounds`` says of every complete path and data set."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lmc_track.analysis.bounds import GapBounds, error_gap_bounds, gap_bounds
from lmc_track.warehouse.moment import Moment
from lmc_track.warehouse.per_example import LossCurves
from lmc_track.warehouse.tables import GAP_BOUNDS, frame_schema


def gap_bound_rows(moment: Moment) -> pl.DataFrame:
    """The rows of ``GAP_BOUNDS``, one for each path, data set and metric that has bounds."""
    schema = pl.Schema(frame_schema(GAP_BOUNDS))
    frames = [pl.DataFrame(schema=schema)]
    for study in moment.studies():
        names = moment.query("datasets", study=study)["dataset"]
        for precision, modules in moment.path_kinds(study):
            for dataset in names:
                curves = moment.loss_curves(study, dataset, precision=precision, modules=modules)
                errors = moment.errors(study, curves.run_ids, curves.examples, precision=precision)
                for metric, found in _bounds(curves, errors).items():
                    if found is not None:
                        frame = _frame(curves, metric, found)
                        frames.append(frame.select(list(schema)).cast(schema))
    return pl.concat(frames)


def _bounds(curves: LossCurves, errors: NDArray[np.bool_]) -> dict[str, GapBounds | None]:
    alphas, runs, examples = curves.alphas, curves.runs, curves.examples
    drawn = examples.held_out, examples.units
    return {
        "loss": gap_bounds(alphas, curves.losses, runs, *drawn),
        "error": error_gap_bounds(alphas, errors, runs, *drawn),
    }


def _frame(curves: LossCurves, metric: str, found: GapBounds) -> pl.DataFrame:
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
        "lowers": _lists(found.lowers),
        "uppers": _lists(found.uppers),
        "height": found.height,
        "variance": found.variance,
    }
    return pl.DataFrame(one_each).with_columns(
        pl.lit(curves.examples.dataset).alias("dataset"),
        pl.lit(metric).alias("metric"),
        pl.lit("group" if curves.examples.grouped else "text").alias("unit"),
        pl.lit(found.level).alias("level"),
        pl.lit(found.n_units, pl.Int32).alias("n_units"),
        pl.lit(found.n_held_out_units, pl.Int32).alias("n_held_out_units"),
        pl.lit(found.n_examples, pl.Int32).alias("n_examples"),
        pl.lit(found.jump).alias("jump"),
    )


def _nullable(values: np.ndarray) -> pl.Series:
    return pl.Series(values).fill_nan(None)


def _lists(bounds: np.ndarray) -> pl.Series:
    """Each row as a list; NULL of those that are NaN."""
    known = ~np.isnan(bounds).any(1)
    return pl.Series(bounds).arr.to_list().set(pl.Series(~known), None)
