"""Colours, symbols and texts that all figures share.

A colour is the name of a CSS variable (``--ink``, ``--cluster-0``), which the page's script
replaces by its value, so that figures follow the light and the dark theme and a cluster has one
colour everywhere.
"""

from __future__ import annotations

import math
from html import escape

from lmc_track.plain_text import printable

CLUSTER_COLOURS = 6
_SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star")


def cluster_colour(cluster: int | None) -> str:
    """The CSS variable of a cluster's colour; the palette repeats after the sixth."""
    return "--plain" if cluster is None else f"--cluster-{cluster % CLUSTER_COLOURS}"


def cluster_symbol(cluster: int | None) -> str:
    """The mark of a cluster's models, for readers who do not see its colour."""
    return _SYMBOLS[(cluster or 0) % len(_SYMBOLS)]


def cluster_name(cluster: int | None) -> str:
    """A cluster as legends and headings name it."""
    return "no cluster" if cluster is None else f"cluster {cluster}"


def plot_text(text: str) -> str:
    """``text`` so that plotly.js, which reads a subset of HTML, shows it as it is."""
    return escape(printable(text), quote=False)


def rounded(value: float | None, digits: int) -> float | None:
    """To a few significant digits, which keeps the page small; NaN becomes None."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.{digits}g}")
