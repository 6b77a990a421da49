"""Values along the paths as the page draws them: single curves, medians and middle halves.

One view is one data set in one metric. Pairs within each cluster are a group of their own, since
on a diagnostic set clusters differ; pairs between clusters are turned so that α = 0 is the model
of the lower-numbered cluster, since otherwise their two directions would be averaged. Of
thousands of pairs an even sample is drawn; medians and bands are over all, and every single curve
is there to be marked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lmc_track.report.facts import Facts, Source
from lmc_track.report.packed import packed
from lmc_track.report.palette import CLUSTER_COLOURS, cluster_colour, rounded

_FIRST_VIEW_CURVES = 5000
_OTHER_VIEW_CURVES = 400
_METRICS = (("loss", "loss, nats"), ("accuracy", "accuracy"))


@dataclass(frozen=True)
class CurveGroup:
    """Curves of one kind of pairs: ``kind`` is within, between, all or other.

    ``values``: float64 (n pairs, n alphas), NaN where a point is missing. ``pairs``: indices, in
    study order, of the models at α = 0 and at α = 1.
    """

    kind: str
    label: str
    colour: str
    pairs: list[tuple[int, int]]
    values: NDArray[np.float64]
    ensemble: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class CurveView:
    """``entropy`` is the loss of who knows only how frequent the labels are, in nats."""

    dataset: str
    metric: str
    y_title: str
    entropy: float | None
    groups: tuple[CurveGroup, ...]

    def median_curves(self) -> list[tuple[str, NDArray[np.float64]]]:
        """(kind, median over the pairs at each alpha), the clusters taken together."""
        kinds = dict.fromkeys(group.kind for group in self.groups)
        together = {
            kind: np.concatenate([g.values for g in self.groups if g.kind == kind])
            for kind in kinds
        }
        return [(kind, quantile(values, 0.5)) for kind, values in together.items()]


def quantile(values: NDArray[np.float64], q: float) -> NDArray[np.float64]:
    """Over the pairs, at each alpha; shape (n alphas,), NaN where no pair has the point."""
    found = np.full(values.shape[1], np.nan)
    known = ~np.isnan(values).all(axis=0)
    found[known] = np.nanquantile(values[:, known], q, axis=0)
    return found


def curve_views(source: Source, facts: Facts, clustering: str | None) -> list[CurveView]:
    """All views that have curves, validation's loss first, on the common grid."""
    views: list[CurveView] = []
    if not facts.summary["n_points"]:
        return views
    for dataset in facts.datasets["dataset"].to_list():
        for metric, y_title in _METRICS:
            frame = source.query(
                "curves",
                study=facts.study,
                dataset=dataset,
                half=facts.half,
                metric=metric,
                clustering=clustering,
            )
            groups = _groups(frame, facts)
            if groups and metric == "loss":
                groups = _with_ensembles(groups, source, facts, dataset, clustering)
            if groups:
                entropy = _entropy(source, facts, dataset) if metric == "loss" else None
                views.append(CurveView(dataset, metric, y_title, entropy, groups))
    return views


def grid(facts: Facts) -> list[float]:
    """The common grid of the study, ends included."""
    return [float(alpha) for alpha in facts.summary["alphas"]]


def _entropy(source: Source, facts: Facts, dataset: str) -> float | None:
    """None where all labels are the same: there is no chance level to draw."""
    rows = source.query("chance_headroom", study=facts.study, dataset=dataset, half=facts.half)
    entropy = None if rows.is_empty() else rows["entropy"][0]
    return entropy if entropy else None


