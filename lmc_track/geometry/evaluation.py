"""What a model says about every example: logits and loss."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from lmc_track.geometry.batching import Batch, Reading
from lmc_track.geometry.encoding import EncodedDataset
from lmc_track.geometry.metrics import summarize
from lmc_track.models.padding import read_names
from lmc_track.tasks.projection import Projection, projected


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


def read(model: Any, reading: Reading, at_once: int = 1) -> torch.Tensor:
    """``model``'s logits of every distinct input, shape (inputs, labels), float32, in memory.

    ``at_once`` batches are computed side by side, each by one thread: nobody waits for the slowest
    after every operation, as threads do that share one batch.
    """

    @torch.inference_mode()
    def logits_of(batch: Batch) -> torch.Tensor:
        inputs = {name: batch.inputs[name] for name in read_names(model, batch.inputs)}
        logits: torch.Tensor = model(**inputs).logits.float()
        return logits

    if not reading.batches:
        raise ValueError("there are no examples to evaluate")
    batches = reading.batches[::-1]  # the longest first, so that all end together
    if at_once == 1:
        parts = [logits_of(batch) for batch in batches]
    else:
        with ThreadPoolExecutor(at_once, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            parts = list(pool.map(logits_of, batches))
    logits = parts[0].new_empty(reading.n_inputs, parts[0].shape[1])
    for batch, part in zip(batches, parts, strict=True):
        logits[batch.rows] = part
    return logits.cpu()


def predictions_of(data: EncodedDataset, logits: torch.Tensor) -> Predictions:
    """Predictions with ``logits``, shape (n, labels of the model), of the examples of ``data``.

    The loss is taken in float32, of projected logits in float64.
    """
    own = torch.from_numpy(projected(logits.numpy(), data.projection))
    loss = cross_entropy(own, torch.tensor(data.labels), reduction="none").float()
    return Predictions(
        data.name, data.example_ids, data.labels, loss.numpy(), logits.numpy(), data.projection
    )
