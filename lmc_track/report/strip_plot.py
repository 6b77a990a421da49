"""The strip plot: what every model scores on every data set, as a plotly.js figure."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lmc_track.metrics import METRICS
from lmc_track.report.facts import Facts
from lmc_track.report.findings import measure_name
from lmc_track.report.intervals import mean_interval
from lmc_track.report.palette import (
    cluster_colour,
    cluster_name,
    cluster_symbol,
    plot_text,
    rounded,
)
from lmc_track.report.wording import subset_name

Figure = dict[str, Any]

_ROWS_SHOWN = 14
_GOLDEN = 0.618


def diagnostic_rows(facts: Facts) -> tuple[list[tuple[str, str]], int]:
    """(data set, subset) of the rows that a plot has room for, and how many are left out.

    Whole sets and the primary diagnostic come first of all; subsets follow where all of them fit.
    """
    known = facts.diagnostics.filter(pl.col("value").is_not_null())
    rows = list(known.select("dataset", "subset").unique(maintain_order=True).iter_rows())
    if len(rows) <= _ROWS_SHOWN:
        return rows, 0
    primary = (facts.primary.dataset, facts.primary.subset)
    shown = [row for row in rows if row[1] == "all" or row == primary]
    return shown, len(rows) - len(shown)


def strip_figure(facts: Facts) -> Figure:
    """The primary metric of every model on every data set: one dot a model, one lane a cluster."""
    rows, _ = diagnostic_rows(facts)
    place = {row: i for i, row in enumerate(rows)}
    known = facts.diagnostics.filter(pl.col("value").is_not_null())
    clusters = sorted(set(known["cluster"].to_list()), key=lambda c: (c is None, c))
    lane = 0.8 / len(clusters)
    data: list[Figure] = []
    for k, cluster in enumerate(clusters):
        members = known.filter(pl.col("cluster").eq_missing(pl.lit(cluster, pl.Int32)))
        dots: list[tuple[float, float, str]] = []
        means: list[tuple[float, float, float, float]] = []
        for row, values in members.group_by("dataset", "subset", maintain_order=True):
            if row not in place:
                continue
            middle = place[(row[0], row[1])] + (k - (len(clusters) - 1) / 2) * lane
            for n, (name, value) in enumerate(values.select("model", "value").iter_rows()):
                jitter = ((n * _GOLDEN) % 1 - 0.5) * lane * 0.6 if values.height > 1 else 0
                dots.append((value, middle + jitter, plot_text(name)))
            if values.height > 1:
                means.append((*_mean(values["value"].to_numpy(), facts.primary.metric), middle))
        data += _lane(cluster, dots, means, one=len(clusters) == 1)
    return {
        "data": data,
        "layout": {
            "height": 110 + len(rows) * (26 + 16 * len(clusters)),
            "xaxis": {
                "title": {"text": measure_name(facts)},
                "range": _reach([x for trace in data for x in trace["x"]], facts.primary.metric),
                "zeroline": False,
            },
            "yaxis": {
                "tickvals": list(range(len(rows))),
                "ticktext": [plot_text(subset_name(*row)) for row in rows],
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


def _mean(values: NDArray[np.float64], metric: str) -> tuple[float, float, float]:
    """The mean, and how far its 95 percent interval reaches below it and above.

    A share is not below 0 nor above 1, and a correlation not beyond -1 and 1.
    """
    mean = float(np.mean(values))
    low, high = mean_interval(mean, float(np.std(values, ddof=1)), values.size) or (mean, mean)
    least, most = METRICS[metric].low, METRICS[metric].high
    return mean, mean - max(low, least), min(high, most) - mean


def _reach(values: list[float], metric: str) -> list[float] | None:
    """The ends of the axis: 1 is always seen where it is the best there is, 0 where it is near."""
    if math.isinf(METRICS[metric].high) or not values:
        return None
    low, high = min(values), max(values)
    floor = -0.02 if 0 <= low < 0.5 else float(np.floor(low * 20)) / 20 - 0.005
    top = 1.0 if metric in ("accuracy", "error") else float(np.ceil(high * 20)) / 20
    return [floor, top + (0.02 if floor == -0.02 else 0.005)]


def _lane(
    cluster: int | None,
    dots: list[tuple[float, float, str]],
    means: list[tuple[float, float, float, float]],
    *,
    one: bool,
) -> list[Figure]:
    colour = cluster_colour(cluster)
    name, symbol = cluster_name(cluster), cluster_symbol(cluster)
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
            "x": [rounded(x, 4) for x, _, _, _ in means],
            "y": [rounded(y, 4) for _, _, _, y in means],
            "error_x": {
                "type": "data",
                "symmetric": False,
                "arrayminus": [rounded(below, 4) for _, below, _, _ in means],
                "array": [rounded(above, 4) for _, _, above, _ in means],
                "thickness": 1.5,
                "width": 0,
                "color": "--ink",
            },
            "marker": {
                "symbol": "line-ns",
                "size": 16,
                "line": {"width": 2.5, "color": "--ink"},
            },
            "hovertemplate": "mean %{x:.3f}<extra>" + ("" if one else name) + "</extra>",
            "showlegend": False,
        },
    ]
