"""How the paper's figures look: size, type and colours.

Knows no study. The colours are those of the page's light theme and are read from its style sheet,
so that a cluster has one colour on the page and in the paper.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import Any

from lmc_track.report.palette import cluster_colour, cluster_symbol

COLUMN = 3.25
"""Inches: one column of a two-column paper."""

TEXT = 5.5
"""Inches: the width of text in ICLR's and NeurIPS' styles."""

SMALL, LABEL, TITLE = 7.0, 7.5, 8.0
"""Points: ticks and legends, labels of axes, titles."""

MATRIX_COLOURS = "cividis"

STYLE: Mapping[str, Any] = {
    "font.family": "sans-serif",
    # The first comes with matplotlib, so every machine sets the same type; the others are for
    # readers of an SVG who do not have it, and are no wider.
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "Helvetica"],
    "font.size": LABEL,
    "axes.titlesize": TITLE,
    "axes.labelsize": LABEL,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "figure.titlesize": TITLE,
    "text.parse_math": False,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlepad": 4,
    "axes.labelpad": 2.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.major.pad": 2,
    "ytick.major.pad": 2,
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.2,
    "legend.frameon": False,
    "legend.handlelength": 1.4,
    "legend.handletextpad": 0.5,
    "legend.columnspacing": 1.2,
    "legend.borderaxespad": 0.2,
    "savefig.dpi": 300,
    "figure.dpi": 300,
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "lmc-track",
}
"""Matplotlib's settings, upon its own defaults; a user's matplotlibrc changes nothing."""

_MARKERS = {
    "circle": "o",
    "diamond": "D",
    "square": "s",
    "triangle-up": "^",
    "cross": "P",
    "star": "*",
}


@contextmanager
def styled(style: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Matplotlib's settings for the time of drawing: its defaults, ours, then ``style``."""
    from matplotlib.style import context

    coloured = {
        name: colour(variable)
        for name, variable in {
            "text.color": "--ink",
            "axes.labelcolor": "--ink",
            "axes.titlecolor": "--ink",
            "axes.edgecolor": "--plain",
            "xtick.color": "--plain",
            "ytick.color": "--plain",
            "xtick.labelcolor": "--ink",
            "ytick.labelcolor": "--ink",
            "grid.color": "--grid",
            "figure.facecolor": "--paper",
            "savefig.facecolor": "--paper",
        }.items()
    }
    with context(["default", coloured, dict(STYLE), dict(style or {})]):
        yield


@cache
def light_theme() -> Mapping[str, str]:
    """The page's colours by CSS variable (``--ink``), as hex, of its first ``:root`` block."""
    sheet = (files("lmc_track.report") / "page.css").read_text(encoding="utf-8")
    block = sheet[: sheet.index("}")]
    return dict(re.findall(r"(--[\w-]+): *(#[0-9a-fA-F]{6})\b", block))


def colour(variable: str) -> str:
    """The light theme's value of a CSS variable such as ``--cluster-0``."""
    return light_theme()[variable]


def of_cluster(cluster: int | None) -> str:
    """A cluster's colour, as hex."""
    return colour(cluster_colour(cluster))


def marker(cluster: int | None) -> str:
    """A cluster's mark, for readers who do not see its colour."""
    return _MARKERS[cluster_symbol(cluster)]
