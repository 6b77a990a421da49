"""Classifiers and their weights from checkpoints on disk, by memory map where the names allow it.

Once one checkpoint of an architecture was loaded by transformers, which knows tied weights,
buffers and names of the past, the tensors of all others like it are known to lie in their files
under the same names, and are mapped rather than read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch

from lmc_track.errors import InputError, WorkError
from lmc_track.geometry.weights import Weights, check_finite
from lmc_track.models.checkpoints import stored_tensors
from lmc_track.models.loading import LoadReport, load_reported, unique_state


def load_classifier(folder: Path) -> Any:
    """The classifier saved in ``folder``, in float32 and evaluation mode.

    Raises:
        WorkError: a file of it is missing or damaged, or it does not load whole.
    """
    model, report = load_classifier_report(folder)
    if not report.is_whole:
        raise WorkError(
            f"the checkpoint in {folder} does not load whole: {report.problems()}",
            "Restore its files, or delete its run in MLflow and run the study again: the model is "
            "then finetuned anew.",
        )
    return model


def load_classifier_report(folder: Path) -> tuple[Any, LoadReport]:
    """The classifier in ``folder``, and what transformers found of its tensors.

    Raises:
        WorkError: a file of it is missing or damaged.
    """
    from safetensors import SafetensorError

    try:
        return load_reported(folder)
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise damaged_checkpoint(folder, error) from error


def load_weights(folder: Path) -> dict[str, torch.Tensor]:
    """The state of the classifier in ``folder``: parameters and persistent buffers by name.

    Raises:
        WorkError: the checkpoint is damaged, or a tensor holds NaN or infinite values.
    """
    weights = unique_state(load_classifier(folder))
    check_finite(weights, str(folder))
    return weights


@dataclass(frozen=True)
class StoredLayout:
    """Under which names, and in which shapes, an architecture's tensors lie in its files."""

    shapes: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, folder: Path, state: Weights) -> StoredLayout | None:
        """The layout of the checkpoint in ``folder``, of which ``state`` was loaded.

        None where transformers has renamed, joined or invented tensors while loading.
        """
        shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
        if not cls(shapes).fits(folder):
            return None
        mapped = _mapped(folder, shapes)
        same = all(torch.equal(mapped[name].to(one.dtype), one) for name, one in state.items())
        return cls(shapes) if same else None

    def fits(self, folder: Path) -> bool:
        """Whether the checkpoint in ``folder`` has all these tensors in these shapes."""
        stored = {tensor.name: tensor.shape for tensor in stored_tensors(folder)}
        return all(stored.get(name) == shape for name, shape in self.shapes.items())


def open_weights(folder: Path, layout: StoredLayout | None) -> dict[str, torch.Tensor]:
    """The weights in ``folder``, mapped into memory where they lie as ``layout`` says.

    Tensors stored in another precision are converted to float32.

    Raises:
        WorkError: the checkpoint is damaged, or a tensor holds NaN or infinite values.
    """
    try:
        fits = layout is not None and layout.fits(folder)
    except InputError as error:
        raise damaged_checkpoint(folder, error) from error
    if layout is None or not fits:
        return load_weights(folder)
    weights = {
        name: tensor.float() if tensor.is_floating_point() else tensor
        for name, tensor in _mapped(folder, layout.shapes).items()
    }
    check_finite(weights, str(folder))
    return weights


def _mapped(folder: Path, names: Mapping[str, object]) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError, safe_open

    files = {tensor.name: tensor.file for tensor in stored_tensors(folder)}
    try:
        opened = {
            file: cast(Any, safe_open)(str(file), framework="pt")
            for file in {files[name] for name in names}
        }
        return {name: opened[files[name]].get_tensor(name) for name in names}
    except (SafetensorError, OSError) as error:
        raise damaged_checkpoint(folder, error) from error


def damaged_checkpoint(folder: Path, error: Exception) -> WorkError:
    """What to tell of a checkpoint that cannot be read because of ``error``."""
    reason = str(error).strip().partition("\n")[0].rpartition(" is damaged: ")[2]
    return WorkError(
        f"the checkpoint in {folder} is damaged: {reason}",
        "Restore it, or delete its run in MLflow and run the study again: the model is then "
        "finetuned anew.",
    )
