"""Checkpoints held open: the most recently used ones, by what they contain."""

from __future__ import annotations

import os
from collections import OrderedDict
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
        try:
            return self._get(checkpoint, layout)
        except (InputError, OSError) as error:
            raise damaged_checkpoint(checkpoint.folder, error) from error

    def _get(self, checkpoint: Checkpoint, layout: StoredLayout | None) -> Weights:
        state = _signature(checkpoint.folder)
        if self._seen.get(checkpoint) != state:
            self._held.pop(checkpoint, None)
            _verify(checkpoint)
            self._seen[checkpoint] = state
        if checkpoint in self._held:
            self._held.move_to_end(checkpoint)
            return self._held[checkpoint]
        # Room is made first, so that no more is held than the limit says. The newest always stays:
        # a path needs both of its ends.
        size = sum(tensor.end - tensor.begin for tensor in stored_tensors(checkpoint.folder))
        while len(self._held) > 1 and self._bytes() + size > self._limit:
            self._held.popitem(last=False)
        weights = {
            name: tensor.to(self._device)
            for name, tensor in open_weights(checkpoint.folder, layout).items()
        }
        self._held[checkpoint] = weights
        return weights

    def _bytes(self) -> int:
        return sum(tensor.nbytes for held in self._held.values() for tensor in held.values())


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
