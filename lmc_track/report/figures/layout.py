"""Space on paper: how wide text is, what fits, where a legend goes.

Nothing is drawn over data: legends stand above the axes. Knows no study.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from lmc_track.report.figures.style import SMALL

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS = 72.0
LINE = 1.25
"""The height of a line of text, in its size."""


def new_figure(width: float, height: float) -> Figure:
    """A figure of so many inches whose axes make room for all their labels."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    pad = 3 / POINTS
    figure.get_layout_engine().set(w_pad=pad, h_pad=pad, wspace=0.03, hspace=0.03)  # type: ignore[call-arg, union-attr]
    return figure


def settle(figure: Figure) -> None:
    """Lay the figure out for good: each file of it is the same, whichever was written before."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


@cache
def _measured(text: str, size: float, family: str) -> float:
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=family, size=size)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) / POINTS


def text_width(text: str, size: float = SMALL) -> float:
    """Inches that ``text`` takes in the type that is being set."""
    from matplotlib import rcParams

    return _measured(text, size, str(rcParams["font.family"][0]))


def shortened(text: str, width: float, size: float = SMALL) -> str:
    """``text`` in at most ``width`` inches: what is too long loses its middle."""
    return _longest(text, width, size, lambda kept: _middle_cut(text, kept))


def _middle_cut(text: str, kept: int) -> str:
    head, tail = -(-kept // 2), kept // 2
    return f"{text[:head]}…{text[len(text) - tail :]}"


def _longest(text: str, width: float, size: float, cut: Callable[[int], str]) -> str:
    """``text``, or ``cut`` of as many characters as fit; an ellipsis where none do."""
    if text_width(text, size) <= width:
        return text
    fits = bisect_left(range(1, len(text)), width, key=lambda k: text_width(cut(k), size))
    # What bisection found fits up to rounding; a narrow letter may be off by one.
    while fits and text_width(cut(fits), size) > width:
        fits -= 1
    return cut(fits) if fits else "…"


def distinct(names: Sequence[str], width: float, size: float = SMALL) -> list[str]:
    """All ``names`` shortened; those that would then read alike keep their ends."""
    short = [shortened(name, width, size) for name in names]
    if len(set(short)) == len(set(names)):
        return short
    return [_end_of(name, width, size) for name in names]


def _end_of(text: str, width: float, size: float) -> str:
    return _longest(text, width, size, lambda kept: f"…{text[len(text) - kept :]}")


def legend_above(figure: Figure, handles: Sequence[Any]) -> None:
    """A legend over all axes, in as many columns as the figure's width has room for."""
    if not handles:
        return
    most = figure.get_size_inches()[0] - 0.1
    columns = legend_columns([str(handle.get_label()) for handle in handles], most)
    figure.legend(
        handles=list(handles),
        loc="outside upper left",
        ncols=columns,
        borderpad=0.1,
        labelspacing=0.25,
    )


def legend_columns(labels: Sequence[str], width: float) -> int:
    """How many columns of a legend fit into ``width`` inches, at least one."""
    handle = (1.4 + 0.5 + 1.2) * SMALL / POINTS
    entries = [text_width(label) + handle for label in labels]
    for columns in range(len(labels), 1, -1):
        rows = -(-len(labels) // columns)
        used = [max(entries[k * rows : (k + 1) * rows], default=0.0) for k in range(columns)]
        if sum(used) <= width:
            return columns
    return 1


def legend_height(labels: Sequence[str], width: float) -> float:
    """Inches that the legend of ``labels`` takes above axes."""
    if not labels:
        return 0.0
    return -(-len(labels) // legend_columns(labels, width)) * LINE * SMALL / POINTS + 0.04
