"""The catalogue of metrics: what is computed from the predictions on every evaluation set.

The one list of them. The study file, queries, results tables, imports and the report take names,
labels, bounds and which way is better from here. How a metric is computed is in ``geometry``:
``metrics`` of one model, ``part_metrics`` of many at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """``label`` is its name in prose, ``meaning`` one clause on what it is.

    ``unit`` is ``nats`` for losses, empty for shares and correlations. A metric that has ``gaps``
    is low where models are good, so that the height of a curve above its hull means something.
    """

    name: str
    label: str
    meaning: str
    lower_is_better: bool
    low: float = 0.0
    high: float = 1.0
    unit: str = ""
    gaps: bool = False


METRICS = {
    metric.name: metric
    for metric in (
        Metric(
            "loss", "loss", "mean cross entropy", True,
            high=math.inf, unit="nats", gaps=True,
        ),
        Metric("error", "error", "share of wrong predicted labels", True, gaps=True),
        Metric(
            "calibrated_loss", "calibrated loss",
            "loss at the temperature fitted on the set's discovery examples", True,
            high=math.inf, unit="nats", gaps=True,
        ),
        Metric("accuracy", "accuracy", "share of right predicted labels", False),
        Metric(
            "calibration_error", "calibration error",
            "expected difference between confidence and accuracy, 15 bins of confidence", True,
        ),
        Metric("balanced_accuracy", "balanced accuracy", "mean recall of the labels", False),
        Metric("auc", "AUC", "area under the ROC curve of two labels", False),
        Metric(
            "matthews_correlation", "Matthews correlation", "multiclass Matthews correlation",
            False, low=-1.0,
        ),
        Metric("f1", "F1", "F1 of label 1 of two", False),
    )
}  # fmt: skip
"""By name, in the order in which they are listed."""

GAP_METRICS = tuple(name for name, metric in METRICS.items() if metric.gaps)
"""Metrics whose curves along paths have gaps."""


def listed(names: Iterable[str]) -> str:
    """``loss, error or accuracy``."""
    *rest, last = names
    return f"{', '.join(rest)} or {last}" if rest else last
