"""Texts as token ids: tokenized once for each data set and tokenizer, never padded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmc_track.models.padding import Padding
from lmc_track.tasks.dataset import Dataset
from lmc_track.tasks.projection import Projection


@dataclass(frozen=True)
class Ragged:
    """Rows of unequal length: row k is ``values[offsets[k] : offsets[k + 1]]``."""

    values: NDArray[np.int32]
    offsets: NDArray[np.int32]

    def __getitem__(self, row: int) -> NDArray[np.int32]:
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __iter__(self) -> Iterator[NDArray[np.int32]]:
        return (self[row] for row in range(len(self)))

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]]) -> Ragged:
        offsets = np.zeros(len(rows) + 1, dtype=np.int32)
        np.cumsum([len(row) for row in rows], out=offsets[1:])
        values = np.fromiter((value for row in rows for value in row), np.int32, int(offsets[-1]))
        return cls(values, offsets)


@dataclass(frozen=True)
class EncodedDataset:
    """A data set as its model reads it.

    ``inputs`` maps each model input (``input_ids``, for some models ``token_type_ids``) to
    one row of ids an example. ``digest`` is SHA-256 over the data and these ids: the identity
    of an evaluation's input. ``projection`` tells how logits become those of the set's labels.
    One that lies in ``file`` goes to other processes as the name of it.
    """

    name: str
    example_ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    inputs: dict[str, Ragged]
    padding: Padding
    digest: str
    projection: Projection | None = None
    file: Path | None = None

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each example, shape (n,)."""
        return np.diff(self.inputs["input_ids"].offsets).astype(np.int64)

    def __len__(self) -> int:
        return len(self.labels)

    def __reduce__(self) -> tuple[Callable[..., EncodedDataset], tuple[Any, ...]]:
        from lmc_track.geometry.token_cache import read_encoded

        if self.file is not None:
            return read_encoded, (self.file, self.name, self.projection)
        return EncodedDataset, tuple(getattr(self, field) for field in self.__dataclass_fields__)


def encode(
    dataset: Dataset, tokenizer: Any, longest: int | None, padding: Padding | None = None
) -> EncodedDataset:
    """``dataset`` tokenized, truncated to ``longest`` tokens (None: not at all).

    ``padding`` is how batches of it are filled up; without it with the tokenizer's own token.
    """
    usual = Padding(tokenizer.pad_token_id or 0)
    columns = [dataset.frame[column].to_list() for column in dataset.text_columns]
    encoded = tokenizer(
        *columns,
        truncation=longest is not None,
        max_length=longest,
        padding=False,
        return_attention_mask=False,
    )
    inputs = {
        name: Ragged.of(encoded[name])
        for name in ("input_ids", "token_type_ids")
        if name in encoded
    }
    return EncodedDataset(
        dataset.name,
        dataset.frame["example_id"].to_numpy(),
        dataset.frame["label"].to_numpy(),
        inputs,
        padding or usual,
        _digest(dataset.digest, inputs, padding if padding != usual else None),
        dataset.projection,
    )


def _digest(data: str, inputs: dict[str, Ragged], padding: Padding | None) -> str:
    """``padding`` counts where it is not the tokenizer's own, on the right: that was once taken
    for all models, and what was measured so has to be measured again."""
    filled = "" if padding is None else f" padded {padding.side} with {padding.token_id}"
    digest = hashlib.sha256(f"lmc-track encoding v1 {data}{filled}".encode())
    for name, rows in inputs.items():
        digest.update(name.encode())
        for row in range(len(rows)):
            ids = rows[row]
            digest.update(len(ids).to_bytes(4, "little"))
            digest.update(ids.astype("<i8").tobytes())
    return digest.hexdigest()
