"""Studies of any size whose gaps a report can be made of, without predictions or a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lmc_track.warehouse.moment import Moment
from support.gap_study import GapStudy

STUDY = "gaps"


def reportable(
    study: GapStudy,
    n: int,
    gaps: Mapping[tuple[int, int], float],
    clusters: Sequence[int | None],
    checkpoints: Mapping[int, tuple[int, int]] | None = None,
) -> Moment:
    """The study that ``of_gaps`` makes, with held-out gaps and all that a report asks of it."""
    moment = study.of_gaps(n, gaps, clusterings=[clusters], checkpoints=checkpoints)
    study.connection.execute(
        "UPDATE studies SET primary_diagnostic = 'validation:all:accuracy', task = 'made', "
        "base = 'made', study_file = '{}'"
    )
    study.connection.execute(
        "INSERT INTO storage.barrier_rows BY NAME SELECT * REPLACE ('held-out' AS half) "
        "FROM storage.barrier_rows WHERE half = 'all'"
    )
    return moment
