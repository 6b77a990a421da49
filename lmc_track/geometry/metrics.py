"""Measures of one model's predictions, as formulas; ``part_metrics`` has them for many at once.

What there is, and what each is called, is in ``lmc_track.metrics``.

Logits are those of the data set's own labels, projected where it has such.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.floating]

CONFIDENCE_BINS = 15


def accuracy(labels: Integers, predicted: Integers) -> float:
    """Share of examples whose predicted label is right."""
    return float(np.mean(labels == predicted))


def balanced_accuracy(labels: Integers, predicted: Integers) -> float:
    """Mean over the labels that occur of the share of their examples that is right.

    (Brodersen et al. 2010.) A model that prefers one label gains nothing by it, unless it is the
    only one that occurs.
    """
    occurring, counts = np.unique(labels, return_counts=True)
    right = [int(np.sum((labels == k) & (predicted == k))) for k in occurring]
    return float(np.mean(np.array(right) / counts))


def auc(labels: Integers, scores: Floats) -> float | None:
    """How often an example of label 1 has a higher score than one of label 0; ties count half.

    The area under the ROC curve (Hanley and McNeil 1982): it does not depend on where between the
    labels a model draws the line. None where one of the labels does not occur or a score is NaN.
    """
    values, place = np.unique(scores, return_inverse=True)
    positive = np.bincount(place[labels == 1], minlength=len(values))
    negative = np.bincount(place[labels == 0], minlength=len(values))
    pairs = int(positive.sum()) * int(negative.sum())
    if not pairs or np.isnan(values).any():
        return None
    # Twice the pairs that are in order, in whole numbers: ties are one of the two.
    below = 2 * np.cumsum(negative) - negative
    return float(int(positive @ below) / (2 * pairs))


def score(logits: Floats) -> Floats:
    """By how much the logit of label 1 of two is above the other, (..., 2) to (...), in float64."""
    return np.subtract(logits[..., 1], logits[..., 0], dtype=np.float64)


def matthews_correlation(labels: Integers, predicted: Integers) -> float:
    """Multiclass Matthews correlation (Gorodkin 2004); 0 where a margin is constant."""
    classes = int(max(labels.max(), predicted.max())) + 1
    confusion = np.zeros((classes, classes))
    np.add.at(confusion, (labels, predicted), 1)
    true, said, n = confusion.sum(1), confusion.sum(0), confusion.sum()
    covariance = np.trace(confusion) * n - true @ said
    spread = (n**2 - said @ said) * (n**2 - true @ true)
    return float(covariance / np.sqrt(spread)) if spread > 0 else 0.0


def f1(labels: Integers, predicted: Integers) -> float:
    """F1 of label 1; 0 where there is neither a true nor a predicted one."""
    both = np.sum((labels == 1) & (predicted == 1))
    either = np.sum(labels == 1) + np.sum(predicted == 1)
    return float(2 * both / either) if either else 0.0


def calibration_error(labels: Integers, logits: Floats) -> float | None:
    """Expected calibration error (Naeini et al. 2015; Guo et al. 2017, equation 3).

    Examples are put into 15 bins of equal width by the probability of their predicted label, each
    bin without its lower end; over the bins the mean, by their share of the examples, of how far
    the mean probability is from the share that is right. None where a logit is NaN.
    """
    if np.isnan(logits).any():
        return None
    z = logits.astype(np.float64)
    confidence = 1 / np.exp(z - z.max(1, keepdims=True)).sum(1)
    bins = np.ceil(confidence * CONFIDENCE_BINS).astype(np.int64) - 1
    excess = (z.argmax(1) == labels) - confidence
    sums = np.bincount(bins, excess, minlength=CONFIDENCE_BINS)
    return float(np.abs(sums).sum() / len(labels))


_TASK_METRICS = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "matthews_correlation": matthews_correlation,
    "f1": f1,
}


def summarize(labels: Integers, logits: Floats, loss: Floats, task_metric: str) -> dict[str, float]:
    """Mean loss (nats), accuracy and ``task_metric`` of one data set's predictions."""
    predicted = logits.argmax(1)
    return {
        "loss": float(np.mean(loss, dtype=np.float64)),
        "accuracy": accuracy(labels, predicted),
        task_metric: _TASK_METRICS[task_metric](labels, predicted),
    }
