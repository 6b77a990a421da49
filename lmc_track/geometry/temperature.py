"""One temperature for each of many models, fitted on some examples (Guo et al. 2017).

Logits z become z / T with the T > 0 of least mean cross entropy: what a loss is without its
model's over- or underconfidence, since T changes no predicted label.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

FEWEST_EXAMPLES = 10
"""A temperature is fitted on no fewer."""

# 1 / T in units of the logits' own scale, so that logits that shrink along a path do not matter.
_LEAST, _START, _MOST = np.log(0.01), np.log(3.0), np.log(100.0)
_PRECISION = 1e-7
_MOST_STEPS = 60
_VALUES_AT_ONCE = 1 << 16


def fitted_temperatures(labels: Integers, logits: NDArray[np.floating]) -> Floats:
    """(r,), the temperature of each of r models; NaN where a logit is not finite.

    ``labels``: (n,). ``logits``: (r, n, k) with k >= 2.

    The mean cross entropy is convex in 1 / T, which is sought between 0.01 and 100 times the
    inverse of the mean absolute difference between the logits of a wrong label and the right one;
    where all logits of a model are equal T is 1. Where the right label has the greatest logit in
    every example the cross entropy only falls with T, and its infimum says nothing of examples
    that were not seen: T is then the one at which it is log(2) / n above its infimum, which is what
    one undecided example would cost. No set with a wrong prediction has a lower cross entropy at
    any T.
    """
    return np.concatenate(
        [_fitted(_excess(labels, part)) for part in _portions(logits)] or [np.empty(0)]
    )


def calibrated_losses(
    labels: Integers, logits: NDArray[np.floating], fitted_on: NDArray[np.bool_]
) -> Floats:
    """Cross entropy (r, n) in nats at the temperatures fitted on the examples ``fitted_on`` (n,).

    NaN for a model with a logit on them that is not finite.
    """
    found = np.empty(logits.shape[:2])
    start = 0
    for part in _portions(logits):
        excess = _excess(labels, part)
        inverse = 1 / _fitted(np.ascontiguousarray(excess[:, :, fitted_on]))
        with np.errstate(invalid="ignore"):
            excess *= inverse[:, None]
            found[start : start + len(part)] = _cross_entropy(excess)
        start += len(part)
    return found


def _portions(logits: NDArray[np.floating]) -> list[NDArray[np.floating]]:
    """Rows that fit into a processor's cache together; each row is computed by itself."""
    rows = max(_VALUES_AT_ONCE // max(logits.shape[1], 1), 1)
    return [logits[start : start + rows] for start in range(0, len(logits), rows)]


def _excess(labels: Integers, logits: NDArray[np.floating]) -> Floats:
    """(k - 1, r, n): by how much the logit of each wrong label is above the right one's."""
    z = logits.astype(np.float64)
    k = z.shape[2]
    if k == 2:
        difference: Floats = (z[:, :, 1] - z[:, :, 0]) * np.where(labels == 1, -1.0, 1.0)
        return difference[None]
    at = np.arange(len(labels))
    wrong = [z[:, at, (labels + j) % k] - z[:, at, labels] for j in range(1, k)]
    return np.stack(wrong)


def _fitted(excess: Floats) -> Floats:
    """The temperatures (r,) of models by their ``excess`` (k - 1, r, n)."""
    scale = np.abs(excess).mean((0, 2))
    temperature = np.where(scale == 0, 1.0, np.nan)
    usual = np.flatnonzero(np.isfinite(scale) & (scale > 0))
    if not len(usual):
        return temperature
    u = excess[:, usual] / scale[usual, None]
    highest = u.max((0, 2))
    right = highest <= 0
    log_inverse = np.empty(len(usual))
    log_inverse[~right] = _least_entropy(u[:, ~right])
    log_inverse[right] = _near_infimum(u[:, right])
    temperature[usual] = scale[usual] * np.exp(-log_inverse)
    return temperature


def _least_entropy(u: Floats) -> Floats:
    """Logarithms (r,) of 1 / T of least mean cross entropy: Newton within a shrinking bracket."""
    x = np.full(u.shape[1], _START)
    low, high = np.full_like(x, _LEAST), np.full_like(x, _MOST)
    # A mean that does not fall at 1 / T = 0 falls nowhere: it is convex.
    hopeless = u.sum((0, 2)) >= 0
    x[hopeless] = _LEAST
    active = np.flatnonzero(~hopeless)
    for _ in range(_MOST_STEPS):
        if not len(active):
            break
        inverse = np.exp(x[active])
        part = u[:, active]
        slope, curvature = _slopes(part, inverse)
        falls = slope < 0
        low[active] = np.where(falls, x[active], low[active])
        high[active] = np.where(falls, high[active], x[active])
        with np.errstate(divide="ignore", invalid="ignore"):
            step = -slope / (curvature * inverse)
        active = _moved(x, low, high, active, x[active] + step)
    return x


def _near_infimum(u: Floats) -> Floats:
    """Logarithms (r,) of the 1 / T at which the mean cross entropy is log(2) / n above infimum.

    No example's right label has a lower logit than another.
    """
    n = u.shape[2]
    aim = np.log(1 + (u == 0).sum(0)).mean(1) + np.log(2) / n
    x = np.full(u.shape[1], _START)
    low, high = np.full_like(x, _LEAST), np.full_like(x, _MOST)
    active = np.arange(len(x))
    for _ in range(_MOST_STEPS):
        if not len(active):
            break
        inverse = np.exp(x[active])
        part = u[:, active]
        mean = _cross_entropy(part * inverse[:, None]).mean(1)
        above = mean > aim[active]
        low[active] = np.where(above, x[active], low[active])
        high[active] = np.where(above, high[active], x[active])
        # The logarithm of the mean is nearly straight in 1 / T.
        slope, _ = _slopes(part, inverse)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = -(np.log(mean / aim[active]) * mean / slope) / inverse
        active = _moved(x, low, high, active, x[active] + step)
    return x


def _moved(x: Floats, low: Floats, high: Floats, active: Integers, aim: Floats) -> Integers:
    """Move ``x`` of the active to ``aim``, or halve the bracket; who has not arrived yet."""
    inside = (aim > low[active]) & (aim < high[active])
    aim = np.where(inside, aim, (low[active] + high[active]) / 2)
    moved = np.abs(aim - x[active])
    x[active] = aim
    return active[moved > _PRECISION]


def _slopes(u: Floats, inverse: Floats) -> tuple[Floats, Floats]:
    """First and second derivative (r,) of the mean cross entropy by 1 / T."""
    x = u * inverse[:, None]
    if len(u) == 1:
        with np.errstate(over="ignore"):
            chance = 1 / (1 + np.exp(-x[0]))
        weighted = u[0] * chance
        return weighted.mean(1), (weighted * (u[0] - weighted)).mean(1)
    peak = np.maximum(x.max(0), 0)
    chances = np.exp(x - peak)
    chances /= np.exp(-peak) + chances.sum(0)
    weighted = (u * chances).sum(0)
    return weighted.mean(1), ((u * u * chances).sum(0) - weighted**2).mean(1)


def _cross_entropy(x: Floats) -> Floats:
    """(r, n) of scaled ``x`` (k - 1, r, n)."""
    if len(x) == 1:
        loss: Floats = np.log(1 + np.exp(-np.abs(x[0])))
        loss += np.maximum(x[0], 0)
        return loss
    peak = np.maximum(x.max(0), 0)
    found: Floats = np.log(np.exp(-peak) + np.exp(x - peak).sum(0)) + peak
    return found
