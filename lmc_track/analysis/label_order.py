"""In which order a classifier's outputs stand: what is said of it, and whether that fits.

An order is a tuple that gives for each of the study's labels the output that means it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Quantile of the normal distribution for a two-sided interval of 99 %.
_Z = 2.576
_FAR = 2.0
_GENERIC = re.compile(r"label[ _-]?\d+")


@dataclass(frozen=True)
class OrderFit:
    """How an order fits a sample, beside the one that fits it best.

    ``difference`` is how much more balanced accuracy ``best`` has than the order asked about,
    and ``margin`` the half width of its interval.
    """

    balanced_accuracy: float | None
    best: tuple[int, ...]
    best_balanced_accuracy: float
    difference: float
    margin: float

    @property
    def refuted(self) -> bool:
        """Whether the best order is better beyond the interval."""
        return self.difference > self.margin


def names_labels(names: Sequence[str]) -> bool:
    """Whether ``names`` say anything: ``LABEL_0``, ``LABEL_1`` do not."""
    return not all(_GENERIC.fullmatch(_plain(name)) or name.isdecimal() for name in names)


def order_by_names(names: Sequence[str], labels: Sequence[str]) -> tuple[int, ...] | None:
    """The order that ``names``, those of a model's outputs, say of the study's ``labels``.

    Case and the signs between words do not matter. None where the names are not the labels'.
    """
    given = [_plain(name) for name in names]
    wanted = [_plain(label) for label in labels]
    if len(set(given)) != len(given) or sorted(given) != sorted(wanted):
        return None
    return tuple(given.index(label) for label in wanted)


def in_order(labels: Sequence[str], order: Sequence[int]) -> tuple[str, ...]:
    """The study's ``labels`` in the order of the model's outputs."""
    named = dict(zip(order, labels, strict=True))
    return tuple(named[output] for output in sorted(named))


def fit_order(
    labels: NDArray[np.int64],
    outputs: NDArray[np.int64],
    n_labels: int,
    order: Sequence[int] | None,
) -> OrderFit:
    """How ``order`` fits answers: ``labels`` (n,) of the study, ``outputs`` (n,) that were highest.

    Balanced accuracy is the mean over the labels in the sample of the share of their examples
    that are answered rightly. It is a sum with one term a label, so the best of all orders is an
    assignment problem (Kuhn 1955) and is found exactly. The interval of the difference of two
    orders, which are compared on the same examples, is the normal one at 99 %, with the variance
    of each label's mean (Welch); one pseudo-example a label, as far from the mean as a gain can be
    (from -1 to 1), keeps a handful of examples from looking certain. ``order`` None is worse than
    any.
    """
    from scipy.optimize import linear_sum_assignment

    present = [label for label in range(n_labels) if (labels == label).any()]
    recall = np.zeros((n_labels, n_labels))
    for label in present:
        answers = outputs[labels == label]
        recall[label] = np.bincount(answers, minlength=n_labels) / len(answers)
    best = tuple(int(k) for k in linear_sum_assignment(recall, maximize=True)[1])
    best_accuracy = _balanced(recall, present, best)
    if order is None:
        return OrderFit(None, best, best_accuracy, math.inf, 0.0)
    accuracy = _balanced(recall, present, order)
    variance = 0.0
    for label in present:
        answers = outputs[labels == label]
        gains = (answers == best[label]).astype(float) - (answers == order[label])
        spread = float(((gains - gains.mean()) ** 2).sum() + _FAR**2) / len(gains)
        variance += spread / len(gains)
    margin = _Z * variance**0.5 / len(present)
    return OrderFit(accuracy, best, best_accuracy, best_accuracy - accuracy, margin)


def _balanced(recall: NDArray[np.float64], present: Sequence[int], order: Sequence[int]) -> float:
    return float(np.mean([recall[label, order[label]] for label in present]))


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name.strip().lower())
