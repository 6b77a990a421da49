"""theta(alpha) = (1 - alpha) theta_a + alpha theta_b, written into one resident model.

So are other mixtures of weights whose shares add up to 1, such as points of a plane.

Along a module-wise path only the tensors of some modules move, and the rest stay model_a's.

Weights are always interpolated in float32 and cast afterwards where the evaluation precision
is lower. Integer buffers are model_a's.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from lmc_track.geometry.batching import Attention
from lmc_track.geometry.loading import StoredLayout, load_classifier_report, load_weights
from lmc_track.geometry.modules import ALL, moving_tensors
from lmc_track.geometry.weights import Weights, check_same_shape
from lmc_track.models.loading import unique_state

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


class ResidentModel:
    """One classifier in memory whose weights are overwritten in place, never reloaded.

    ``layout`` says how checkpoints of its architecture lie on disk.
    """

    def __init__(
        self,
        folder: Path,
        precision: str = "fp32",
        device: torch.device | str = "cpu",
        attention: Attention = "sdpa",
    ) -> None:
        # Weights are checked where they are read; a base model has no head yet.
        self.model: Any = load_classifier_report(folder)[0]
        self.layout = StoredLayout.of(folder, unique_state(self.model))
        if attention == "eager" or self.model._supports_sdpa:
            self.model.set_attn_implementation(attention)
        self.model.to(device=device, dtype=_DTYPES[precision])
        self._state = unique_state(self.model)

    @torch.no_grad()
    def set_weights(self, weights: Weights) -> None:
        """Become the model with ``weights``."""
        for name, target in self._state.items():
            target.copy_(weights[name])

    @torch.no_grad()
    def set_mixture(self, models: Sequence[Weights], shares: Sequence[float]) -> None:
        """Become the sum of ``models``' weights, each times its share; these add up to 1."""
        first, *others = models
        for name, target in self._state.items():
            if not target.is_floating_point():
                target.copy_(first[name])
                continue
            own = target.dtype == torch.float32
            mixed = torch.mul(first[name], shares[0], out=target if own else None)
            for weights, share in zip(others, shares[1:], strict=True):
                mixed.add_(weights[name], alpha=share)
            if not own:
                target.copy_(mixed)

    @torch.no_grad()
    def set_point(self, a: Weights, b: Weights, alpha: float, modules: str = ALL) -> None:
        """Become the point ``alpha`` of the line from ``a`` to ``b``; only ``modules`` move."""
        moving = moving_tensors(modules, self._state)
        for name, target in self._state.items():
            if name not in moving or not target.is_floating_point():
                target.copy_(a[name])
            elif target.dtype == torch.float32:
                torch.lerp(a[name], b[name], alpha, out=target)
            else:
                target.copy_(torch.lerp(a[name], b[name], alpha))


def materialize(
    folder_a: Path, folder_b: Path, alpha: float, out: Path, modules: str = ALL
) -> None:
    """Save the point ``alpha`` between two saved classifiers as a checkpoint in ``out``."""
    from transformers import AutoTokenizer

    resident = ResidentModel(folder_a)
    a, b = load_weights(folder_a), load_weights(folder_b)
    check_same_shape(a, b, str(folder_a), str(folder_b))
    resident.set_point(a, b, alpha, modules)
    out.mkdir(parents=True, exist_ok=True)
    resident.model.save_pretrained(str(out))
    tokenizer = AutoTokenizer.from_pretrained(
        str(folder_a), local_files_only=True, trust_remote_code=False
    )
    tokenizer.save_pretrained(str(out))
