"""Which inputs are read together: sorted by length, each distinct one once.

A batch costs its padded tokens and a fixed overhead; the cuts are those of least total cost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from lmc_track.geometry.encoding import EncodedDataset

Attention = Literal["sdpa", "eager"]


@dataclass(frozen=True)
class Batching:
    """How a model is fed: ``token_budget`` padded tokens a batch at most (or one input).

    ``overhead`` is what a batch costs beside its tokens, in tokens. ``attention`` is the
    implementation that transformers is asked for.
    """

    token_budget: int = 1_024
    overhead: int = 256
    attention: Attention = "sdpa"


@dataclass(frozen=True)
class Batch:
    """Padded inputs, and which of the distinct inputs they are, both on one device."""

    rows: torch.Tensor
    inputs: dict[str, torch.Tensor]


@dataclass(frozen=True)
class Reading:
    """Batches of the distinct inputs of some data sets.

    ``index`` says of each data set which input each of its examples is, shape (n,);
    ``n_inputs`` are distinct, with ``n_tokens`` tokens.
    """

    batches: list[Batch]
    n_inputs: int
    n_tokens: int
    index: dict[str, NDArray[np.int64]]


def plan_reading(
    datasets: Mapping[str, EncodedDataset], batching: Batching, device: torch.device | str = "cpu"
) -> Reading:
    """How the examples of ``datasets`` are read; it depends on them and on ``batching`` alone."""
    distinct: dict[tuple[bytes, ...], int] = {}
    where: list[tuple[EncodedDataset, int]] = []
    index: dict[str, NDArray[np.int64]] = {}
    for name, data in datasets.items():
        places = np.empty(len(data), dtype=np.int64)
        for row in range(len(data)):
            key = tuple(ids[row].tobytes() for ids in data.inputs.values())
            places[row] = distinct.setdefault(key, len(where))
            if places[row] == len(where):
                where.append((data, row))
        index[name] = places
    lengths = np.array([len(data.inputs["input_ids"][row]) for data, row in where], dtype=np.int64)
    batches = [
        _padded([where[place] for place in rows], torch.from_numpy(rows).to(device), device)
        for rows in cut(lengths, batching)
    ]
    return Reading(batches, len(where), int(lengths.sum()), index)


def cut(lengths: NDArray[np.int64], batching: Batching) -> list[NDArray[np.int64]]:
    """The rows of each batch, by the cuts of the sorted ``lengths`` with the least cost.

    The cost of the first j inputs is the least, over the inputs that the last batch may hold, of
    the cost of those before it, its padded tokens and its overhead.
    """
    order = np.argsort(lengths, kind="stable")
    ordered = lengths[order]
    least = np.zeros(len(ordered) + 1)
    first = np.zeros(len(ordered) + 1, dtype=np.int64)
    for last, width in enumerate(ordered, 1):
        most = min(last, max(1, batching.token_budget // max(int(width), 1)))
        sizes = np.arange(1, most + 1)
        costs = least[last - sizes] + sizes * width + batching.overhead
        best = int(np.argmin(costs))
        least[last], first[last] = costs[best], last - sizes[best]
    batches = []
    end = len(ordered)
    while end:
        batches.append(order[first[end] : end])
        end = int(first[end])
    return batches[::-1]


def _padded(
    examples: Sequence[tuple[EncodedDataset, int]], rows: torch.Tensor, device: torch.device | str
) -> Batch:
    """Inputs of ``examples`` as tables; the mask is left out where nothing is padded."""
    names = list(examples[0][0].inputs)
    padding = examples[0][0].padding
    sizes = [len(data.inputs["input_ids"][row]) for data, row in examples]
    inputs: dict[str, torch.Tensor] = {}
    for name in names:
        fill = padding.token_id if name == "input_ids" else 0
        table = padding.table([data.inputs[name][row] for data, row in examples], sizes, fill)
        inputs[name] = torch.from_numpy(table).to(device)
    if min(sizes) < max(sizes):
        inputs["attention_mask"] = torch.from_numpy(padding.mask(sizes)).to(device)
    return Batch(rows, inputs)
