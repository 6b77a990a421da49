"""The barrier matrix as a plotly.js figure: a heatmap in cluster order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import polars as pl

from lmc_track.report.decisions import Decisions
from lmc_track.report.facts import Facts
from lmc_track.report.palette import cluster_colour, cluster_name, plot_text, rounded

Figure = dict[str, Any]

_NAMES_SHOWN = 48
_LEAST_OF_THE_WAY = 0.1


def in_cluster_order(facts: Facts) -> list[str]:
    """Names of the models by cluster, then in study order; those without a cluster last."""
    return facts.models.sort("cluster", "position", nulls_last=True, maintain_order=True)[
        "name"
    ].to_list()


def matrix_figure(facts: Facts, decisions: Decisions | None = None) -> Figure:
    """Convexity gaps of all pairs as a heatmap in cluster order.

    Pairs without a gap are marked, and so are those that the ``decisions`` leave open.
    """
    names = in_cluster_order(facts)
    index = {name: i for i, name in enumerate(names)}
    gaps: list[list[float | None]] = [[None] * len(names) for _ in names]
    beside: list[list[list[float | str | None]]] = [
        [[None, None, ""] for _ in names] for _ in names
    ]
    said = decisions.hover() if decisions else {}
    for i in range(len(names)):
        gaps[i][i], beside[i][i] = 0.0, [0.0, 0.0, ""]
    columns = ("model_a", "model_b", "convexity_gap", "barrier_height", "relative_gap")
    for a, b, gap, barrier, relative in facts.pairs.select(columns).iter_rows():
        for i, j in ((index[a], index[b]), (index[b], index[a])):
            gaps[i][j] = rounded(gap, 4)
            bounds = f"<br>{said[a, b]}" if (a, b) in said else ""
            beside[i][j] = [rounded(barrier, 3), rounded(relative, 3), bounds]
    shown = [plot_text(name) for name in names]
    heat = {
        "type": "heatmap",
        "x": shown,
        "y": shown,
        "z": gaps,
        "customdata": beside,
        "zmin": 0,
        "zmax": scale_top(facts),
        "colorscale": "Cividis",
        "hoverongaps": False,
        "xgap": 1 if len(names) <= _NAMES_SHOWN else 0,
        "ygap": 1 if len(names) <= _NAMES_SHOWN else 0,
        "hovertemplate": (
            "%{y} and %{x}<br>convexity gap %{z:.3g} nats<br>barrier height %{customdata[0]:.3g} "
            "nats<br>%{customdata[1]:.1%} of the way to chance%{customdata[2]}<extra></extra>"
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
    pushed_out = {"ticks": "outside", "ticklen": 20, "tickcolor": "rgba(0,0,0,0)"}
    return {
        "data": [heat, *_holes(shown, gaps), *_rings(shown, index, decisions)],
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
            "margin": {"t": 44 if len(blocks) > 1 else 12, "l": 16, "r": 8, "b": 16},
        },
    }


def scale_top(facts: Facts) -> float:
    """The gap, in nats, at the top of the colour scale: the largest one, or a tenth of the way
    to chance where all are below it, so that noise does not shine like a barrier."""
    known = facts.measured.select("convexity_gap", "relative_gap").drop_nulls()
    known = known.filter(pl.col("relative_gap") > 0)
    ways = (known["convexity_gap"] / known["relative_gap"]).to_numpy()
    least = _LEAST_OF_THE_WAY * float(np.median(ways)) if ways.size else 0.0
    largest = float(np.max(facts.measured["convexity_gap"].to_numpy(), initial=0.0))
    return max(largest, least) or 1.0


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


def _rings(
    names: list[str], index: Mapping[str, int], decisions: Decisions | None
) -> Iterator[Figure]:
    """Rings on the pairs of which the examples do not say whether they are connected."""
    pairs = [(index[a], index[b]) for a, b in decisions.undecided] if decisions else []
    if pairs:
        cells = [*pairs, *((j, i) for i, j in pairs)]
        yield {
            "type": "scatter",
            "mode": "markers",
            "x": [names[j] for _, j in cells],
            "y": [names[i] for i, _ in cells],
            "marker": {
                "symbol": "circle-open",
                "size": 7 if len(names) <= 24 else 4,
                "color": "--paper",
                "line": {"width": 1.5},
            },
            "hoverinfo": "skip",
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
    above = {"yref": "y domain", "ysizemode": "pixel", "yanchor": 1, "y0": 4, "y1": 14}
    left = {"xref": "x domain", "xsizemode": "pixel", "xanchor": 0, "x0": -14, "x1": -4}
    yield {**fill, **above, "xref": "x", "x0": low, "x1": high}
    yield {**fill, **left, "yref": "y", "y0": low, "y1": high}
    if block.last + 1 < block.total:
        line = {"type": "line", "line": {"color": "--paper", "width": 3}}
        yield {**line, "xref": "x", "x0": high, "x1": high, "yref": "y domain", "y0": 0, "y1": 1}
        yield {**line, "yref": "y", "y0": high, "y1": high, "xref": "x domain", "x0": 0, "x1": 1}


def _block_name(block: _Block) -> Figure:
    return {
        "text": cluster_name(block.cluster),
        "xref": "x",
        "x": (block.first + block.last) / 2,
        "yref": "y domain",
        "y": 1,
        "yshift": 15,
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"color": "--ink", "size": 13},
    }
