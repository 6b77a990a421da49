"""Training dynamics as a figure: every training's diagnostic and loss over the tracked steps."""

from __future__ import annotations

from typing import Any

import polars as pl

from lmc_track.report import wording
from lmc_track.report.dynamics import Dynamics
from lmc_track.report.facts import Facts
from lmc_track.report.palette import (
    cluster_colour,
    cluster_name,
    cluster_symbol,
    plot_text,
    rounded,
)
from lmc_track.report.switched import scatter_layout, switched

Figure = dict[str, Any]


def dynamics_figure(dynamics: Dynamics, facts: Facts) -> Figure | None:
    """One line a training in its final cluster's colour; an open mark where it changed sides.

    None where nothing was evaluated at two steps.
    """
    primary = facts.primary
    diagnostic = wording.subset_name(primary.dataset, primary.subset)
    views = []
    for column, label, title in (
        ("diagnostic", diagnostic, f"{diagnostic} {wording.metric_name(primary.metric)}"),
        ("validation_loss", "validation loss", "validation loss, nats"),
    ):
        known = dynamics.models.drop_nulls(["step", column])
        if known["step"].n_unique() > 1:
            layout = scatter_layout("training step", plot_text(title))
            views.append((label, {"data": _lines(known, column), "layout": layout}))
    return switched("Measure", views) if views else None


def _lines(known: pl.DataFrame, column: str) -> list[Figure]:
    data: list[Figure] = []
    named: set[int | None] = set()
    for (training,), rows in known.group_by("training", maintain_order=True):
        cluster = rows["cluster"][-1]
        ordered = rows.sort("step")
        moved = ordered["moved"].fill_null(False).to_list()
        symbol = cluster_symbol(cluster)
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": cluster_name(cluster),
                "legendgroup": cluster_name(cluster),
                "showlegend": cluster not in named,
                "x": ordered["step"].to_list(),
                "y": [rounded(v, 4) for v in ordered[column].to_list()],
                "text": [
                    plot_text(str(training)) + ("<br>changed sides" if m else "") for m in moved
                ],
                "line": {"color": cluster_colour(cluster), "width": 1.5},
                "marker": {
                    "color": cluster_colour(cluster),
                    "symbol": [f"{symbol}-open" if m else symbol for m in moved],
                    "size": [11 if m else 6 for m in moved],
                },
                "hovertemplate": "%{text}<br>step %{x:,}: %{y:.3g}<extra></extra>",
            }
        )
        named.add(cluster)
    return data
