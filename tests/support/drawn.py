"""What the page's script makes of the figures' data, made in Python for tests."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmc_track.report.decisions import Decisions
from lmc_track.report.facts import Facts
from lmc_track.report.matrix_plot import in_cluster_order, matrix_figure, read_merge_tree
from lmc_track.report.matrix_views import matrix_views
from lmc_track.warehouse.results import Results


def unpacked(array: dict[str, Any]) -> NDArray[np.float64]:
    """An array as it was before it was packed, to half precision."""
    halves = np.frombuffer(b64decode(array["f16"]), dtype="<f2")
    return halves.astype(float).reshape(array["shape"])


def matrix_of(
    kind: str,
    results_of: Callable[[str], Results],
    facts_of: Callable[[str], Facts],
    decisions: Decisions | None = None,
) -> dict[str, Any]:
    """The matrix of a kind of study, as the page has it."""
    results, facts = results_of(kind), facts_of(kind)
    merges = read_merge_tree(results, facts)
    views = matrix_views(results, facts, in_cluster_order(facts, merges))
    return matrix_figure(facts, views, merges, decisions)