def _groups(frame: pl.DataFrame, facts: Facts) -> tuple[CurveGroup, ...]:
    alphas = grid(facts)
    known = frame.filter(pl.col("value").is_not_null() & pl.col("alpha").is_in(alphas))
    if known.is_empty():
        return ()
    ends = ["model_a", "model_b"]
    pairs = known.select(*ends, "cluster_a", "cluster_b").unique(ends, maintain_order=True)
    rows = known.join(pairs.select(ends).with_row_index("pair"), on=ends)
    values = np.full((pairs.height, len(alphas)), np.nan)
    columns = np.searchsorted(np.array(alphas), rows["alpha"].to_numpy())
    values[rows["pair"].to_numpy(), columns] = rows["value"].to_numpy()
    position = {name: i for i, name in enumerate(facts.models["name"].to_list())}
    gathered: dict[tuple[str, str, str], tuple[list[tuple[int, int]], list[Any]]] = {}
    pooled = len(set(pairs["cluster_a"].to_list())) > CLUSTER_COLOURS
    for curve, (a, b, cluster_a, cluster_b) in zip(values, pairs.iter_rows(), strict=True):
        if np.isnan(curve[1:-1]).all():
            continue
        kind = _kind(facts, cluster_a, cluster_b, pooled)
        turned = kind[0] == "between" and cluster_a > cluster_b
        members, curves = gathered.setdefault(kind, ([], []))
        members.append((position[b], position[a]) if turned else (position[a], position[b]))
        curves.append(curve[::-1] if turned else curve)
    groups = [
        CurveGroup(*kind, pairs=members, values=np.stack(curves))
        for kind, (members, curves) in gathered.items()
    ]
    return tuple(sorted(groups, key=lambda group: (group.kind, group.label)))


def _with_ensembles(
    groups: tuple[CurveGroup, ...],
    source: Source,
    facts: Facts,
    dataset: str,
    clustering: str | None,
) -> tuple[CurveGroup, ...]:
    """The groups with the medians of their pairs' logit ensembles, turned as the pairs are."""
    frame = source.query(
        "ensemble_curves",
        study=facts.study,
        dataset=dataset,
        half=facts.half,
        clustering=clustering,
    )
    position = {name: i for i, name in enumerate(facts.models["name"].to_list())}
    curves: dict[tuple[int, int], list[float]] = {}
    for a, b, loss in frame.select("model_a", "model_b", "ensemble_loss").iter_rows():
        curves.setdefault((position[a], position[b]), []).append(np.nan if loss is None else loss)
    found = []
    for group in groups:
        losses = [
            curves[a, b] if (a, b) in curves else curves[b, a][::-1]
            for a, b in group.pairs
            if (a, b) in curves or (b, a) in curves
        ]
        known = np.array(losses)
        median = quantile(known, 0.5) if losses and not np.isnan(known).all() else None
        found.append(replace(group, ensemble=median))
    return tuple(found)


def _kind(
    facts: Facts, cluster_a: int | None, cluster_b: int | None, pooled: bool
) -> tuple[str, str, str]:
    """(kind, label, colour) of a pair of models in these clusters."""
    if facts.found is None:
        return "all", "all pairs", "--plain"
    if facts.found.n_clusters < 2:
        return "all", "all pairs", cluster_colour(0)
    if cluster_a is None or cluster_b is None:
        return "other", "models without a cluster", "--plain"
    if cluster_a != cluster_b:
        return "between", "between clusters", "--between"
    if pooled:
        return "within", "within clusters", "--within"
    return "within", f"within cluster {cluster_a}", cluster_colour(cluster_a)


def views_for_page(views: Sequence[CurveView], facts: Facts) -> dict[str, Any]:
    """The views as JSON for the page's script.

    Pairs are told in the first view; another view's group tells its own only where they differ.
    """
    told = {group.label: group.pairs for group in views[0].groups} if views else {}
    return {
        "alphas": grid(facts),
        "models": facts.models["name"].to_list(),
        "views": [
            {
                "dataset": view.dataset,
                "metric": view.metric,
                "y_title": view.y_title,
                "entropy": rounded(view.entropy, 4),
                "groups": [
                    _group_for_page(
                        group,
                        _FIRST_VIEW_CURVES if k == 0 else _OTHER_VIEW_CURVES,
                        {} if k == 0 else told,
                    )
                    for group in view.groups
                ],
            }
            for k, view in enumerate(views)
        ],
    }


def _group_for_page(
    group: CurveGroup, most: int, told: Mapping[str, list[tuple[int, int]]]
) -> dict[str, Any]:
    step = -(-len(group.pairs) // most)
    return {
        "label": group.label,
        "colour": group.colour,
        "n_pairs": len(group.pairs),
        "pairs": None if told.get(group.label) == group.pairs else group.pairs,
        "values": packed(group.values),
        "step": step,
        "median": [rounded(v, 4) for v in quantile(group.values, 0.5).tolist()],
        "low": [rounded(v, 4) for v in quantile(group.values, 0.25).tolist()],
        "high": [rounded(v, 4) for v in quantile(group.values, 0.75).tolist()],
        "ensemble": None
        if group.ensemble is None
        else [rounded(v, 4) for v in group.ensemble.tolist()],
    }
