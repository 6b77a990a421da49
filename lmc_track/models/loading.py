"""Classifiers as transformers loads them, with what it found, lacked and left out.

transformers fills in what a checkpoint lacks with random numbers and drops what it has no place
for; whether that is right only the caller can say, so nothing is loaded without the report.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from lmc_track.models.silence import silent_transformers

# Buffers that older versions saved too: they follow from the configuration.
_BUFFERS = ("position_ids", "token_type_ids")


@dataclass(frozen=True)
class LoadReport:
    """Names of tensors: ``missing`` from the files, ``unexpected`` in them, and ``mismatched``
    with the shapes in the files and in the architecture."""

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    mismatched: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]

    @property
    def is_whole(self) -> bool:
        return not (self.missing or self.unexpected or self.mismatched)

    def problems(self) -> str:
        """What is wrong, in one sentence without a period; tensors by name."""
        parts = []
        if self.missing:
            parts.append(f"no file has {listed(self.missing)}")
        if self.mismatched:
            shown = [f"{name} {a} instead of {b}" for name, (a, b) in self.mismatched.items()]
            parts.append(f"of another shape is {listed(shown)}")
        if self.unexpected:
            parts.append(f"the architecture has no place for {listed(self.unexpected)}")
        return "; ".join(parts)


def load_reported(folder: Path, **settings: Any) -> tuple[Any, LoadReport]:
    """The classifier in ``folder``, in float32 and evaluation mode, and how it was loaded.

    ``settings`` are those of its configuration that are to be others than in the folder. Tensors
    that are missing or of another shape are made anew, by torch's global random numbers.

    Raises:
        safetensors.SafetensorError, OSError, ValueError, RuntimeError: it cannot be loaded.
    """
    from transformers import AutoModelForSequenceClassification

    with silent_transformers():
        model, info = AutoModelForSequenceClassification.from_pretrained(
            str(folder),
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.float32,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
            **settings,
        )
    report = LoadReport(
        tuple(sorted(info["missing_keys"])),
        tuple(sorted(name for name in info["unexpected_keys"] if not name.endswith(_BUFFERS))),
        {name: (tuple(a), tuple(b)) for name, a, b in sorted(info["mismatched_keys"])},
    )
    return model.eval(), report


def listed(names: Iterable[str]) -> str:
    """The first three of ``names``, and how many more there are."""
    shown = list(names)
    return ", ".join(shown[:3]) + (f" and {len(shown) - 3} more" if len(shown) > 3 else "")


def unique_state(model: Any) -> dict[str, torch.Tensor]:
    """The parameters and persistent buffers of ``model``; of tied ones only the first."""
    state: dict[str, torch.Tensor] = {}
    seen: set[tuple[int, torch.Size]] = set()
    for name, tensor in model.state_dict().items():
        place = (tensor.data_ptr(), tensor.shape)
        if tensor.numel() == 0 or place not in seen:
            seen.add(place)
            state[name] = tensor.detach()
    return state
