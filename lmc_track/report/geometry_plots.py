"""The geometry of the models: how far apart their weights are, and where components merge."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from lmc_track.report import wording
from lmc_track.report.facts import Facts, Source, read_json
from lmc_track.report.palette import plot_text, rounded
from lmc_track.report.switched import scatter_layout, switched

Figure = dict[str, Any]

_MOST_PAIRS = 1000
_KINDS = (
    (True, "within clusters", "--within", "circle"),
    (False, "between clusters", "--between", "diamond-open"),
    (None, "all pairs", "--plain", "circle"),
)
_DISTANCES = (
    ("l2_distance", "weight distance", "distance of the weights, L2"),
    ("cosine", "cosine of the changes", "cosine of θ<sub>a</sub> − θ₀ and θ<sub>b</sub> − θ₀"),
)


def read_distances(source: Source, facts: Facts, clustering: str | None) -> pl.DataFrame:
    """The pairs whose gap and weight distance are known."""
    frame = source.query("distances", study=facts.study, half=facts.half, clustering=clustering)
    return frame.drop_nulls(["gap", "l2_distance"])


def distance_figure(facts: Facts, frame: pl.DataFrame) -> Figure:
    """Gaps over the distance of the weights, and over the cosine of what finetuning changed."""
    several = facts.found is not None and facts.found.n_clusters > 1
    views = []
    for column, label, title in _DISTANCES:
        known = frame.drop_nulls(column)
        if known.is_empty():
            continue
        data = []
        for same, name, colour, symbol in _KINDS:
            if (same is None) == several:
                continue
            rows = known if same is None else known.filter(pl.col("same_cluster") == same)
            data.append(_pairs(_sample(rows), column, name, colour, symbol))
        layout = scatter_layout(title, "convexity gap, nats", yaxis={"rangemode": "tozero"})
        layout["showlegend"] = several
        views.append((label, {"data": data, "layout": layout}))
    return switched("Distance", views)


def _sample(rows: pl.DataFrame) -> pl.DataFrame:
    """An even sample of thousands of pairs, whose dots would only hide each other."""
    return rows.gather_every(-(-rows.height // _MOST_PAIRS)) if rows.height else rows


def is_sampled(frame: pl.DataFrame) -> bool:
    """Whether the figure of distances may have fewer dots than there are pairs."""
    return frame.height > _MOST_PAIRS


def _pairs(rows: pl.DataFrame, column: str, name: str, colour: str, symbol: str) -> Figure:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [rounded(v, 4) for v in rows[column].to_list()],
        "y": [rounded(v, 4) for v in rows["gap"].to_list()],
        "text": [
            plot_text(f"{a} and {b}") for a, b in rows.select("model_a", "model_b").iter_rows()
        ],
        "marker": {"color": colour, "symbol": symbol, "size": 6, "opacity": 0.65},
        "hovertemplate": "%{text}<br>%{x:.3g}, gap %{y:.3g} nats<extra></extra>",
    }


def distance_lede(source: Source, facts: Facts, frame: pl.DataFrame) -> str:
    """How far apart the weights are, and whether pairs that are farther apart have larger gaps."""
    far = frame["l2_distance"].to_numpy()
    ends = [wording.number(float(end)) for end in (far.min(), far.max())]
    text = f"The weights of two models are {' to '.join(dict.fromkeys(ends))} apart"
    tests = source.query("mantel_tests", study=facts.study)
    tests = tests.filter(pl.col("distance") == "l2_distance").drop_nulls("r")
    if tests.is_empty():
        return f"{text}."
    row = tests.row(0, named=True)
    p = f", {wording.p_value(row['p_value'])}" if row["p_value"] is not None else ""
    return (
        f"{text}; gaps and distances of {wording.count(row['n_pairs'], 'pair')} correlate by "
        f"r = {row['r']:.2f} (Mantel test{p})."
    )


def merge_figure(facts: Facts, tree: pl.DataFrame) -> Figure:
    """How many components are left at every τ, joined by chains and without any larger gap."""
    n = facts.models.height
    data = []
    for column, name, colour, dash in (
        ("tau", "joined by chains (single linkage)", "--accent", "solid"),
        ("complete_tau", "no larger gap inside (complete linkage)", "--between", "dash"),
    ):
        rows = tree.drop_nulls(column).sort(column)
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": name,
                "x": [0.0, *(rounded(v, 4) for v in rows[column].to_list())],
                "y": [n, *rows["n_components"].to_list()],
                "line": {"color": colour, "width": 2.5, "shape": "hv", "dash": dash},
                "hovertemplate": "at τ = %{x:.3g} nats: %{y} left<extra></extra>",
            }
        )
    layout = scatter_layout(
        "τ, nats",
        "components",
        xaxis={"rangemode": "tozero"},
        yaxis={"rangemode": "tozero"},
    )
    tau = _tau(facts)
    if tau is not None:
        layout["shapes"] = [
            {
                "type": "line", "x0": tau, "x1": tau, "yref": "paper", "y0": 0, "y1": 1,
                "line": {"color": "--muted", "width": 1, "dash": "dot"},
            }
        ]  # fmt: skip
        layout["annotations"] = [
            {
                "text": f"τ = {wording.gap(tau)}", "x": tau, "xanchor": "left", "yref": "paper",
                "y": 1, "yanchor": "top", "showarrow": False, "font": {"color": "--muted"},
            }
        ]  # fmt: skip
    return {"data": data, "layout": layout}


def merge_lede(facts: Facts, tree: pl.DataFrame) -> str:
    """The longest stretch of τ at which the number of components stays, and where all are one."""
    taus = tree["tau"].to_numpy()
    last = int(tree["n_components"][-1])
    end = (
        f"at {wording.nats(float(taus[-1]))} all models are joined by chains of pairs"
        if last == 1
        else f"missing pairs keep {last:,} components apart at any τ"
    )
    steps = np.diff(taus)
    # Of equal stretches none is the longest, and the only one is not the longest of any.
    if steps.size == 0 or wording.gap(float(steps.max())) == "0":
        return f"{wording.capital(end)}."
    k = int(np.argmax(steps))
    left = int(tree["n_components"][k])
    if steps.size == 1:
        return (
            f"{wording.capital(end)}; from {wording.gap(float(taus[0]))} on there "
            f"{'is' if left == 1 else 'are'} {wording.count(left, 'component')}."
        )
    if float(steps.max() - steps.min()) <= 1e-9:
        return f"{wording.capital(end)}."
    return (
        f"{wording.capital(end)}; the longest stretch of τ without a merge, "
        f"{wording.gap(float(taus[k]))} to {wording.nats(float(taus[k + 1]))}, leaves "
        f"{wording.count(left, 'component')}."
    )


def _tau(facts: Facts) -> float | None:
    """The τ in nats of the threshold clustering on record, if it joined by the loss."""
    for row in facts.clusterings.iter_rows(named=True):
        if row["method"] == "threshold":
            settings = read_json(row["settings"])
            tau = settings.get("tau", read_json(row["statistics"]).get("tau"))
            if settings.get("metric", "loss") != "loss":
                return None
            return float(tau) if isinstance(tau, int | float) else None
    return None
