from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from lmc_track.errors import InputError
from lmc_track.models.checkpoints import INDEX_FILE, WEIGHTS_FILE, stored_tensors, weights_digest
from support.tiny_models import tiny_base

TENSORS = {
    "a.weight": torch.arange(6, dtype=torch.float32).reshape(2, 3),
    "b.bias": torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
    "c.steps": torch.tensor(7),
}


def checkpoint(folder: Path, tensors: dict[str, torch.Tensor], **metadata: str) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    save_file(tensors, folder / WEIGHTS_FILE, metadata or None)
    return folder


def sharded(folder: Path, shards: list[dict[str, torch.Tensor]]) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    weight_map: dict[str, str] = {}
    for number, tensors in enumerate(shards):
        name = f"model-{number}.safetensors"
        save_file(tensors, folder / name)
        weight_map |= dict.fromkeys(tensors, name)
    (folder / INDEX_FILE).write_text(json.dumps({"weight_map": weight_map}))
    return folder


def test_the_digest_frames_name_dtype_shape_length_and_bytes(tmp_path: Path) -> None:
    expected = hashlib.sha256()
    for name, dtype, shape in (
        ("a.weight", "F32", "2,3"),
        ("b.bias", "BF16", "2"),
        ("c.steps", "I64", ""),
    ):
        content = bytes(TENSORS[name].contiguous().flatten().view(torch.uint8).numpy())
        for part in (name.encode(), dtype.encode(), shape.encode(), content):
            expected.update(len(part).to_bytes(8, "little") + part)
    assert weights_digest(checkpoint(tmp_path / "model", TENSORS)) == expected.hexdigest()


def test_order_and_metadata_of_the_file_do_not_matter(tmp_path: Path) -> None:
    plain = checkpoint(tmp_path / "plain", TENSORS)
    other = checkpoint(tmp_path / "other", dict(reversed(TENSORS.items())), format="pt")
    assert weights_digest(plain) == weights_digest(other)


def test_the_digest_of_shards_is_that_of_the_whole(tmp_path: Path) -> None:
    whole = checkpoint(tmp_path / "whole", TENSORS)
    shards = [
        {k: v for k, v in TENSORS.items() if (k == "b.bias") is first} for first in (True, False)
    ]
    assert weights_digest(sharded(tmp_path / "shards", shards)) == weights_digest(whole)


@pytest.mark.parametrize(
    "changed",
    [
        {"a.weight": TENSORS["a.weight"] + 1},
        {"a.weight": TENSORS["a.weight"].reshape(3, 2)},
        {"b.bias": TENSORS["b.bias"].view(torch.float16)},
        {"d": torch.zeros(0)},
    ],
    ids=["value", "shape", "dtype", "further tensor"],
)
def test_other_weights_have_another_digest(
    tmp_path: Path, changed: dict[str, torch.Tensor]
) -> None:
    before = checkpoint(tmp_path / "before", TENSORS)
    after = checkpoint(tmp_path / "after", TENSORS | changed)
    assert weights_digest(before) != weights_digest(after)


def test_every_stored_tensor_is_listed(tmp_path: Path) -> None:
    found = {
        t.name: (t.dtype, t.shape) for t in stored_tensors(checkpoint(tmp_path / "m", TENSORS))
    }
    assert found == {"a.weight": ("F32", (2, 3)), "b.bias": ("BF16", (2,)), "c.steps": ("I64", ())}


def test_a_saved_model_has_a_digest(tmp_path: Path) -> None:
    folders = [
        tiny_base(tmp_path / name, seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    a, b, c = map(weights_digest, folders)
    assert a == b != c


def test_a_file_cut_short_is_damaged(tmp_path: Path) -> None:
    file = checkpoint(tmp_path / "model", TENSORS) / WEIGHTS_FILE
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(InputError, match=r"model\.safetensors is damaged: it is cut short"):
        weights_digest(file.parent)


@pytest.mark.parametrize("content", [b"", b"junk", b"\xff" * 40, (2).to_bytes(8, "little") + b"[]"])
def test_a_file_of_something_else_is_damaged(tmp_path: Path, content: bytes) -> None:
    folder = checkpoint(tmp_path / "model", TENSORS)
    (folder / WEIGHTS_FILE).write_bytes(content)
    with pytest.raises(InputError, match=r"model\.safetensors is damaged"):
        weights_digest(folder)


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    folder = sharded(tmp_path / "shards", [{"a": torch.zeros(2)}, {"b": torch.zeros(2)}])
    (folder / "model-1.safetensors").unlink()
    with pytest.raises(InputError, match=r"its part model-1\.safetensors is missing"):
        weights_digest(folder)


def test_a_pickle_is_refused_with_the_way_to_convert_it(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "model", TENSORS)
    (folder / WEIGHTS_FILE).rename(folder / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"only there as a pickle(.|\n)*convert it"):
        weights_digest(folder)
