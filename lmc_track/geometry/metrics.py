"""Measures of predictions: mean loss, accuracy, Matthews correlation, F1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float32]


def accuracy(labels: Integers, predicted: Integers) -> float:
    """Share of examples whose predicted label is right."""
    return float(np.mean(labels == predicted))


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


_TASK_METRICS = {"accuracy": accuracy, "matthews_correlation": matthews_correlation, "f1": f1}


def summarize(labels: Integers, logits: Floats, loss: Floats, task_metric: str) -> dict[str, float]:
    """Mean loss (nats), accuracy and ``task_metric`` of one data set's predictions."""
    predicted = logits.argmax(1)
    return {
        "loss": float(np.mean(loss, dtype=np.float64)),
        "accuracy": accuracy(labels, predicted),
        task_metric: _TASK_METRICS[task_metric](labels, predicted),
    }
