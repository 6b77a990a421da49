"""Values along the paths as the page draws them: single curves, medians and middle halves.

One view is one data set in one metric. A view of thousands of pairs keeps an even sample of its
single curves; medians and bands are always over all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lmc_track.report.facts import Facts, Source
from lmc_track.report.figures import rounded

_FIRST_VIEW_CURVES = 5000
_OTHER_VIEW_CURVES = 400
_METRICS = (("loss", "loss, nats"), ("accuracy", "accuracy"))


@dataclass(frozen=True)
class CurveGroup:
    """Curves of one kind of pairs.

    ``values``: float64 (n pairs, n alphas), NaN where a point is missing. ``pairs``: indices of
    the two models into the study's models.
    """

    key: str
    label: str
    colour: str
    pairs: list[tuple[int, int]]
    values: NDArray[np.float64]

    def quantile(self, q: float) -> NDArray[np.float64]:
        """Over the pairs, at each alpha; shape (n alphas,)."""
        quantile: NDArray[np.float64] = np.nanquantile(self.values, q, axis=0)
        return quantile


@dataclass(frozen=True)
class CurveView:
    """``entropy`` is the loss of who knows only how frequent the labels are, in nats."""

    dataset: str
    metric: str
    y_title: str
    entropy: float | None
    groups: tuple[CurveGroup, ...]


def curve_views(
    source: Source, facts: Facts, clustering: str | None
) -> tuple[list[CurveView], list[float]]:
    """All views that have curves, validation's loss first, and their common grid."""
    alphas = [float(alpha) for alpha in facts.summary["alphas"]]
    views = []
    for dataset in facts.datasets["dataset"].to_list():
        entropy = _entropy(source, facts, dataset)
        for metric, y_title in _METRICS:
            frame = source.query(
                "curves",
                study=facts.study,
                dataset=dataset,
                half=facts.half,
                metric=metric,
                clustering=clustering,
            )
            groups = _groups(frame, facts, alphas)
            if groups:
                shown = entropy if metric == "loss" else None
                views.append(CurveView(dataset, metric, y_title, shown, groups))
    return views, alphas


def _entropy(source: Source, facts: Facts, dataset: str) -> float | None:
    """None where all labels are the same: there is no chance level to draw."""
    rows = source.query("chance_headroom", study=facts.study, dataset=dataset, half=facts.half)
    entropy = None if rows.is_empty() else rows["entropy"][0]
    return entropy if entropy else None


def _groups(frame: pl.DataFrame, facts: Facts, alphas: list[float]) -> tuple[CurveGroup, ...]:
    known = frame.filter(pl.col("value").is_not_null() & pl.col("alpha").is_in(alphas))
    if known.is_empty():
        return ()
    position = {name: i for i, name in enumerate(facts.models["name"].to_list())}
    pairs = known.select("model_a", "model_b", "same_cluster").unique(
        ["model_a", "model_b"], maintain_order=True
    )
    rows = known.join(pairs.with_row_index("pair"), on=["model_a", "model_b"])
    columns = np.searchsorted(np.array(alphas), rows["alpha"].to_numpy())
    values = np.full((pairs.height, len(alphas)), np.nan)
    values[rows["pair"].to_numpy(), columns] = rows["value"].to_numpy()
    inside = np.isfinite(values[:, 1:-1]).any(axis=1)
    ends = [(position[a], position[b]) for a, b, _ in pairs.iter_rows()]
    same = pairs["same_cluster"].to_list()
    groups = []
    for key, label, colour, wanted in _kinds(facts):
        of_kind = [wanted == "any" or flag is wanted for flag in same]
        chosen = [i for i in range(len(ends)) if inside[i] and of_kind[i]]
        if chosen:
            members = [ends[i] for i in chosen]
            groups.append(CurveGroup(key, label, colour, members, values[chosen]))
    return tuple(groups)


def _kinds(facts: Facts) -> list[tuple[str, str, str, bool | str | None]]:
    """(key, label, colour, value of ``same_cluster``) of the kinds of pairs there can be."""
    if facts.found is None:
        return [("all", "all pairs", "--plain", "any")]
    if facts.found.n_clusters < 2:
        return [("all", "all pairs", "--within", "any")]
    return [
        ("between", "between clusters", "--between", False),
        ("within", "within clusters", "--within", True),
        ("other", "models without a cluster", "--plain", None),
    ]


def views_for_page(views: list[CurveView], alphas: list[float], facts: Facts) -> dict[str, Any]:
    """The views as JSON for the page's script."""
    return {
        "alphas": alphas,
        "models": facts.models["name"].to_list(),
        "views": [
            {
                "dataset": view.dataset,
                "metric": view.metric,
                "y_title": view.y_title,
                "entropy": rounded(view.entropy, 4),
                "groups": [
                    _group_for_page(group, _FIRST_VIEW_CURVES if k == 0 else _OTHER_VIEW_CURVES)
                    for group in view.groups
                ],
            }
            for k, view in enumerate(views)
        ],
    }


def _group_for_page(group: CurveGroup, most: int) -> dict[str, Any]:
    step = -(-len(group.pairs) // most)
    return {
        "key": group.key,
        "label": group.label,
        "colour": group.colour,
        "n_pairs": len(group.pairs),
        "pairs": group.pairs[::step],
        "values": [[rounded(v, 4) for v in curve] for curve in group.values[::step].tolist()],
        "median": [rounded(v, 4) for v in group.quantile(0.5).tolist()],
        "low": [rounded(v, 4) for v in group.quantile(0.25).tolist()],
        "high": [rounded(v, 4) for v in group.quantile(0.75).tolist()],
    }
