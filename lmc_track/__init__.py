"""Track linear mode connectivity: which finetuned models a straight line of low loss connects.

The names below are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lmc_track.analysis.verdict import find_clusters
    from lmc_track.geometry.curves import (
        barrier_height,
        convexity_gap,
        convexity_gap_support,
        curve_area,
        interpolation_instability,
        relative_gap,
    )
    from lmc_track.report.figures.catalogue import paper_figures
    from lmc_track.warehouse.results import Results, open  # noqa: A004

__all__ = [
    "Results",
    "barrier_height",
    "convexity_gap",
    "convexity_gap_support",
    "curve_area",
    "find_clusters",
    "interpolation_instability",
    "open",
    "paper_figures",
    "relative_gap",
]

_MODULES = {
    "Results": "lmc_track.warehouse.results",
    "barrier_height": "lmc_track.geometry.curves",
    "convexity_gap": "lmc_track.geometry.curves",
    "convexity_gap_support": "lmc_track.geometry.curves",
    "curve_area": "lmc_track.geometry.curves",
    "find_clusters": "lmc_track.analysis.verdict",
    "interpolation_instability": "lmc_track.geometry.curves",
    "open": "lmc_track.warehouse.results",
    "paper_figures": "lmc_track.report.figures.catalogue",
    "relative_gap": "lmc_track.geometry.curves",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'lmc_track' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
