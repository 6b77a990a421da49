"""How many threads small models are trained with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Below this many weights a step is too short to be shared out.
SMALL = 1_000_000


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for tensor operations of this process; restored afterwards.

    The order of sums, and so the weights that come out, are then the same whatever the number
    of cores. On a machine that is busy a small model is also trained many times faster:
    threads that wait for each other in every operation waste the time they are given.
    """
    with _threads(1):
        yield


def is_small(model: Any) -> bool:
    """Whether ``model`` has fewer than a million weights."""
    return bool(sum(weight.numel() for weight in model.parameters()) < SMALL)


@contextmanager
def threads_for(model: Any, wanted: int | None = None) -> Iterator[None]:
    """One thread for a model of fewer than a million weights, else ``wanted`` (None: as it is)."""
    with threads_of_process(1 if is_small(model) else wanted):
        yield


@contextmanager
def threads_of_process(wanted: int | None) -> Iterator[None]:
    """``wanted`` threads for tensor operations of this process (None: as it is)."""
    if wanted is None:
        yield
        return
    with _threads(wanted):
        yield


@contextmanager
def _threads(count: int) -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
