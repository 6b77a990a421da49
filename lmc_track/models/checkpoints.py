"""Checkpoints on disk: what is in a folder of safetensors, and the digest of its weights.

Files are read as bytes, so no tensor library is needed and every dtype works.
Format: 8 bytes of header length (little endian), a JSON header that maps each tensor's name
to dtype, shape and offsets into what follows, the tensors.
"""

from __future__ import annotations

import hashlib
import json
import math
import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lmc_track.errors import InputError
from lmc_track.models.foreign import check_label_count, read_object

WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
ADAPTER_FILE = "adapter_config.json"
# Settings that may name code on the hub by which a model computes.
_KERNELS = frozenset(
    {
        "attn_implementation", "_attn_implementation", "_attn_implementation_internal",
        "experts_implementation", "_experts_implementation", "_experts_implementation_internal",
    }
)  # fmt: skip
_READ_BY_TRANSFORMERS = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "vocab.json", "generation_config.json",
)  # fmt: skip
_checked: set[tuple[Path, int, int]] = set()
PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json")


@dataclass(frozen=True)
class StoredTensor:
    """Where one tensor lies: ``begin`` and ``end`` are byte offsets in ``file``."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    file: Path
    begin: int
    end: int


def weights_digest(folder: Path) -> str:
    """SHA-256 (hex) over the tensors stored in ``folder``, sorted by name.

    Each is framed as name, dtype, shape, length, bytes, so files that differ only in sharding,
    order or metadata have one digest.

    Raises:
        InputError: there are no safetensors in ``folder``, or a file is damaged.
    """
    digest = hashlib.sha256()
    maps: dict[Path, mmap.mmap] = {}
    try:
        for tensor in sorted(stored_tensors(folder), key=lambda one: one.name):
            if tensor.file not in maps:
                with tensor.file.open("rb") as stream:
                    maps[tensor.file] = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
            shape = ",".join(map(str, tensor.shape))
            for part in (tensor.name.encode(), tensor.dtype.encode(), shape.encode()):
                digest.update(len(part).to_bytes(8, "little"))
                digest.update(part)
            digest.update((tensor.end - tensor.begin).to_bytes(8, "little"))
            with memoryview(maps[tensor.file]) as view:
                digest.update(view[tensor.begin : tensor.end])
    finally:
        for opened in maps.values():
            opened.close()
    return digest.hexdigest()


def weight_count(folder: Path) -> int:
    """How many numbers the checkpoint in ``folder`` holds."""
    return sum(math.prod(tensor.shape) for tensor in stored_tensors(folder))


def stored_tensors(folder: Path) -> list[StoredTensor]:
    """Every tensor of the checkpoint in ``folder``, sharded or not, in the files' order."""
    check_checkpoint(folder)
    whole = folder / WEIGHTS_FILE
    if whole.is_file():
        return _read_header(whole)
    index = folder / INDEX_FILE
    shard_of = read_object(index).get("weight_map")
    if not isinstance(shard_of, dict) or not all(isinstance(v, str) for v in shard_of.values()):
        raise _damaged(index, "weight_map is not a table of files by tensor")
    tensors = []
    for shard in dict.fromkeys(shard_of.values()):
        file = folder / shard
        if Path(shard).name != shard:
            raise _damaged(index, f"its part {shard!r} is not beside it")
        if not file.is_file():
            raise _damaged(index, f"its part {shard} is missing")
        # A shard may hold tensors that the index gives to another one; those do not count.
        tensors += [t for t in _read_header(file) if shard_of.get(t.name) == shard]
    if absent := sorted(shard_of.keys() - {tensor.name for tensor in tensors}):
        raise _damaged(index, f"tensor {absent[0]!r} is not in its part")
    return tensors


