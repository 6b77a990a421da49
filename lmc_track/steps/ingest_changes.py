"""What has changed in the record since a results file was made from it."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from lmc_track.warehouse.recorded import Recorded
from lmc_track.warehouse.stored_tables import RECORDED_RUNS
from lmc_track.warehouse.tables import frame_schema

# So many of all runs may be read anew, or have been added to a file since it was built, before
# building it anew costs less and puts its rows in order.
_LARGEST_SHARE = 0.5
_SAME = ("run_id", "study", "end_time", "revision")


@dataclass(frozen=True)
class Changes:
    """How an outline of the record differs from what a results file was made from.

    ``outline``: of the record, with the column study; ``unchanged``: runs that are as they were;
    ``studies``: those with any run that is new, gone or different. ``file`` is None where all is
    to be built anew.
    """

    outline: pl.DataFrame
    unchanged: frozenset[str]
    studies: frozenset[str]
    file: Recorded | None

    @property
    def none(self) -> bool:
        """Whether there is nothing to do."""
        return self.file is not None and not self.studies

    def runs(self) -> pl.DataFrame:
        """The rows of ``RECORDED_RUNS`` when the changes are taken in."""
        rows = self.outline.select("run_id", "study", "kind", "end_time", "revision")
        if self.file is None:
            return rows.with_columns(built=pl.lit(True)).select(list(frame_schema(RECORDED_RUNS)))
        before = self.file.runs.select(*_SAME, "built")
        rows = rows.join(before, on=_SAME, how="left", nulls_equal=True)
        return rows.with_columns(pl.col("built").fill_null(False))


def changes(outline: pl.DataFrame, file: Recorded | None) -> Changes:
    """Compare ``outline``, with the column study, to a results file; None where there is none."""
    everything = Changes(outline, frozenset(), frozenset(outline["study"]), None)
    if file is None:
        return everything
    same = outline.join(file.runs, on=_SAME, how="semi", nulls_equal=True)
    new = outline.join(same, on="run_id", how="anti")
    gone = file.runs.join(same, on="run_id", how="anti")
    studies = frozenset(new["study"]) | frozenset(gone["study"])
    added = file.runs.filter(~pl.col("built")).height
    if studies and max(new.height, gone.height) + added > _LARGEST_SHARE * outline.height:
        return everything
    return Changes(outline, frozenset(same["run_id"]), studies, file)


def first_of_each_key(outline: pl.DataFrame) -> pl.DataFrame:
    """Of finished runs with one kind and key the oldest, which is the one that counts."""
    return outline.sort("start_time", "run_id").unique(["kind", "key"], keep="first")
