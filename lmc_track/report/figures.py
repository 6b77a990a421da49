"""The barrier matrix and the strip plot, as plotly.js figures in plain dicts.

A colour is the name of a CSS variable (``--ink``, ``--cluster-0``), which the page replaces by
its value, so that figures follow the light and the dark theme and a cluster has one colour
everywhere. Texts are escaped for plotly.js, which reads a subset of HTML.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Any

import numpy as np
import polars as pl

from lmc_track.report.facts import Facts

Figure = dict[str, Any]

CLUSTER_COLOURS = 6
_SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star")
_NAMES_SHOWN = 48
_ROWS_SHOWN = 14
_GOLDEN = 0.618


def cluster_colour(cluster: int | None) -> str:
    """The CSS variable of a cluster's colour; the palette repeats after the sixth."""
    return "--plain" if cluster is None else f"--cluster-{cluster % CLUSTER_COLOURS}"


def plot_text(text: str) -> str:
    """``text`` so that plotly.js shows it as it is."""
    return escape(text, quote=False)


def rounded(value: float | None, digits: int = 5) -> float | None:
    """To a few significant digits, which keeps the page small; NaN becomes None."""
    return None if value is None or not np.isfinite(value) else float(f"{value:.{digits}g}")


def in_cluster_order(facts: Facts) -> list[str]:
    """Names of the models by cluster, then in study order; those without a cluster last."""
    return facts.models.sort("cluster", "position", nulls_last=True, maintain_order=True)[
        "name"
    ].to_list()


