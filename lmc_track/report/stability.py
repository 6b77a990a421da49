"""How stable the clusters are: how often models stay together when examples or models change."""

from __future__ import annotations

from typing import Any

import polars as pl

from lmc_track.report import wording
from lmc_track.report.facts import Facts, Source
from lmc_track.report.palette import (
    cluster_colour,
    cluster_name,
    cluster_symbol,
    plot_text,
    rounded,
)

Figure = dict[str, Any]

_SHOWN = 40


def read_stability(source: Source, facts: Facts, clustering: str | None) -> pl.DataFrame | None:
    """The rows of ``stability``, the least stable model first; None where it was not tried."""
    if facts.found is None or facts.found.n_clusters < 2:
        return None
    frame = source.query("stability", study=facts.study, clustering=clustering)
    frame = frame.filter(
        pl.col("own_by_examples").is_not_null() | pl.col("own_by_models").is_not_null()
    )
    margin = pl.min_horizontal(
        pl.col("own_by_examples") - pl.col("other_by_examples").fill_null(0),
        pl.col("own_by_models") - pl.col("other_by_models").fill_null(0),
    )
    if frame.is_empty():
        return None
    return frame.with_columns(margin=margin).sort("margin", nulls_last=True, maintain_order=True)


def stability_figure(frame: pl.DataFrame) -> Figure:
    """A row a model, the least stable first: shares with its own and with the nearest cluster."""
    shown = frame.head(_SHOWN)
    names = shown["model"].to_list()
    data = []
    for by, what, shift in (("examples", "examples", -0.15), ("models", "models", 0.15)):
        for whose, fill in (("own", True), ("other", False)):
            column = f"{whose}_by_{by}"
            clusters = shown["cluster"].to_list()
            data.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": f"{'own' if fill else 'nearest other'}, {what} resampled",
                    "x": [rounded(v, 3) for v in shown[column].to_list()],
                    "y": [k + shift for k in range(len(names))],
                    "text": [
                        plot_text(f"{name} ({cluster_name(c)})")
                        for name, c in zip(names, clusters, strict=True)
                    ],
                    "marker": {
                        "color": "--accent" if fill else "--between",
                        "symbol": ("circle" if by == "examples" else "diamond")
                        + ("" if fill else "-open"),
                        "size": 8,
                        "line": {"width": 1.5},
                    },
                    "hovertemplate": "%{text}<br>together %{x:.1%}<extra></extra>",
                }
            )
    marks = {
        "type": "scatter",
        "mode": "markers",
        "x": [-0.035] * len(names),
        "y": list(range(len(names))),
        "marker": {
            "color": [cluster_colour(c) for c in shown["cluster"].to_list()],
            "symbol": [cluster_symbol(c) for c in shown["cluster"].to_list()],
            "size": 8,
        },
        "hoverinfo": "skip",
        "showlegend": False,
    }
    return {
        "data": [*data, marks],
        "layout": {
            "height": 130 + 24 * len(names),
            "xaxis": {
                "title": {"text": "share of the resamples with the cluster"},
                "range": [-0.06, 1.03],
                "zeroline": False,
                "tickformat": ".0%",
            },
            "yaxis": {
                "tickvals": list(range(len(names))),
                "ticktext": [plot_text(name) for name in names],
                "range": [len(names) - 0.4, -0.6],
                "zeroline": False,
            },
            "hovermode": "closest",
            "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
            "margin": {"t": 60, "l": 8, "r": 16, "b": 52},
        },
    }


def stability_lede(frame: pl.DataFrame) -> str:
    """Which model is least sure of its cluster, and how many are in doubt."""
    row = frame.row(0, named=True)
    doubtful = frame.filter(
        (pl.col("other_by_examples") >= pl.col("own_by_examples"))
        | (pl.col("other_by_models") >= pl.col("own_by_models"))
    ).height
    shares = [
        f"{wording.percent(row[f'own_by_{by}'])} when {by} are resampled"
        for by in ("examples", "models")
        if row[f"own_by_{by}"] is not None
    ]
    known = [f"{whose}_by_{by}" for whose in ("own", "other") for by in ("examples", "models")]
    if frame.height > 1 and all(frame[name].n_unique() == 1 for name in known):
        # Where all are as stable, none is the least stable.
        n = wording.count(frame.height, "model")
        text = f"Each of {n} is with models of its own cluster in {wording.listing(shares)}"
    else:
        text = _least_stable(frame, row["model"], shares)
    if doubtful == 0:
        return f"{text}; no model is as often with another cluster."
    verb = "is" if doubtful == 1 else "are"
    return f"{text}; {wording.count(doubtful, 'model')} {verb} as often with another cluster."


def _least_stable(frame: pl.DataFrame, model: str, shares: list[str]) -> str:
    return (
        f"The least stable of {wording.count(frame.height, 'model')}, {model}, is with "
        f"models of its own cluster in {wording.listing(shares)}"
    )
