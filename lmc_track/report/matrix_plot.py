"""The barrier matrix: a heatmap in cluster order under the merge tree of the gaps.

The page's script fills the heatmap with the view that is chosen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby
from typing import Any

import numpy as np

from lmc_track.metrics import METRICS
from lmc_track.report import wording
from lmc_track.report.decisions import Decisions
from lmc_track.report.facts import Facts, Source
from lmc_track.report.linkage import Branch, Merge, branches, leaf_order, read_merges
from lmc_track.report.matrix_orders import MatrixOrder
from lmc_track.report.matrix_views import MatrixView, scale_top
from lmc_track.report.packed import packed
from lmc_track.report.palette import cluster_colour, cluster_name, plot_text, rounded
from lmc_track.report.wording import metric_name

Figure = dict[str, Any]

_NAMES_SHOWN = 48


def read_merge_tree(source: Source, facts: Facts) -> list[Merge]:
    """The merges of the gaps that clusters are found on."""
    return read_merges(source.query("merge_tree", study=facts.study))


def in_cluster_order(facts: Facts, merges: Sequence[Merge] = ()) -> list[str]:
    """Names of the models by cluster, then as the merge tree has them; those without one last."""
    return leaf_order(merges, facts.models["name"].to_list(), facts.cluster_of)


def matrix_figure(
    facts: Facts,
    views: Sequence[MatrixView],
    merges: Sequence[Merge],
    decisions: Decisions | None = None,
    orders: Sequence[MatrixOrder] = (),
) -> Figure:
    """What the page's script draws the matrix of: views, names, orders, tree, layout.

    ``names`` are in cluster order, and so are the pairs of the views. An order says which of them
    is at each place, and has a layout of its own; the first is the cluster order, with the tree.
    """
    order = in_cluster_order(facts, merges)
    tree = list(branches(merges, order, facts.cluster_of))
    place = {name: k for k, name in enumerate(order)}
    several = facts.found is not None and facts.found.n_clusters > 1
    first = {
        "label": "clusters" if several else "tree" if merges else "study order",
        "at": list(range(len(order))),
        "data": _tree_traces(tree),
        "layout": _layout(facts, order, tree),
    }
    others = [
        {
            "label": other.label,
            "at": [place[name] for name in other.names],
            "data": [],
            "layout": _layout(facts, other.names, (), other),
        }
        for other in orders
    ]
    return {
        "names": order,
        "views": [_for_page(view, facts, k == 0) for k, view in enumerate(views)],
        "decisions": _decided(order, decisions),
        "runs": list(views[0].runs) if views else [],
        "orders": [first, *others],
    }


def _for_page(view: MatrixView, facts: Facts, first: bool) -> Figure:
    gaps = view.values["convexity_gap"]
    largest = float(np.nanmax(gaps))
    return {
        "dataset": view.dataset,
        "half": view.half,
        "metric": metric_name(view.metric),
        "unit": METRICS[view.metric].unit,
        "top": rounded(scale_top(facts) if first else largest or 1.0, 4),
        **{
            name: packed(values)
            for name, values in view.values.items()
            if not np.isnan(values).all()
        },
    }


def _decided(order: Sequence[str], decisions: Decisions | None) -> Figure:
    """By number of the pair, what its bounds are; and which pairs are undecided."""
    if decisions is None:
        return {"said": {}, "undecided": []}
    said, undecided = decisions.hover(), set(decisions.undecided)
    found: Figure = {"said": {}, "undecided": []}
    for k, (a, b) in enumerate(combinations(order, 2)):
        pair = (a, b) if (a, b) in said else (b, a)
        if pair in said:
            found["said"][str(k)] = said[pair]
        if pair in undecided:
            found["undecided"].append(k)
    return found


def _tree_traces(tree: Sequence[Branch]) -> list[Figure]:
    """The tree's brackets, one trace a colour."""
    colours: dict[str, tuple[list[float | None], list[float | None]]] = {}
    for branch in tree:
        colour = "--muted" if branch.cluster is None else cluster_colour(branch.cluster)
        x, y = colours.setdefault(colour, ([], []))
        (left, right), (low, high) = branch.places, branch.low
        x += [left, left, right, right, None]
        y += [rounded(v, 4) for v in (low, branch.tau, branch.tau, high)] + [None]
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": x,
            "y": y,
            "yaxis": "y2",
            "line": {"color": colour, "width": 1.5},
            "hovertemplate": "joined at τ = %{y:.3g} nats<extra></extra>",
            "showlegend": False,
        }
        for colour, (x, y) in colours.items()
    ]


