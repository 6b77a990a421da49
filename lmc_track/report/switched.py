"""Figures of several views, one of which is shown: the page makes a button of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Figure = dict[str, Any]


def switched(what: str, views: Sequence[tuple[str, Mapping[str, Any]]]) -> Figure:
    """A figure of ``views``: (what its button says, the plotly.js figure).

    ``what`` names the choice for those who do not see the buttons.
    """
    return {"what": what, "views": [{"label": label, **figure} for label, figure in views]}


def scatter_layout(x_title: str, y_title: str, **more: Any) -> Figure:
    """The layout that scatter plots share."""
    return {
        "height": 440,
        "xaxis": {"title": {"text": x_title}, "zeroline": False, **more.pop("xaxis", {})},
        "yaxis": {"title": {"text": y_title}, "zeroline": False, **more.pop("yaxis", {})},
        "hovermode": "closest",
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "margin": {"t": 16, "l": 16, "r": 12, "b": 48},
        **more,
    }