def matrix_figure(facts: Facts) -> Figure:
    """Convexity gaps of all pairs as a heatmap in cluster order; pairs without one are marked."""
    names = in_cluster_order(facts)
    index = {name: i for i, name in enumerate(names)}
    gaps: list[list[float | None]] = [[None] * len(names) for _ in names]
    beside: list[list[list[float | None]]] = [[[None, None] for _ in names] for _ in names]
    for i in range(len(names)):
        gaps[i][i], beside[i][i] = 0.0, [0.0, 0.0]
    columns = ("model_a", "model_b", "convexity_gap", "barrier_height", "relative_gap")
    for a, b, gap, barrier, relative in facts.pairs.select(columns).iter_rows():
        for i, j in ((index[a], index[b]), (index[b], index[a])):
            gaps[i][j] = rounded(gap, 4)
            beside[i][j] = [rounded(barrier, 3), rounded(relative, 3)]
    shown = [plot_text(name) for name in names]
    heat = {
        "type": "heatmap",
        "x": shown,
        "y": shown,
        "z": gaps,
        "customdata": beside,
        "zmin": 0,
        "zmax": max((v for row in gaps for v in row if v is not None), default=0) or 1,
        "colorscale": "Cividis",
        "hoverongaps": False,
        "xgap": 1 if len(names) <= _NAMES_SHOWN else 0,
        "ygap": 1 if len(names) <= _NAMES_SHOWN else 0,
        "hovertemplate": (
            "%{y} and %{x}<br>convexity gap %{z:.3g} nats<br>barrier height %{customdata[0]:.3g} "
            "nats<br>%{customdata[1]:.1%} of the way to chance<extra></extra>"
        ),
        "colorbar": {
            "title": {"text": "convexity gap, nats", "side": "right"},
            "thickness": 12,
            "outlinewidth": 0,
            "len": 0.9,
        },
    }
    blocks = list(_blocks([facts.cluster_of[name] for name in names]))
    axis = {
        "type": "category",
        "showgrid": False,
        "zeroline": False,
        "constrain": "domain",
        "range": [-0.5, len(names) - 0.5],
        "tickvals": list(range(0, len(names), -(-len(names) // _NAMES_SHOWN))),
        "tickfont": {"size": 12 if len(names) <= 24 else 9},
    }
    pushed_out = {"ticks": "outside", "ticklen": 16, "tickcolor": "rgba(0,0,0,0)"}
    return {
        "data": [heat, *_holes(shown, gaps)],
        "layout": {
            "xaxis": {**axis, "side": "bottom", "tickangle": -90 if len(names) > 8 else 0},
            "yaxis": {
                **axis,
                "range": [len(names) - 0.5, -0.5],
                "scaleanchor": "x",
                **(pushed_out if len(blocks) > 1 else {}),
            },
            "shapes": [shape for block in blocks for shape in _strips(block, len(blocks))],
            "annotations": [_block_name(b) for b in blocks if len(blocks) > 1 and b.wide],
            "plot_bgcolor": "--hole",
            "margin": {"t": 44, "l": 16, "r": 8, "b": 16},
        },
    }


def _holes(names: list[str], gaps: list[list[float | None]]) -> Iterator[Figure]:
    """Crosses on the pairs that have no gap, so that grey is not taken for a value."""
    cells = [(j, i) for i, row in enumerate(gaps) for j, gap in enumerate(row) if gap is None]
    if cells:
        yield {
            "type": "scatter",
            "mode": "markers",
            "x": [names[j] for j, _ in cells],
            "y": [names[i] for _, i in cells],
            "marker": {"symbol": "x-thin", "size": 9, "line": {"width": 1.2, "color": "--ink"}},
            "hovertemplate": "%{y} and %{x}<br>not measured<extra></extra>",
            "showlegend": False,
        }


@dataclass(frozen=True)
class _Block:
    """Models of one cluster that lie side by side, first to last."""

    cluster: int | None
    first: int
    last: int
    total: int

    @property
    def wide(self) -> bool:
        return (self.last - self.first + 1) / self.total >= 0.12


def _blocks(clusters: Sequence[int | None]) -> Iterator[_Block]:
    first = 0
    for cluster, members in groupby(clusters):
        size = len(list(members))
        yield _Block(cluster, first, first + size - 1, len(clusters))
        first += size


def _strips(block: _Block, n_blocks: int) -> Iterator[Figure]:
    """A bar in the cluster's colour above and left of its block, and a line after it."""
    if n_blocks < 2:
        return
    low, high = block.first - 0.5, block.last + 0.5
    fill = {"type": "rect", "fillcolor": cluster_colour(block.cluster), "line": {"width": 0}}
    above = {"yref": "y domain", "y0": 1.012, "y1": 1.03}
    left = {"xref": "x domain", "x0": -0.03, "x1": -0.012}
    yield {**fill, **above, "xref": "x", "x0": low, "x1": high}
    yield {**fill, **left, "yref": "y", "y0": low, "y1": high}
    if block.last + 1 < block.total:
        line = {"type": "line", "line": {"color": "--paper", "width": 3}}
        yield {**line, "xref": "x", "x0": high, "x1": high, "yref": "y domain", "y0": 0, "y1": 1}
        yield {**line, "yref": "y", "y0": high, "y1": high, "xref": "x domain", "x0": 0, "x1": 1}


def _block_name(block: _Block) -> Figure:
    return {
        "text": "no cluster" if block.cluster is None else f"cluster {block.cluster}",
        "xref": "x",
        "x": (block.first + block.last) / 2,
        "yref": "y domain",
        "y": 1.035,
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"color": "--ink", "size": 13},
    }


def diagnostic_rows(facts: Facts) -> tuple[list[tuple[str, str]], int]:
    """(data set, subset) of the rows that a plot has room for, and how many are left out.

    Whole sets come first of all; subsets follow where all of them fit.
    """
    known = facts.diagnostics.filter(pl.col("value").is_not_null())
    rows = list(known.select("dataset", "subset").unique(maintain_order=True).iter_rows())
    if len(rows) <= _ROWS_SHOWN:
        return rows, 0
    wholes = [row for row in rows if row[1] == "all"]
    return wholes, len(rows) - len(wholes)


def row_name(dataset: str, subset: str) -> str:
    """A data set, or a subset of it, in one label."""
    return dataset if subset == "all" else f"{dataset} · {subset}"


def strip_figure(facts: Facts) -> Figure:
    """Accuracy of every model on every data set, one dot a model, one lane a cluster."""
    rows, _ = diagnostic_rows(facts)
    place = {row: i for i, row in enumerate(rows)}
    known = facts.diagnostics.filter(pl.col("value").is_not_null())
    clusters = sorted(set(known["cluster"].to_list()), key=lambda c: (c is None, c))
    lane = 0.8 / len(clusters)
    data: list[Figure] = []
    for k, cluster in enumerate(clusters):
        members = known.filter(pl.col("cluster").eq_missing(pl.lit(cluster, pl.Int32)))
        dots: list[tuple[float, float, str]] = []
        means: list[tuple[float, float]] = []
        for row, values in members.group_by("dataset", "subset", maintain_order=True):
            if row not in place:
                continue
            middle = place[(row[0], row[1])] + (k - (len(clusters) - 1) / 2) * lane
            for n, (name, value) in enumerate(values.select("model", "value").iter_rows()):
                jitter = ((n * _GOLDEN) % 1 - 0.5) * lane * 0.6
                dots.append((value, middle + jitter, plot_text(name)))
            means.append((float(np.mean(values["value"].to_numpy())), middle))
        data += _lane(cluster, dots, means, one=len(clusters) == 1)
    low = min((x for trace in data for x in trace["x"]), default=0.0)
    floor = -0.02 if low < 0.5 else np.floor(low * 20) / 20 - 0.005
    measure = "held-out accuracy" if facts.half == "held-out" else "accuracy"
    return {
        "data": data,
        "layout": {
            "height": 110 + len(rows) * (26 + 16 * len(clusters)),
            "xaxis": {
                "title": {"text": f"{measure}, one dot a model, bar = mean"},
                "range": [floor, 1.02 if floor < 0 else 1.005],
                "zeroline": False,
            },
            "yaxis": {
                "tickvals": list(range(len(rows))),
                "ticktext": [plot_text(row_name(*row)) for row in rows],
                "range": [len(rows) - 0.5, -0.5],
                "zeroline": False,
                "showgrid": False,
                "automargin": True,
            },
            "shapes": [
                {
                    "type": "line",
                    "xref": "paper",
                    "x0": 0,
                    "x1": 1,
                    "y0": i - 0.5,
                    "y1": i - 0.5,
                    "line": {"color": "--rule", "width": 1},
                }
                for i in range(1, len(rows))
            ],
            "hovermode": "closest",
            "showlegend": len(clusters) > 1,
            "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
            "margin": {"t": 40, "l": 8, "r": 16, "b": 52},
        },
    }


def _lane(
    cluster: int | None,
    dots: list[tuple[float, float, str]],
    means: list[tuple[float, float]],
    *,
    one: bool,
) -> list[Figure]:
    colour = cluster_colour(cluster)
    name = "no cluster" if cluster is None else f"cluster {cluster}"
    symbol = _SYMBOLS[(cluster or 0) % len(_SYMBOLS)]
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": "models" if one else name,
            "x": [rounded(x, 4) for x, _, _ in dots],
            "y": [rounded(y, 4) for _, y, _ in dots],
            "text": [text for _, _, text in dots],
            "marker": {"color": colour, "symbol": symbol, "size": 8, "opacity": 0.75},
            "hovertemplate": "%{text}<br>%{x:.3f}<extra>" + ("" if one else name) + "</extra>",
        },
        {
            "type": "scatter",
            "mode": "markers",
            "x": [rounded(x, 4) for x, _ in means],
            "y": [rounded(y, 4) for _, y in means],
            "marker": {
                "symbol": "line-ns",
                "size": 16,
                "line": {"width": 2.5, "color": "--ink"},
            },
            "hovertemplate": "mean %{x:.3f}<extra>" + ("" if one else name) + "</extra>",
            "showlegend": False,
        },
    ]
