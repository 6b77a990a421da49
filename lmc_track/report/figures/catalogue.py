"""All figures of a study, in the order of the report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lmc_track.report.curve_views import curve_views
from lmc_track.report.decisions import read_decisions
from lmc_track.report.facts import Facts, Source, gather
from lmc_track.report.figures.curves import curves
from lmc_track.report.figures.diagnostics import diagnostics
from lmc_track.report.figures.distances import distances
from lmc_track.report.figures.figure import PaperFigure, Subject
from lmc_track.report.figures.groups import groups
from lmc_track.report.figures.layout import settle
from lmc_track.report.figures.matrix import matrix
from lmc_track.report.figures.merges import merge_tree
from lmc_track.report.figures.modules import modules
from lmc_track.report.figures.movement import movement
from lmc_track.report.figures.scatter import scatter
from lmc_track.report.figures.steps import training
from lmc_track.report.figures.style import styled
from lmc_track.report.figures.subsets import subsets
from lmc_track.report.module_views import module_views

FAMILIES: Mapping[str, Callable[[Subject], Iterator[PaperFigure]]] = {
    "barrier-matrix": matrix,
    "paths": curves,
    "performance-groups": groups,
    "diagnostics": diagnostics,
    "subsets": subsets,
    "strategy-scatter": scatter,
    "distances": distances,
    "merge-tree": merge_tree,
    "modules": modules,
    "training": training,
    "movement": movement,
}
"""What is drawn, by the name that the files of it begin with."""


def paper_figures(
    results: Source,
    study: str,
    *,
    clustering: str | None = None,
    style: Mapping[str, Any] | None = None,
) -> list[PaperFigure]:
    """The figures of ``study`` for a paper; what it has no data for is left out.

    ``results`` is ``lmc_track.open(home)``. ``clustering`` is an id or a method, by default the
    study's own. ``style`` are settings of matplotlib (rcParams) on top of the figures' own. A
    figure's ``drawing`` is a matplotlib ``Figure``, to be changed and saved as any other.

    Raises:
        InputError: the study or the clustering is not there.
    """
    return drawn_figures(results, gather(results, study, clustering), clustering, style)


def drawn_figures(
    results: Source,
    facts: Facts,
    clustering: str | None = None,
    style: Mapping[str, Any] | None = None,
) -> list[PaperFigure]:
    """The same of facts that are gathered already."""
    subject = Subject(
        results,
        facts,
        curve_views(results, facts, clustering),
        module_views(results, facts, clustering),
        read_decisions(results, facts, clustering),
        clustering,
    )
    with styled(style):
        figures = [
            replace(figure, style=dict(style or {}))
            for family in FAMILIES.values()
            for figure in family(subject)
        ]
        for figure in figures:
            settle(figure.drawing)
    return figures


def left_out(figures: Sequence[PaperFigure]) -> list[str]:
    """Names of the families that the study has no data for."""
    return [name for name in FAMILIES if not any(f.name.startswith(name) for f in figures)]
