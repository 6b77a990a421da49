"""Planes as plotly.js figures: filled contours, one panel a plane, one colour scale for all."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from lmc_track.report.palette import cluster_colour, cluster_symbol, plot_text, rounded
from lmc_track.report.plane_views import METRICS, Plane
from lmc_track.report.section import Figure
from lmc_track.report.switched import switched

# Lines over the colours have a dark rim, so that they are seen on the dark and the bright.
_RIM, _LINE = "rgba(0,0,0,0.55)", "#ffffff"
_LEVELS = 18
# Widths in pixels: of a panel alone, beside another, and on a phone; of all where there is room.
_ONE, _TWO, _SMALL, _WIDTH = 560, 370, 290, 880
_TITLE, _AXIS, _BAR = 30, 52, 60


def planes_figure(planes: Sequence[Plane]) -> Figure:
    """A view for each data set and metric; each has a panel for every plane that was measured."""
    views = []
    for dataset, metric in product(planes[0].routes, METRICS):
        shown = [plane for plane in planes if (dataset, metric) in plane.values]
        views.append((f"{dataset}, {metric}", _view(shown, dataset, metric)))
    return switched("Data set and metric", views)


def _view(planes: Sequence[Plane], dataset: str, metric: str) -> Figure:
    low, high, step = colour_range(planes, dataset, metric)
    unit = " nats" if metric == "loss" else ""
    data: list[Figure] = []
    for number, plane in enumerate(planes):
        axes = {"xaxis": f"x{number + 1}", "yaxis": f"y{number + 1}"}
        data.append(_contours(plane, dataset, metric, (low, high, step), unit) | axes)
        data += [trace | axes for trace in _lines(plane, dataset, metric)]
        data += [trace | axes for trace in _marks(plane, metric)]
    title = f"{dataset} {metric}{', nats' if unit else ''}"
    wide = 1 if len(planes) == 1 else 2
    reach = _ONE / _WIDTH if wide == 1 else 1.0
    return {
        "data": data,
        "layout": {
            "showlegend": False,
            "hovermode": "closest",
            "coloraxis": _coloraxis(low, high, title, right=reach + 0.02),
            **_panels(planes, wide, _ONE if wide == 1 else _TWO, reach=reach),
        },
        # What replaces parts of the layout where there is little room.
        "narrow": {
            "coloraxis": _coloraxis(low, high, title, above=True),
            **_panels(planes, 1, _SMALL, bar=_BAR),
        },
    }


def colour_range(planes: Sequence[Plane], dataset: str, metric: str) -> tuple[float, float, float]:
    """Least and greatest value and the step of the levels, the same for all ``planes``.

    They span what is found at points between the three models; losses begin at 0, and accuracies
    end at 1.
    """
    inside = np.concatenate(
        [plane.values[dataset, metric][plane.between] for plane in planes]
        + [np.ravel(plane.values[dataset, metric]) for plane in planes if not plane.between.any()]
    )
    inside = inside[np.isfinite(inside)]
    if metric == "loss":
        top = max(float(inside.max(initial=0.0)), 0.01)
        step = _nice(top / _LEVELS)
        return 0.0, round(math.ceil(top / step) * step, 10), step
    low = min(float(inside.min(initial=1.0)), 0.99)
    step = _nice((1 - low) / _LEVELS)
    return round(max(1 - math.ceil((1 - low) / step) * step, 0.0), 10), 1.0, step


def _nice(value: float) -> float:
    """The next of 1, 2, 2.5, 5 times a power of ten that is not below ``value``."""
    size = 10.0 ** math.floor(math.log10(value))
    return next(size * k for k in (1, 2, 2.5, 5, 10) if size * k >= value * (1 - 1e-9))


def _contours(
    plane: Plane, dataset: str, metric: str, scale: tuple[float, float, float], unit: str
) -> Figure:
    low, high, step = scale
    digits = 3 if metric == "loss" else 4
    values = plane.values[dataset, metric].tolist()
    return {
        "type": "contour",
        "x": [rounded(x, 5) for x in plane.xs],
        "y": [rounded(y, 5) for y in plane.ys],
        "z": [[rounded(value, digits) for value in row] for row in values],
        "coloraxis": "coloraxis",
        "autocontour": False,
        "contours": {"start": low + step, "end": high - step, "size": step, "coloring": "fill"},
        "line": {"width": 0.5, "color": "rgba(255,255,255,0.35)", "smoothing": 0.6},
        "hoverongaps": False,
        "hovertemplate": f"{metric} %{{z:.3g}}{unit}<br>at %{{x:.3g}}, %{{y:.3g}}<extra></extra>",
    }


def _lines(plane: Plane, dataset: str, metric: str) -> Iterator[Figure]:
    corners = _corners(plane)
    around = [*corners, corners[0]]
    yield from _line([x for x, _ in around], [y for _, y in around], 1.2, dash="dot")
    if metric == "loss":
        for route in plane.routes.get(dataset, []):
            yield from _line(route["route_x"], route["route_y"], 2.2)


def _line(
    xs: Sequence[float], ys: Sequence[float], width: float, dash: str = "solid"
) -> Iterator[Figure]:
    for colour, size in ((_RIM, width + 2), (_LINE, width)):
        yield {
            "type": "scatter",
            "mode": "lines",
            "x": [rounded(x, 5) for x in xs],
            "y": [rounded(y, 5) for y in ys],
            "line": {"color": colour, "width": size, "dash": dash},
            "hoverinfo": "skip",
        }


def _marks(plane: Plane, metric: str) -> Iterator[Figure]:
    for side, name, (x, y) in zip("abc", plane.names, _corners(plane), strict=True):
        cluster = plane.row[f"cluster_{side}"]
        yield {
            "type": "scatter",
            "mode": "markers",
            "x": [rounded(x, 5)],
            "y": [rounded(y, 5)],
            "marker": {
                "color": cluster_colour(cluster),
                "symbol": cluster_symbol(cluster),
                "size": 13,
                "line": {"color": "#ffffff", "width": 2},
            },
            "hovertemplate": f"{plot_text(name)}<extra></extra>",
        }


def _corners(plane: Plane) -> list[tuple[float, float]]:
    return [(0.0, 0.0), (plane.row["x_b"], 0.0), (plane.row["x_c"], plane.row["y_c"])]


def _coloraxis(
    low: float, high: float, title: str, *, right: float = 1.02, above: bool = False
) -> Figure:
    """The scale of colours, its bar at ``right`` of the panels or, if ``above``, above them."""
    bar: Figure = {
        "title": {"text": plot_text(title), "side": "right"},
        "thickness": 12,
        "outlinewidth": 0,
        "len": 0.9,
        "x": right,
    }
    if above:
        bar |= {
            "title": {"text": plot_text(title), "side": "top"},
            "orientation": "h", "x": 0.5, "len": 1, "ypad": 2,
            "y": 1, "yref": "container", "yanchor": "top",
        }  # fmt: skip
    return {"colorscale": "Cividis", "cmin": low, "cmax": high, "colorbar": bar}


def _panels(
    planes: Sequence[Plane], columns: int, width: int, *, bar: int = 0, reach: float = 1.0
) -> Figure:
    """Axes of equal scale, titles and names of one panel a plane, ``columns`` beside each other.

    Panels are about ``width`` pixels wide and as high as the highest plane needs; ``bar`` pixels
    above them are for the colours. They take ``reach`` of the figure's width.
    """
    ratio = max((p.ys[-1] - p.ys[0]) / (p.xs[-1] - p.xs[0]) for p in planes)
    rows = math.ceil(len(planes) / columns)
    title = _TITLE if len(planes) > 1 else 8
    tall, panel = title + width * ratio + _AXIS, width * ratio
    inner = rows * tall - title - _AXIS
    gap = 0.12 if columns > 1 else 0
    axes: Figure = {}
    notes: list[Figure] = []
    for number, plane in enumerate(planes):
        row, column = divmod(number, columns)
        name = str(number + 1) if number else ""
        x, y = f"x{name}", f"y{name}"
        top = 1 - row * tall / inner
        left = column * (1 + gap) / columns
        shared = {
            "showgrid": False,
            "zeroline": False,
            "constrain": "domain",
            "automargin": True,
            "fixedrange": True,
        }
        axes[f"xaxis{name}"] = {
            **shared,
            "anchor": y,
            "domain": [left * reach, min(left + (1 - gap) / columns, 1.0) * reach],
            "range": [rounded(plane.xs[0], 5), rounded(plane.xs[-1], 5)],
            "title": {"text": "" if bar else "weight distance", "standoff": 6},
        }
        axes[f"yaxis{name}"] = {
            **shared,
            "anchor": x,
            "domain": [max(top - panel / inner, 0.0), top],
            "range": [rounded(plane.ys[0], 5), rounded(plane.ys[-1], 5)],
            "scaleanchor": x,
            "constraintoward": "top",
        }
        notes += _notes(plane, x, y, titled=len(planes) > 1)
    margin = {"t": title + bar, "l": 16, "r": 12, "b": _AXIS}
    height = round(inner + title + bar + _AXIS)
    return {**axes, "annotations": notes, "height": height, "margin": margin}


def _notes(plane: Plane, x: str, y: str, *, titled: bool) -> Iterator[dict[str, Any]]:
    if titled:
        yield {
            "text": plot_text(", ".join(plane.names)), "showarrow": False, "font": {"size": 12},
            "xref": f"{x} domain", "yref": f"{y} domain", "x": 0, "y": 1,
            "xanchor": "left", "yanchor": "bottom",
        }  # fmt: skip
    for name, (at_x, at_y) in zip(plane.names, _corners(plane), strict=True):
        yield {
            "text": plot_text(name), "showarrow": False, "font": {"size": 11, "color": "--ink"},
            "xref": x, "yref": y, "x": rounded(at_x, 5), "y": rounded(at_y, 5),
            "yshift": 19 if at_y > 0 else -19, "bgcolor": "--paper", "opacity": 0.85,
            "borderpad": 1,
        }  # fmt: skip
