"""A copy of a checkpoint whose outputs stand in another order.

Rows of the classification head are moved as they are, so the copy answers exactly as its
original does, under other numbers; a line between two copies in one order is the line between
their originals in that order.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from lmc_track.models.checkpoints import stored_tensors
from lmc_track.models.foreign import read_object
from lmc_track.models.hub import TOKENIZER_FILES


def checkpoint_files(folder: Path) -> list[Path]:
    """The files of ``folder`` that are the model: configuration, weights, tokenizer."""
    index = folder / "model.safetensors.index.json"
    weights = {tensor.file for tensor in stored_tensors(folder)}
    whole = (folder / "model.safetensors").is_file()
    named = [folder / "config.json", *([] if whole or not index.is_file() else [index])]
    tokenizer = [folder / name for name in TOKENIZER_FILES if (folder / name).is_file()]
    return [*named, *sorted(weights), *tokenizer]


def copy_checkpoint(folder: Path, out: Path) -> None:
    """Copy the files that are the model in ``folder``, and no others, to ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    for file in checkpoint_files(folder):
        shutil.copyfile(file, out / file.name)


def write_reordered(
    folder: Path,
    out: Path,
    order: Sequence[int],
    label_names: Sequence[str],
    outputs: Mapping[str, int],
) -> None:
    """Copy ``folder`` to ``out`` with output ``order[n]`` as its output ``n``, ``label_names[n]``.

    ``outputs`` maps each tensor of the head to its axis of labels (``admission.Frame``).
    """
    from safetensors import safe_open
    from safetensors.torch import save_file

    copy_checkpoint(folder, out)
    wanted = torch.tensor(order)
    for name in {tensor.file.name for tensor in stored_tensors(out) if tensor.name in outputs}:
        with safe_open(out / name, framework="pt") as opened:
            metadata = opened.metadata()
            tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
        for key in tensors.keys() & outputs.keys():
            tensors[key] = tensors[key].index_select(outputs[key], wanted).contiguous()
        (out / name).unlink()
        save_file(tensors, out / name, metadata)
    file = out / "config.json"
    config = read_object(file)
    config["id2label"] = {str(number): name for number, name in enumerate(label_names)}
    config["label2id"] = {name: number for number, name in enumerate(label_names)}
    file.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
