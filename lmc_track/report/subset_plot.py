"""The dot plot of subsets: what each cluster scores on every part of a data set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from lmc_track.report import wording
from lmc_track.report.facts import Facts
from lmc_track.report.findings import measure_name
from lmc_track.report.palette import (
    cluster_colour,
    cluster_name,
    cluster_symbol,
    plot_text,
    rounded,
)
from lmc_track.report.switched import switched

Figure = dict[str, Any]

_LEAST = 2


def subset_rows(facts: Facts) -> dict[str, pl.DataFrame]:
    """By data set with two subsets at least, the rows of its subsets in ``cluster_diagnostics``.

    The data set of the primary diagnostic comes first.
    """
    frame = facts.cluster_diagnostics.filter(
        (pl.col("subset") != "all") & pl.col("mean").is_not_null()
    )
    found = {
        str(dataset): rows
        for (dataset,), rows in frame.group_by("dataset", maintain_order=True)
        if rows["subset"].n_unique() >= _LEAST
    }
    return dict(sorted(found.items(), key=lambda item: item[0] != facts.primary.dataset))


def subset_figure(facts: Facts) -> Figure:
    """One view a data set: a row a subset, a dot at each cluster's mean, a line over its models."""
    return switched("Data set", list(_views(facts)))


def _views(facts: Facts) -> Iterator[tuple[str, Figure]]:
    for dataset, rows in subset_rows(facts).items():
        ranked = rows.sort([pl.col("spread").fill_null(0), "subset"], descending=[True, False])
        order = ranked["subset"].unique(maintain_order=True).to_list()
        place = {subset: k for k, subset in enumerate(order)}
        clusters = sorted(set(rows["cluster"].to_list()), key=lambda c: (c is None, c))
        data = [
            _cluster(
                rows.filter(pl.col("cluster").eq_missing(pl.lit(c, pl.Int32))), c, place, shift
            )
            for c, shift in zip(clusters, _shifts(len(clusters)), strict=True)
        ]
        yield dataset, {"data": data, "layout": _layout(facts, dataset, order, len(clusters) > 1)}


def _of(rows: pl.DataFrame, cluster: int | None) -> pl.DataFrame:
    return rows.filter(pl.col("cluster").eq_missing(pl.lit(cluster, pl.Int32)))


def _shifts(n: int) -> list[float]:
    """How far each cluster's dots stand off the middle of their row."""
    return [(k - (n - 1) / 2) * 0.36 / max(n - 1, 1) for k in range(n)]


def _cluster(
    rows: pl.DataFrame, cluster: int | None, place: dict[str, int], shift: float
) -> Figure:
    columns = ("subset", "mean", "min", "max", "n_models")
    listed = list(rows.select(columns).iter_rows())
    return {
        "type": "scatter",
        "mode": "markers",
        "name": cluster_name(cluster),
        "x": [rounded(row[1], 4) for row in listed],
        "y": [place[row[0]] + shift for row in listed],
        "text": [plot_text(row[0]) for row in listed],
        "customdata": [[rounded(row[2], 3), rounded(row[3], 3), row[4]] for row in listed],
        "error_x": {
            "type": "data", "symmetric": False, "thickness": 1.5, "width": 0,
            "color": cluster_colour(cluster),
            "array": [rounded(row[3] - row[1], 4) for row in listed],
            "arrayminus": [rounded(row[1] - row[2], 4) for row in listed],
        },
        "marker": {
            "color": cluster_colour(cluster), "symbol": cluster_symbol(cluster), "size": 9,
        },
        "hovertemplate": (
            "%{text}<br>mean %{x:.3f}, %{customdata[0]:.3f} to %{customdata[1]:.3f} over "
            "%{customdata[2]} models<extra>" + cluster_name(cluster) + "</extra>"
        ),
    }  # fmt: skip


def _layout(facts: Facts, dataset: str, order: list[str], several: bool) -> Figure:
    return {
        "height": 110 + 24 * len(order),
        "xaxis": {
            "title": {"text": f"{plot_text(dataset)} {measure_name(facts)}"},
            "zeroline": False,
        },
        "yaxis": {
            "tickvals": list(range(len(order))),
            "ticktext": [plot_text(name) for name in order],
            "range": [len(order) - 0.4, -0.6],
            "zeroline": False,
        },
        "hovermode": "closest",
        "showlegend": several,
        "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
        "margin": {"t": 40, "l": 8, "r": 16, "b": 52},
    }


def subset_lede(facts: Facts) -> str:
    """By how much clusters, or else models, differ on the subsets, and on which most."""
    dataset, rows = next(iter(subset_rows(facts).items()))
    metric = wording.metric_name(facts.primary.metric)
    several = facts.found is not None and facts.found.n_clusters > 1
    how = rows if several else rows.with_columns(spread=pl.col("max") - pl.col("min"))
    ranked = (
        how.select("subset", "spread").drop_nulls().unique(maintain_order=True)
        .sort("spread", descending=True, maintain_order=True)
    )  # fmt: skip
    n = wording.count(rows["subset"].n_unique(), "subset")
    if ranked.is_empty():
        return f"{wording.capital(metric)} on {n} of {dataset}."
    most, least = ranked.row(0), ranked.row(-1)
    who = "the clusters' mean" if several else "the models'"
    if ranked.height == 1:
        name = f"{most[0]}, a subset of {dataset},"
        return f"On {name} {who} {metric} differs by {wording.share(most[1])}."
    if wording.share(most[1]) == wording.share(least[1]):
        return f"On each of {n} of {dataset} {who} {metric} differs by {wording.share(most[1])}."
    return (
        f"On {n} of {dataset} {who} {metric} differs by {wording.share(least[1])} ({least[0]}) to "
        f"{wording.share(most[1])} ({most[0]})."
    )
