"""Mean curves within and between the best, the middle and the worst models on the diagnostic.

The groups are those of Juneja et al. 2023, who join the five best and the five worst of a hundred
models on HANS: models are chosen by what they score, not by their clusters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from lmc_track.report import wording
from lmc_track.report.facts import Facts, Source
from lmc_track.report.findings import examples_of
from lmc_track.report.palette import plot_text, rounded
from lmc_track.report.section import Section, command
from lmc_track.report.switched import scatter_layout, switched

Figure = dict[str, Any]

COLOURS = {
    ("best", "best"): "--cluster-0",
    ("worst", "worst"): "--cluster-1",
    ("best", "worst"): "--between",
    ("middle", "middle"): "--plain",
    ("best", "middle"): "--cluster-2",
    ("middle", "worst"): "--cluster-3",
}
"""The colours of the kinds of pairs, in the order in which legends have them."""

_LABELS = {"loss": "loss, nats", "accuracy": "accuracy"}


@dataclass(frozen=True)
class GroupView:
    """``curves`` are the rows of ``group_curves`` on one data set in one metric."""

    dataset: str
    metric: str
    curves: pl.DataFrame

    @property
    def y_title(self) -> str:
        return _LABELS[self.metric]

    def kinds(self) -> Iterator[tuple[tuple[str, str], pl.DataFrame]]:
        """The curves of each kind of pairs that there is, by alpha."""
        for a, b in COLOURS:
            rows = self.curves.filter(
                (pl.col("performance_a") == a) & (pl.col("performance_b") == b)
            )
            if rows.height:
                yield (a, b), rows


@dataclass(frozen=True)
class GroupCurves:
    """``members`` are the rows of ``performance_groups``."""

    members: pl.DataFrame
    views: Sequence[GroupView]

    @property
    def n(self) -> int:
        """Models in each group."""
        return self.members.filter(pl.col("performance") == "best").height


def read_group_curves(source: Source, facts: Facts, clustering: str | None) -> GroupCurves | None:
    """Validation's loss first; None where groups have fewer than two models, or no paths."""
    asked = {"study": facts.study, "clustering": clustering, "half": facts.half}
    if not facts.summary["n_points"]:
        return None
    members = source.query("performance_groups", **asked)
    sets = list(dict.fromkeys(["validation", facts.primary.dataset]))
    views = [
        GroupView(dataset, metric, curves)
        for dataset in sets
        if dataset in facts.datasets["dataset"]
        for metric in _LABELS
        if (curves := source.query("group_curves", **asked, dataset=dataset, metric=metric)).height
    ]
    found = GroupCurves(members, views)
    return found if views and found.n >= 2 else None


def kind_name(kind: tuple[str, str]) -> str:
    """``among the best``, ``best to worst``."""
    return f"among the {kind[0]}" if kind[0] == kind[1] else f"{kind[0]} to {kind[1]}"


def group_sections(source: Source, facts: Facts, clustering: str | None) -> Iterator[Section]:
    """The section; none where no model scores on the diagnostic, or nothing joins them."""
    found = read_group_curves(source, facts, clustering)
    if found is None:
        return
    asked = {"half": facts.half}
    yield Section(
        "groups",
        "Best and worst models",
        group_lede(found, facts),
        figure="groups",
        plot=switched(
            "Data set and metric",
            [
                (f"{view.dataset} {view.metric}", {"data": _lines(view), "layout": _layout(view)})
                for view in found.views
            ],
        ),
        caption=(
            f"Means over the paths within and between the {found.n} best, middle and worst models "
            f"on {diagnostic_name(facts)}, on {examples_of(facts)}; bars span the middle half of "
            "the paths. Between groups α runs from the first to the second; paths within a group "
            "enter in both directions, so their mean is symmetric."
        ),
        queries=(
            command(facts, "group_curves", clustering, **asked),
            command(facts, "performance_groups", clustering, **asked),
        ),
        part="Strategies",
    )


def diagnostic_name(facts: Facts) -> str:
    """``hans · lexical_overlap accuracy``."""
    primary = facts.primary
    name = wording.subset_name(primary.dataset, primary.subset)
    return f"{name} {wording.metric_name(primary.metric)}"


def group_lede(found: GroupCurves, facts: Facts) -> str:
    """How far the mean curve between the best and the worst rises above those within."""
    means = {
        group: found.members.filter(pl.col("performance") == group)["value"].mean()
        for group in ("best", "worst")
    }
    values = [wording.share(_number(value)) for value in means.values()]
    scores = " and ".join(f"{value} ({g})" for value, g in zip(values, means, strict=True))
    if len(set(values)) == 1:
        scores = f"{values[0]} alike"
    tops = {kind: _number(rows["mean"].max()) for kind, rows in found.views[0].kinds()}
    said = [
        f"{wording.nats(tops[kind])} {kind_name(kind)}"
        for kind in (("best", "best"), ("worst", "worst"), ("best", "worst"))
        if kind in tops
    ]
    return (
        f"The {found.n} best and the {found.n} worst models on {diagnostic_name(facts)} score "
        f"{scores} on average. The mean validation loss along the paths is at most "
        f"{wording.listing(said)}."
    )


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _layout(view: GroupView) -> Figure:
    return scatter_layout("α", plot_text(f"{view.dataset} {view.y_title}"))


def _lines(view: GroupView) -> list[Figure]:
    data = []
    for kind, rows in view.kinds():
        means = rows["mean"].to_list()
        n = rows["n_paths"].max()
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": f"{kind_name(kind)} ({n!s})",
                "x": rows["alpha"].to_list(),
                "y": [rounded(v, 4) for v in means],
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": _spans(rows["high"].to_list(), means),
                    "arrayminus": _spans(means, rows["low"].to_list()),
                    "thickness": 1,
                    "width": 0,
                    "color": COLOURS[kind],
                },
                "line": {"color": COLOURS[kind], "width": 2},
                "marker": {"color": COLOURS[kind], "size": 6},
                "hovertemplate": f"{kind_name(kind)}<br>α %{{x:.2f}}: %{{y:.3g}}<extra></extra>",
            }
        )
    return data


def _spans(high: Sequence[float], low: Sequence[float]) -> list[float | None]:
    """A mean may lie outside the middle half; then the bar ends at it."""
    return [rounded(max(a - b, 0.0), 3) for a, b in zip(high, low, strict=True)]