def _layout(
    facts: Facts,
    order: Sequence[str],
    tree: Sequence[Branch],
    scored: MatrixOrder | None = None,
) -> Figure:
    """``scored``: the order by performance that it is for, whose values stand beside the names."""
    n = len(order)
    blocks = list(_blocks([facts.cluster_of[name] for name in order]))
    several = len(blocks) > 1
    step = -(-n // _NAMES_SHOWN)
    beside = [_scored(name, scored) for name in order]
    axis = {
        "showgrid": False,
        "zeroline": False,
        "constrain": "domain",
        "range": [-0.5, n - 0.5],
        "tickvals": list(range(0, n, step)),
        "ticktext": [plot_text(name) for name in order[::step]],
        "tickfont": {"size": 12 if n <= 24 else 9},
    }
    pushed_out = {"ticks": "outside", "ticklen": 20, "tickcolor": "rgba(0,0,0,0)"}
    layout = {
        "xaxis": {**axis, "side": "bottom", "tickangle": -90 if n > 8 else 0},
        "yaxis": {
            **axis,
            "range": [n - 0.5, -0.5],
            "ticktext": [plot_text(name) for name in beside[::step]],
            "domain": [0, 0.8 if tree else 1],
            "constraintoward": "top",
            "scaleanchor": "x",
            **(pushed_out if several else {}),
        },
        "shapes": [
            shape
            for block in blocks
            for shape in _strips(block, len(blocks), separated=scored is None)
        ],
        "annotations": [_block_name(b) for b in blocks if several and b.wide],
        "plot_bgcolor": "--hole",
        "hovermode": "closest",
        "margin": {"t": 44 if several and not tree else 12, "l": 16, "r": 8, "b": 16},
    }
    if tree:
        layout["yaxis2"] = {
            "domain": [0.88, 1],
            "title": {"text": "τ, nats", "font": {"size": 12}},
            "rangemode": "tozero",
            "nticks": 4,
            "zeroline": False,
            "showgrid": False,
            "fixedrange": True,
            "tickfont": {"size": 11},
        }
        # The tree stands on the page, only the matrix on the colour of what was not measured.
        layout["shapes"] = [_ground(), *layout["shapes"]]
        layout["plot_bgcolor"] = "rgba(0,0,0,0)"
    return layout


def _scored(name: str, order: MatrixOrder | None) -> str:
    """``seed-3  .812`` in an order by performance: what it is ordered by, where that is known."""
    if order is None or name not in order.values:
        return name
    return f"{name}  {wording.fine_share(order.values[name])}"


def _ground() -> Figure:
    return {
        "type": "rect",
        "xref": "x domain",
        "yref": "y domain",
        "x0": 0,
        "x1": 1,
        "y0": 0,
        "y1": 1,
        "fillcolor": "--hole",
        "line": {"width": 0},
        "layer": "below",
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


def _strips(block: _Block, n_blocks: int, *, separated: bool) -> Iterator[Figure]:
    """A bar in the cluster's colour above and left of its block, and a line after it."""
    if n_blocks < 2:
        return
    low, high = block.first - 0.5, block.last + 0.5
    fill = {"type": "rect", "fillcolor": cluster_colour(block.cluster), "line": {"width": 0}}
    above = {"yref": "y domain", "ysizemode": "pixel", "yanchor": 1, "y0": 4, "y1": 14}
    left = {"xref": "x domain", "xsizemode": "pixel", "xanchor": 0, "x0": -14, "x1": -4}
    yield {**fill, **above, "xref": "x", "x0": low, "x1": high}
    yield {**fill, **left, "yref": "y", "y0": low, "y1": high}
    if separated and block.last + 1 < block.total:
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
