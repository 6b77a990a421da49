"""The figures of several kinds of study, drawn once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lmc_track.report.facts import Facts
from lmc_track.report.figures.catalogue import drawn_figures
from lmc_track.report.figures.figure import PaperFigure
from lmc_track.warehouse.results import Results


@pytest.fixture(scope="session")
def figures_of(
    results_of: Callable[[str], Results], facts_of: Callable[[str], Facts]
) -> Callable[[str], dict[str, PaperFigure]]:
    """By name, the figures of a kind of study."""
    drawn: dict[str, dict[str, PaperFigure]] = {}

    def figures(kind: str) -> dict[str, PaperFigure]:
        if kind not in drawn:
            with results_of(kind).at_once() as now:
                drawn[kind] = {f.name: f for f in drawn_figures(now, facts_of(kind))}
        return drawn[kind]

    return figures
