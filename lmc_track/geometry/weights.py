"""Weights of classifiers: loaded once, compared, measured; kept while memory allows."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch

from lmc_track.errors import WorkError
from lmc_track.models.silence import silent_transformers

Weights = dict[str, torch.Tensor]
DEFAULT_CACHE_BYTES = 4 * 2**30


def load_classifier(folder: Path) -> Any:
    """The classifier saved in ``folder``, in float32 and evaluation mode.

    Raises:
        WorkError: a file of it is missing or damaged.
    """
    from safetensors import SafetensorError
    from transformers import AutoModelForSequenceClassification

    try:
        with silent_transformers():
            model = AutoModelForSequenceClassification.from_pretrained(
                str(folder),
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                dtype=torch.float32,
            )
    except (SafetensorError, OSError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise WorkError(
            f"the checkpoint in {folder} is damaged: {reason}",
            "Restore it, or delete its run in MLflow and run the study again: the model is then "
            "finetuned anew.",
        ) from error
    return model.eval()


def load_weights(folder: Path) -> Weights:
    """The state of the classifier in ``folder``: parameters and persistent buffers by name.

    Raises:
        WorkError: a tensor holds NaN or infinite values.
    """
    weights: Weights = {
        name: tensor.detach() for name, tensor in load_classifier(folder).state_dict().items()
    }
    for name, tensor in weights.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise WorkError(
                f"the weights in {folder} are not finite: tensor {name!r}",
                "Finetune this model again, or leave it out of the study.",
            )
    return weights


def pretrained_weights(folder: Path) -> Weights:
    """The tensors of a classifier on ``folder``'s encoder that come from the encoder itself.

    The freshly initialised head is left out: it has no counterpart before finetuning.
    """
    from transformers import AutoModelForSequenceClassification

    with silent_transformers():
        model, info = AutoModelForSequenceClassification.from_pretrained(
            str(folder),
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
    missing = set(info["missing_keys"])
    return {
        name: tensor.detach()
        for name, tensor in model.state_dict().items()
        if name not in missing and tensor.is_floating_point()
    }


class WeightsCache:
    """The most recently used checkpoints, as long as they fit in ``limit`` bytes."""

    def __init__(self, limit: int = DEFAULT_CACHE_BYTES) -> None:
        self._limit = limit
        self._held: OrderedDict[Path, Weights] = OrderedDict()

    def get(self, folder: Path) -> Weights:
        if folder in self._held:
            self._held.move_to_end(folder)
            return self._held[folder]
        weights = load_weights(folder)
        self._held[folder] = weights
        # The two newest always stay: a path needs both of its endpoints.
        while len(self._held) > 2 and sum(map(_bytes, self._held.values())) > self._limit:
            self._held.popitem(last=False)
        return weights


def _bytes(weights: Weights) -> int:
    return sum(tensor.nbytes for tensor in weights.values())


def check_same_shape(a: Weights, b: Weights, name_a: str, name_b: str) -> None:
    """Raise WorkError, naming the tensor, unless ``a`` and ``b`` can be interpolated."""
    remedy = "Only models of one architecture and one set of labels can be joined by a line."
    for name in sorted(a.keys() ^ b.keys()):
        owner, other = (name_a, name_b) if name in a else (name_b, name_a)
        raise WorkError(f"{owner} has a tensor {name!r} that {other} lacks", remedy)
    for name, tensor in a.items():
        if tensor.shape != b[name].shape:
            raise WorkError(
                f"tensor {name!r} is {tuple(tensor.shape)} in {name_a} "
                f"and {tuple(b[name].shape)} in {name_b}",
                remedy,
            )


def l2_distance(a: Weights, b: Weights) -> float:
    """Euclidean distance of two models over all floating-point tensors, summed in float64."""
    return float(
        sum(_dot(t - b[n], t - b[n]) for n, t in a.items() if t.is_floating_point()) ** 0.5
    )


def update_cosine(a: Weights, b: Weights, origin: Weights) -> float:
    """Cosine of (theta_a - theta_0) and (theta_b - theta_0) over the tensors of ``origin``.

    NaN where a model has not moved from ``origin`` at all.
    """
    ab = aa = bb = 0.0
    for name, start in origin.items():
        da, db = a[name] - start, b[name] - start
        ab, aa, bb = ab + _dot(da, db), aa + _dot(da, da), bb + _dot(db, db)
    norm = (aa * bb) ** 0.5
    return ab / norm if norm > 0 else float("nan")


def _dot(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(torch.sum(a * b, dtype=torch.float64))
