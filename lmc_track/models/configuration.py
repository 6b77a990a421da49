"""Whether two checkpoints are one network: their configurations, apart from what does not count."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

# Where a model came from, how it was trained and what its labels are called.
_DOES_NOT_COUNT = frozenset(
    {
        "_name_or_path", "_num_labels", "architectures", "dtype", "finetuning_task", "id2label",
        "label2id", "problem_type", "torch_dtype", "transformers_version", "use_cache",
        "gradient_checkpointing", "_attn_implementation",
    }
)  # fmt: skip


def differing_setting(folder_a: Path, folder_b: Path) -> tuple[str, Any, Any] | None:
    """The first setting in which the networks of two model folders differ, and both its values.

    Dropout does not count: nothing is dropped when a model is evaluated.
    """
    a, b = _read(folder_a), _read(folder_b)
    for name in sorted(a.keys() & b.keys()):
        # A padding token that is not named is the tokenizer's.
        unnamed = name == "pad_token_id" and None in (a[name], b[name])
        counts = name not in _DOES_NOT_COUNT and "dropout" not in name and not unnamed
        if counts and a[name] != b[name]:
            return name, a[name], b[name]
    return None


def _read(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return content
