"""What a classifier computes, as a digest: of its weights as loaded and of what configures them.

Files can differ while the function is one: buffers that follow from the configuration, names of
the past, another order. And one set of weights is several functions under several configurations.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from lmc_track.models.loading import load_reported, unique_state

# Settings that say nothing of what the network computes from its weights when it is evaluated.
_PASSING = frozenset(
    {
        "architectures", "chunk_size_feed_forward", "dtype", "finetuning_task", "id2label",
        "initializer_factor", "initializer_range", "label2id", "num_labels", "output_attentions",
        "output_hidden_states", "problem_type", "return_dict", "task_specific_params",
        "tie_word_embeddings", "torch_dtype", "transformers_version", "use_cache",
        "_name_or_path", "name_or_path",
    }
)  # fmt: skip


def settings_that_matter(config: Any) -> dict[str, Any]:
    """The settings of ``config`` that change what a network computes when it is evaluated."""
    content = config.to_dict()
    known = type(config)().to_dict().keys() - _PASSING
    return {name: content.get(name) for name in sorted(known) if "drop" not in name}


def function_digest(
    model: Any, order: Sequence[int] | None = None, outputs: Mapping[str, int] | None = None
) -> str:
    """SHA-256 (hex) of the function that the loaded ``model`` computes.

    Over the settings that matter and the tensors as loaded, sorted by name, each framed as name,
    shape and bytes in float32 (integers in int64). With ``order`` its output ``n`` is what is
    output ``order[n]`` of ``model``; ``outputs`` maps the tensors of the head to their axis of
    labels.
    """
    settings = settings_that_matter(model.config)
    # Which token pads is seen in no answer to texts.
    settings.pop("pad_token_id", None)
    text = json.dumps(settings, sort_keys=True, default=str)
    digest = hashlib.sha256(f"lmc-track function v1 {model.config.model_type} {text}".encode())
    for name, tensor in sorted(unique_state(model).items()):
        if order is not None and outputs is not None and name in outputs:
            tensor = tensor.index_select(outputs[name], torch.tensor(list(order)))
        whole = tensor.float() if tensor.is_floating_point() else tensor.long()
        digest.update(f"{name} {tuple(whole.shape)} ".encode())
        digest.update(whole.numpy().tobytes())
    return digest.hexdigest()


def function_digest_of(folder: Path) -> str:
    """``function_digest`` of the classifier in ``folder``.

    Raises:
        safetensors.SafetensorError, OSError, ValueError, RuntimeError: it cannot be loaded.
    """
    return function_digest(load_reported(folder)[0])
