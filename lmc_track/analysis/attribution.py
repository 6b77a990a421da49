"""Why a loss barrier is there: departure from the logit ensemble, less what averaging gains.

Everything is per example and in nats, from logits that are given as arrays of shape (..., n, c)
and computed with in float64. Where the task projects logits onto fewer labels before the loss,
project them first: what is averaged here is what the loss is of. The derivation is in
docs/attribution.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_VALUES_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class Attribution:
    """The excess of a point's loss over the chord of its path's two ends, in two parts.

    ``departure``: (..., n), F = CE(z, y) − CE(ē, y), what the point loses against the ensemble
    that averages the ends' logits, ē. ``averaging``: (..., n), J ≥ 0, what that ensemble gains
    over the mean of the ends' losses. NaN where a logit is not finite.
    """

    departure: Floats
    averaging: Floats

    @property
    def excess(self) -> Floats:
        """F − J, (..., n): its mean over examples is the height of the curve above the chord."""
        return self.departure - self.averaging


def attribute(
    left: ArrayLike, point: ArrayLike, right: ArrayLike, labels: Integers, weight: ArrayLike
) -> Attribution:
    """The parts of a point's excess loss over the chord from ``left`` to ``right``.

    ``left``, ``point``, ``right``: logits (..., n, c) at l < α < r of the path. ``labels``: (n,),
    indices of the true labels. ``weight``: w = (α − l)/(r − l), strictly between 0 and 1, a number
    or an array of the leading shape (...).

    Adding a constant to all logits of an example, at any of the three, changes nothing. J is
    computed as the ends' mean cross entropy less the ensemble's, which is the same number: the
    true label's logit is averaged too. It can round to below 0, by less than 1e-12 at logits of
    the order of 100, and is 0 then.

    Raises:
        ValueError: shapes that do not fit, labels that are no logit's, weights outside (0, 1).
    """
    w = np.asarray(weight, dtype=np.float64)
    if not np.all((w > 0) & (w < 1)):
        raise ValueError("weights must lie strictly between 0 and 1")
    margins_l, margins, margins_r = (margins_of(z, labels) for z in (left, point, right))
    if not margins_l.shape == margins.shape == margins_r.shape:
        raise ValueError(
            f"logits of one shape are needed, got {margins_l.shape}, {margins.shape} and "
            f"{margins_r.shape} beside the true label's"
        )
    if w.ndim and w.shape != margins.shape[:-2]:
        raise ValueError(f"weights must have the shape {margins.shape[:-2]}, got {w.shape}")
    with np.errstate(invalid="ignore"):
        ensemble = loss_of_margins(_mean(margins_l, margins_r, w[..., None, None]))
        ends = _mean(loss_of_margins(margins_l), loss_of_margins(margins_r), w[..., None])
        departure = loss_of_margins(margins) - ensemble
        averaging = np.maximum(ends - ensemble, 0)
    unknown = np.isnan(departure) | np.isnan(averaging)
    departure[unknown] = averaging[unknown] = np.nan
    return Attribution(departure, averaging)


def ensemble_curves(
    margins: Floats, pairs: Integers, alphas: ArrayLike, parts: list[NDArray[np.bool_]]
) -> Floats:
    """Mean loss of the logit ensemble (1 − α)·z_a + α·z_b of pairs of models, along α.

    ``margins``: (m, n, c − 1), the models' as ``margins_of`` gives them. ``pairs``: (p, 2),
    places in ``margins`` of the models at α = 0 and at α = 1. ``alphas``: (k,). ``parts``: masks
    (n,) of the examples that a mean is taken over.

    Returns (p, len(parts), k), NaN where a loss is not finite or a part has no examples.
    """
    alpha = np.asarray(alphas, dtype=np.float64)
    n = margins.shape[1]
    means = np.full((len(pairs), len(parts), len(alpha)), np.nan)
    # Blocks of a few hundred kilobytes stay in the processor's cache.
    step = max(1, _VALUES_AT_ONCE // max(n * margins.shape[2], 1))
    with np.errstate(invalid="ignore"):
        for start in range(0, len(pairs), step):
            block = pairs[start : start + step]
            a, b = margins[block[:, 0]], margins[block[:, 1]]
            for k, share in enumerate(alpha):
                losses = loss_of_margins(_mean(a, b, share))
                for j, part in enumerate(parts):
                    if part.any():
                        means[start : start + step, j, k] = losses[:, part].mean(axis=1)
    means[~np.isfinite(means)] = np.nan
    return means


def margins_of(logits: ArrayLike, labels: Integers) -> Floats:
    """Logits less that of the true label, (..., n, c − 1): all that the cross entropy is of.

    A logit that is not finite makes all margins of its example NaN.
    """
    z = np.asarray(logits, dtype=np.float64)
    if z.ndim < 2 or labels.shape != z.shape[-2:-1]:
        raise ValueError(f"logits (..., n, c) need labels (n,), got {z.shape} and {labels.shape}")
    n_labels = z.shape[-1]
    if labels.size and not (labels.min() >= 0 and labels.max() < n_labels):
        raise ValueError(f"labels must lie between 0 and {n_labels - 1}")
    true = np.broadcast_to(labels[:, None], (*z.shape[:-1], 1))
    others = np.arange(n_labels - 1) + (np.arange(n_labels - 1) >= labels[:, None])
    others = np.broadcast_to(others, (*z.shape[:-1], n_labels - 1))
    with np.errstate(invalid="ignore"):
        margins = np.take_along_axis(z, others, -1) - np.take_along_axis(z, true, -1)
    margins[~np.isfinite(z).all(-1)] = np.nan
    return margins


def loss_of_margins(margins: Floats) -> Floats:
    """Cross entropy log(1 + Σ exp(margin)) over the last axis, nats, without overflow."""
    top: Floats = margins.max(axis=-1, initial=0)
    total = np.exp(-top)
    for k in range(margins.shape[-1]):
        total += np.exp(margins[..., k] - top)
    loss: Floats = top + np.log(total)
    return loss


def _mean(a: Floats, b: Floats, weight: Floats | float) -> Floats:
    return (1 - weight) * a + weight * b
