"""Measures of many models at once on parts of one evaluation set, from arrays.

The same measures as ``geometry.metrics`` has for one model and one set. Examples that are in the
same parts and have the same label make a cell; every measure is a sum over cells, so that no part
costs a pass over the examples of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lmc_track.geometry.metrics import CONFIDENCE_BINS, score
from lmc_track.geometry.temperature import FEWEST_EXAMPLES, calibrated_losses

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_UNITS_A_NAT = 2.0**40
_MOST_UNITS = 2.0**63
# Whole numbers up to 2⁵³ are exact in float64: sums of eight million shares.
_UNITS_A_SHARE = 2.0**30


@dataclass(frozen=True)
class Cells:
    """The n examples of an evaluation set, put in the order of their c cells.

    ``order``: (n,), places of the examples. ``starts``: (c,), where each cell begins in that order.
    ``labels``: (c,), the label of each. ``parts``: (c, p), 1 where a part has the cell, else 0.
    """

    order: Integers
    starts: Integers
    labels: Integers
    parts: Integers

    @classmethod
    def of(cls, labels: Integers, members: NDArray[np.bool_]) -> Cells:
        """Of ``labels`` (n,) and p parts, which may overlap: ``members`` is (p, n)."""
        marks = np.vstack([labels, members.astype(np.int64)])
        cells, cell_of = np.unique(marks, axis=1, return_inverse=True)
        cell_of = cell_of.reshape(-1)
        order = np.argsort(cell_of, kind="stable")
        starts = np.searchsorted(cell_of[order], np.arange(cells.shape[1]))
        return cls(order, starts, cells[0], cells[1:].T.copy())

    @property
    def sizes(self) -> Integers:
        """(c,), examples of each cell."""
        return np.diff(self.starts, append=len(self.order))

    def sums(self, values: NDArray[np.generic]) -> Integers:
        """(r, c) of ``values`` (r, n), which are in the order of cells: whole numbers, added."""
        found: Integers = np.add.reduceat(values, self.starts, axis=1, dtype=np.int64)
        return found


def part_metrics(
    cells: Cells,
    logits: NDArray[np.floating],
    losses: NDArray[np.floating],
    fitted_on: int | None = None,
) -> dict[str, Floats]:
    """Measures (r, p) of r models on p parts; NaN where one is not defined.

    ``logits``: (r, n, k), those of the set's own labels. ``losses``: (r, n) in nats. Both have the
    examples in the order of ``cells``. ``fitted_on``: the part whose examples temperatures are
    fitted on; where there is none, or it has fewer than ``FEWEST_EXAMPLES``, calibrated_loss is
    left out.

    The predicted label is the first of the largest logits. Losses are added as whole multiples of
    2⁻⁴⁰ nats, so that no order of adding matters; a loss that is not finite leaves its mean
    undefined. F1 and AUC are of label 1 of two and left out where there are others.
    """
    n_labels = logits.shape[2]
    predicted = _predicted(logits)
    counts = _confusion(cells, predicted)
    sizes = (cells.sizes @ cells.parts).astype(np.float64)
    labels = np.repeat(cells.labels, cells.sizes)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = {"loss": _mean_loss(cells, losses, sizes)}
        if fitted_on is not None and n_labels > 1 and sizes[fitted_on] >= FEWEST_EXAMPLES:
            chosen = np.repeat(cells.parts[:, fitted_on] == 1, cells.sizes)
            calibrated = calibrated_losses(labels, logits, chosen)
            found["calibrated_loss"] = _mean_loss(cells, calibrated, sizes)
        found["calibration_error"] = _calibration_error(
            cells, _confidence(logits), predicted == labels, sizes
        )
        found |= _of_confusion(cells, counts, sizes)
        if n_labels == 2:
            ones = cells.labels == 1
            hits = counts[:, ones, 1] @ cells.parts[ones]
            either = counts[:, :, 1] @ cells.parts + cells.sizes[ones] @ cells.parts[ones]
            found["f1"] = np.where(either > 0, 2.0 * hits / either, 0.0)
            found["auc"] = _auc(cells, score(logits).astype(np.float64, copy=False))
    return found


def _predicted(logits: NDArray[np.floating]) -> Integers:
    """(r, n), the first of the largest logits; one that is NaN is the largest."""
    if logits.shape[2] != 2:
        first: Integers = np.argmax(logits, axis=2)
        return first
    zero, one = logits[..., 0], logits[..., 1]
    larger: NDArray[np.bool_] = (one > zero) | (np.isnan(one) & ~np.isnan(zero))
    return larger.astype(np.int64)


def _mean_loss(cells: Cells, losses: NDArray[np.floating], sizes: Floats) -> Floats:
    scaled = np.floor(losses.astype(np.float64) * _UNITS_A_NAT + 0.5)
    known = np.abs(scaled) < _MOST_UNITS
    units = cells.sums(np.where(known, scaled, 0).astype(np.int64)) @ cells.parts
    unknown = cells.sums(~known) @ cells.parts
    return np.where(unknown == 0, units.astype(np.float64) / _UNITS_A_NAT / sizes, np.nan)


def _confusion(cells: Cells, predicted: Integers) -> Integers:
    """(r, c, k): how often each of k labels is predicted in each cell."""
    k = max(int(predicted.max(initial=0)), int(cells.labels.max(initial=0)), 1) + 1
    named = [cells.sums(predicted == label) for label in range(1, k)]
    return np.stack([cells.sizes - sum(named), *named], axis=2)


def _of_confusion(cells: Cells, counts: Integers, n: Floats) -> dict[str, Floats]:
    """What only needs to know how often which label is predicted for which."""
    said = np.einsum("rck,cp->rpk", counts, cells.parts).astype(np.float64)
    labels = range(counts.shape[2])
    of_label = [cells.parts * (cells.labels == label)[:, None] for label in labels]
    truly = np.stack([(cells.sizes @ part) for part in of_label]).astype(np.float64)
    right = np.stack([counts[:, :, k] @ of_label[k] for k in labels]).astype(np.float64)
    hits = right.sum(0)
    # All of these are whole numbers, exact in float64.
    truly_said = np.einsum("kp,rpk->rp", truly, said)
    spread = (n * n - (said * said).sum(2)) * (n * n - (truly * truly).sum(0))
    recalls, occurring = np.zeros_like(hits), np.zeros(len(n))
    for k in labels:
        recalls += np.where(truly[k] > 0, right[k] / truly[k], 0.0)
        occurring += truly[k] > 0
    return {
        "accuracy": hits / n,
        "error": (n - hits) / n,
        "matthews_correlation": np.where(
            spread > 0, (hits * n - truly_said) / np.sqrt(spread), 0.0
        ),
        "balanced_accuracy": recalls / occurring,
    }


def _confidence(logits: NDArray[np.floating]) -> Floats:
    """(r, n), the probability of the predicted label."""
    if logits.shape[2] == 2:
        two: Floats = 1 / (1 + np.exp(-np.abs(score(logits))))
        return two
    z = logits.astype(np.float64)
    found: Floats = 1 / np.exp(z - z.max(2, keepdims=True)).sum(2)
    return found


def _calibration_error(
    cells: Cells, confidence: Floats, right: NDArray[np.bool_], n: Floats
) -> Floats:
    """The expected calibration error (r, p), as ``metrics.calibration_error``.

    Differences are added as whole multiples of 2⁻³⁰, so that no order of adding matters.
    """
    r, c = len(confidence), len(cells.starts)
    unknown = np.isnan(confidence)
    known = np.where(unknown, 1.0, confidence)
    bins = np.ceil(known * CONFIDENCE_BINS).astype(np.int64) - 1
    units = np.rint((right - known) * _UNITS_A_SHARE)
    place = (np.arange(r)[:, None] * CONFIDENCE_BINS + bins) * c
    place += np.repeat(np.arange(c), cells.sizes)
    sums = np.bincount(place.ravel(), units.ravel(), minlength=r * CONFIDENCE_BINS * c)
    of_parts = sums.reshape(r, CONFIDENCE_BINS, c) @ cells.parts.astype(np.float64)
    error = np.abs(of_parts).sum(1) / _UNITS_A_SHARE / n
    undefined = cells.sums(unknown) @ cells.parts > 0
    return np.where(undefined, np.nan, error)


def _auc(cells: Cells, scores: Floats) -> Floats:
    """The area under the ROC curve (r, p), as ``metrics.auc``: exact, ties count half."""
    r, n = scores.shape
    unknown = np.isnan(scores)
    order = np.argsort(scores, axis=1)
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.broadcast_to(np.arange(n), (r, n)), axis=1)
    numbers = np.arange(len(cells.starts), dtype=np.min_scalar_type(len(cells.starts)))
    cell_at = np.repeat(numbers, cells.sizes)[order]
    tied = _ties(np.take_along_axis(scores, order, axis=1), place)
    ones = np.flatnonzero(cells.labels == 1)
    doubled = np.zeros((r, cells.parts.shape[1]), dtype=np.int64)
    before = np.zeros((r, n + 1), dtype=np.int16 if n < 1 << 14 else np.int32)
    for zero in np.flatnonzero(cells.labels == 0):
        np.cumsum(cell_at == zero, axis=1, dtype=before.dtype, out=before[:, 1:])
        if tied is None:
            lower = 2 * np.take_along_axis(before, place, axis=1)
        else:
            lower = np.take_along_axis(before, tied[0], axis=1)
            lower += np.take_along_axis(before, tied[1], axis=1)
        pairs = cells.sums(lower)[:, ones]
        # A pair counts for the parts that have both of its cells.
        doubled += pairs @ (cells.parts[ones] * cells.parts[zero])
    n_ones = cells.sizes[ones] @ cells.parts[ones]
    n_zeros = cells.sizes[cells.labels == 0] @ cells.parts[cells.labels == 0]
    possible = 2.0 * n_ones * n_zeros
    known = (cells.sums(unknown) @ cells.parts == 0) & (possible > 0)
    return np.where(known, doubled / possible, np.nan)


def _ties(ordered: Floats, place: Integers) -> tuple[Integers, Integers] | None:
    """How many scores are below each example's, and how many are not above it, both (r, n).

    None where no two scores of a model are equal.
    """
    r, n = ordered.shape
    new = np.ones((r, n), dtype=np.bool_)
    np.not_equal(ordered[:, 1:], ordered[:, :-1], out=new[:, 1:])
    if new.all():
        return None
    at = np.broadcast_to(np.arange(n), (r, n))
    first = np.maximum.accumulate(np.where(new, at, 0), axis=1)
    closing = np.ones((r, n), dtype=np.bool_)
    closing[:, :-1] = new[:, 1:]
    last = np.minimum.accumulate(np.where(closing, at, n - 1)[:, ::-1], axis=1)[:, ::-1]
    below = np.take_along_axis(first, place, axis=1)
    return below, np.take_along_axis(last, place, axis=1) + 1