def check_checkpoint(folder: Path) -> None:
    """Raise InputError unless ``folder`` holds a configuration and weights as safetensors.

    Nor may its configuration ask for code to be fetched, or an adapter lie beside the weights,
    which transformers would load as well, from a pickle too.
    """
    if not folder.is_dir():
        raise InputError(f"there is no model folder {folder}", "Name the folder of a saved model.")
    if not (folder / "config.json").is_file():
        raise InputError(
            f"{folder} holds no config.json",
            "A model folder is one that save_pretrained() of transformers wrote.",
        )
    _check_configuration(folder / "config.json")
    for name in _READ_BY_TRANSFORMERS:
        _check_object(folder / name)
    if (folder / ADAPTER_FILE).is_file():
        raise InputError(
            f"{folder} holds an adapter beside the weights ({ADAPTER_FILE})",
            "Merge the adapter into the model, or take the adapter's files away.",
        )
    if (folder / WEIGHTS_FILE).is_file() or (folder / INDEX_FILE).is_file():
        return
    for name in PICKLES:
        if (folder / name).is_file():
            raise InputError(
                f"the weights in {folder} are only there as a pickle ({name}), "
                "which can run code when it is loaded",
                f"If you trust it, convert it with: "
                f"{conversion(str(folder), f'{folder}-safetensors')}",
            )
    raise InputError(
        f"{folder} holds no {WEIGHTS_FILE}",
        "A model folder is one that save_pretrained() of transformers wrote.",
    )


def _check_configuration(file: Path) -> None:
    content = read_object(file)
    check_label_count(file, content)
    for section in (content, *(value for value in content.values() if isinstance(value, dict))):
        for key in _KERNELS & section.keys():
            value = section[key]
            named = value.values() if isinstance(value, dict) else (value,)
            # transformers fetches and runs what is named like a repository.
            if any(mark in str(name) for name in named for mark in "/:"):
                raise InputError(
                    f"{file} asks for code of the hub: {key} = {str(section[key])!r}, which is "
                    "never run",
                    "Take that line out if the model does without.",
                )


def _check_object(file: Path) -> None:
    """Raise InputError where ``file`` is there and not a JSON object; read once unless it changed.

    A vocabulary may take a third of a second, and a checkpoint is opened once for every path.
    """
    try:
        stat = file.stat()
    except OSError:
        return
    key = (file, stat.st_size, stat.st_mtime_ns)
    if key not in _checked:
        read_object(file)
        _checked.add(key)


def conversion(source: str, target: str, revision: str | None = None) -> str:
    """The command that saves the pickled classifier ``source`` as safetensors in ``target``."""
    at = f"'{source}'" if revision is None else f"'{source}', revision='{revision}'"
    return (
        'python -c "from transformers import AutoModelForSequenceClassification as A, '
        f"AutoTokenizer as T; A.from_pretrained({at}).save_pretrained('{target}'); "
        f"T.from_pretrained({at}).save_pretrained('{target}')\""
    )


def _read_header(file: Path) -> list[StoredTensor]:
    size = file.stat().st_size
    try:
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if size < 8 or length > size - 8:
                raise _damaged(file, "it is cut short")
            header: dict[str, Any] = json.loads(stream.read(length))
        start = 8 + length
        tensors = [
            _tensor(name, entry, file, start)
            for name, entry in header.items()
            if name != "__metadata__"
        ]
    except (
        ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError,
    ) as error:  # fmt: skip
        raise _damaged(file, str(error)) from None
    if any(tensor.end > size for tensor in tensors):
        raise _damaged(file, "it is cut short")
    if any(not start <= tensor.begin <= tensor.end for tensor in tensors):
        raise _damaged(file, "a tensor lies before its beginning")
    return tensors


def _tensor(name: str, entry: dict[str, Any], file: Path, start: int) -> StoredTensor:
    shape, (begin, end) = entry["shape"], entry["data_offsets"]
    if not isinstance(entry["dtype"], str) or not all(
        isinstance(number, int) and number >= 0 for number in (*shape, begin, end)
    ):
        raise ValueError(f"what it says of the tensor {name!r} is not numbers")
    return StoredTensor(name, entry["dtype"], tuple(shape), file, start + begin, start + end)


def _damaged(file: Path, why: str) -> InputError:
    return InputError(f"{file} is damaged: {why}", "Copy or download the model again.")
