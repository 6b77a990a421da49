"""Whether two checkpoints are one network: their configurations, apart from what does not count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lmc_track.models.foreign import read_object

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
    a, b = read_object(folder_a / "config.json"), read_object(folder_b / "config.json")
    for name in sorted(a.keys() & b.keys()):
        # A padding token that is not named is the tokenizer's.
        unnamed = name == "pad_token_id" and None in (a[name], b[name])
        counts = name not in _DOES_NOT_COUNT and "dropout" not in name and not unnamed
        if counts and a[name] != b[name]:
            return name, a[name], b[name]
    return None
