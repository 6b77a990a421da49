"""Space on paper: how wide text is, what fits, where a legend goes.

Nothing is drawn over data: legends stand above the axes. Knows no study.
"""

from __future__ import annotations

from collections.abc import Sequence
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


def text_width(text: str, size: float = SMALL) -> float:
    """Inches that ``text`` takes in the figures' type."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    width, _, _ = text_to_path.get_text_width_height_descent(
        text, FontProperties(size=size), ismath=False
    )
    return float(width) / POINTS


def shortened(text: str, width: float, size: float = SMALL) -> str:
    """``text`` in at most ``width`` inches: what is too long loses its middle."""
    if text_width(text, size) <= width:
        return text
    for kept in range(len(text) - 1, 1, -1):
        head, tail = -(-kept // 2), kept // 2
        cut = f"{text[:head]}…{text[len(text) - tail :]}"
        if text_width(cut, size) <= width:
            return cut
    return "…"


def distinct(names: Sequence[str], width: float, size: float = SMALL) -> list[str]:
    """All ``names`` shortened; those that would then read alike keep their ends."""
    short = [shortened(name, width, size) for name in names]
    if len(set(short)) == len(set(names)):
        return short
    return [_end_of(name, width, size) for name in names]


def _end_of(text: str, width: float, size: float) -> str:
    if text_width(text, size) <= width:
        return text
    start = next(k for k in range(1, len(text) + 1) if text_width(f"…{text[k:]}", size) <= width)
    return f"…{text[start:]}"


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
