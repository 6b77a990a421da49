"""The strip plot: every model's accuracy on every data set, as a plotly.js figure."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from lmc_track.report.facts import Facts
from lmc_track.report.palette import (
    cluster_colour,
    cluster_name,
    cluster_symbol,
    plot_text,
    rounded,
)

Figure = dict[str, Any]

_ROWS_SHOWN = 14
_GOLDEN = 0.618


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
                jitter = ((n * _GOLDEN) % 1 - 0.5) * lane * 0.6 if values.height > 1 else 0
                dots.append((value, middle + jitter, plot_text(name)))
            if values.height > 1:
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
                "title": {"text": measure},
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
