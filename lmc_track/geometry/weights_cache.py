"""Checkpoints held open: the most recently used ones, by what they contain."""

from __future__ import annotations

import math
import os
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from lmc_track.errors import InputError, WorkError
from lmc_track.geometry.loading import StoredLayout, damaged_checkpoint, open_weights
from lmc_track.geometry.weights import Weights
from lmc_track.models.checkpoints import stored_tensors, weights_digest


@dataclass(frozen=True)
class Checkpoint:
    """A folder, and the digest that its weights must have (None: whatever they are)."""

    folder: Path
    digest: str | None = None


class WeightsCache:
    """The weights of checkpoints on ``device``, as many as fit in ``limit`` bytes.

    A checkpoint's digest is verified when it is opened, and again whenever its files look other
    than they did then, so results are never of other weights than they are recorded for.
    """

    def __init__(self, limit: int, device: torch.device | str = "cpu") -> None:
        self._limit = limit
        self._device = device
        self._held: OrderedDict[Checkpoint, Weights] = OrderedDict()
        self._seen: dict[Checkpoint, object] = {}

    def get(self, checkpoint: Checkpoint, layout: StoredLayout | None) -> Weights:
        """The weights of ``checkpoint``.

        Raises:
            WorkError: they are damaged, not finite, or not those of the digest.
        """
        with _readable(checkpoint):
            self._check(checkpoint)
            return self._get(checkpoint, layout)

    def read(self, checkpoint: Checkpoint, layout: StoredLayout | None) -> Weights:
        """The weights of ``checkpoint``, which are not held for another time.

        Raises:
            WorkError: as ``get``.
        """
        with _readable(checkpoint):
            self._check(checkpoint)
            return self._held.get(checkpoint) or self._opened(checkpoint, layout)

    def _check(self, checkpoint: Checkpoint) -> None:
        state = _signature(checkpoint.folder)
        if self._seen.get(checkpoint) != state:
            self._held.pop(checkpoint, None)
            _verify(checkpoint)
            self._seen[checkpoint] = state

    def _get(self, checkpoint: Checkpoint, layout: StoredLayout | None) -> Weights:
        if checkpoint in self._held:
            self._held.move_to_end(checkpoint)
            return self._held[checkpoint]
        # Room is made first, so that no more is held than the limit says. The newest always stays:
        # a path needs both of its ends.
        size = _size(checkpoint.folder)
        while len(self._held) > 1 and self._bytes() + size > self._limit:
            self._held.popitem(last=False)
        weights = self._opened(checkpoint, layout)
        self._held[checkpoint] = weights
        return weights

    def _opened(self, checkpoint: Checkpoint, layout: StoredLayout | None) -> Weights:
        return {
            name: tensor.to(self._device)
            for name, tensor in open_weights(checkpoint.folder, layout).items()
        }

    def _bytes(self) -> int:
        return sum(tensor.nbytes for held in self._held.values() for tensor in held.values())


@contextmanager
def _readable(checkpoint: Checkpoint) -> Iterator[None]:
    try:
        yield
    except (InputError, OSError) as error:
        raise damaged_checkpoint(checkpoint.folder, error) from error


def _size(folder: Path) -> int:
    """Bytes of a checkpoint's tensors as they are held: floats in float32, whatever is stored."""
    return sum(
        4 * math.prod(tensor.shape) if "F" in tensor.dtype else tensor.end - tensor.begin
        for tensor in stored_tensors(folder)
    )


def _verify(checkpoint: Checkpoint) -> None:
    if checkpoint.digest is None:
        return
    found = weights_digest(checkpoint.folder)
    if found != checkpoint.digest:
        raise WorkError(
            f"{checkpoint.folder} holds other weights than were recorded "
            f"(digest {found[:12]}, recorded {checkpoint.digest[:12]})",
            "Restore them, or delete the model's run in MLflow and run the study again.",
        )


def _signature(folder: Path) -> object:
    """What changes when a file in ``folder`` is written or replaced."""
    return tuple(
        (entry.name, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
        for entry in sorted(os.scandir(folder), key=lambda one: one.name)
        if entry.is_file() and (stat := entry.stat())
    )
