"""What a model says about every example: logits and loss, in batches of similar length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from lmc_track.geometry.encoding import EncodedDataset
from lmc_track.geometry.metrics import summarize
from lmc_track.tasks.projection import Projection, projected

# Padded tokens a batch: large enough to fill a matrix product, small enough to stay in cache.
TOKEN_BUDGET = 1_024


@dataclass(frozen=True)
class Predictions:
    """A model's answers on one data set, in the data set's order.

    ``loss`` (n,) is the cross-entropy in nats, ``logits`` (n, labels of the model) are raw; both
    float32. ``labels`` are the data set's own: loss and metrics are of the projected logits.
    """

    dataset: str
    example_ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    loss: NDArray[np.float32]
    logits: NDArray[np.float32]
    projection: Projection | None = None

    @property
    def mean_loss(self) -> float:
        """The mean of ``loss``, added in float64, nats."""
        return float(np.mean(self.loss, dtype=np.float64))

    def metrics(self, task_metric: str) -> dict[str, float]:
        """Mean loss, accuracy and the task's own metric."""
        logits = projected(self.logits, self.projection)
        return summarize(self.labels, logits, self.loss, task_metric)


@dataclass(frozen=True)
class Batch:
    """Padded inputs of some examples and where in the data set they are."""

    rows: NDArray[np.int64]
    inputs: dict[str, torch.Tensor]


def plan_batches(data: EncodedDataset, token_budget: int = TOKEN_BUDGET) -> list[Batch]:
    """Batches of similar length with at most ``token_budget`` padded tokens (or one example).

    Examples are sorted by length, so little is padded; the plan depends on the data alone.
    """
    lengths = data.lengths
    order = np.argsort(lengths, kind="stable")
    batches: list[Batch] = []
    start = 0
    while start < len(order):
        end = start + 1
        while end < len(order) and lengths[order[end]] * (end + 1 - start) <= token_budget:
            end += 1
        batches.append(_pad(data, order[start:end]))
        start = end
    return batches


def _pad(data: EncodedDataset, rows: NDArray[np.int64]) -> Batch:
    width = int(max(len(data.inputs["input_ids"][row]) for row in rows))
    inputs: dict[str, torch.Tensor] = {}
    for name, ids in data.inputs.items():
        fill = data.pad_token_id if name == "input_ids" else 0
        table = np.full((len(rows), width), fill, dtype=np.int64)
        for line, row in enumerate(rows):
            table[line, : len(ids[row])] = ids[row]
        inputs[name] = torch.from_numpy(table)
    mask = np.zeros((len(rows), width), dtype=np.int64)
    for line, row in enumerate(rows):
        mask[line, : len(data.inputs["input_ids"][row])] = 1
    inputs["attention_mask"] = torch.from_numpy(mask)
    return Batch(rows, inputs)


@torch.inference_mode()
def evaluate(model: Any, data: EncodedDataset, batches: Sequence[Batch]) -> Predictions:
    """``model``'s predictions on ``data``, batched as planned.

    The loss is taken in float32, of projected logits in float64.
    """
    logits: torch.Tensor | None = None
    for batch in batches:
        out = model(**batch.inputs).logits.float()
        if logits is None:
            logits = torch.empty(len(data), out.shape[1], dtype=torch.float32)
        logits[torch.from_numpy(batch.rows)] = out.cpu()
    if logits is None:
        raise ValueError(f"the data set {data.name!r} has no examples")
    own = torch.from_numpy(projected(logits.numpy(), data.projection))
    loss = cross_entropy(own, torch.tensor(data.labels), reduction="none").float()
    return Predictions(
        data.name, data.example_ids, data.labels, loss.numpy(), logits.numpy(), data.projection
    )
