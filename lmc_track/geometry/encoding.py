"""Texts as token ids: tokenized once for each data set and tokenizer, never padded."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmc_track.tasks.dataset import Dataset
from lmc_track.tasks.projection import Projection


@dataclass(frozen=True)
class EncodedDataset:
    """A data set as its model reads it.

    ``inputs`` maps each model input (``input_ids``, for some models ``token_type_ids``) to
    one int64 array an example. ``digest`` is SHA-256 over the data and these ids: the identity
    of an evaluation's input. ``projection`` tells how logits become those of the set's labels.
    """

    name: str
    example_ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    inputs: dict[str, list[NDArray[np.int64]]]
    pad_token_id: int
    digest: str
    projection: Projection | None = None

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each example, shape (n,)."""
        return np.array([len(ids) for ids in self.inputs["input_ids"]], dtype=np.int64)

    def __len__(self) -> int:
        return len(self.labels)


def encode(dataset: Dataset, tokenizer: Any, longest: int | None) -> EncodedDataset:
    """``dataset`` tokenized, truncated to ``longest`` tokens (None: not at all)."""
    columns = [dataset.frame[column].to_list() for column in dataset.text_columns]
    encoded = tokenizer(
        *columns,
        truncation=longest is not None,
        max_length=longest,
        padding=False,
        return_attention_mask=False,
    )
    inputs = {
        name: [np.asarray(ids, dtype=np.int64) for ids in encoded[name]]
        for name in ("input_ids", "token_type_ids")
        if name in encoded
    }
    digest = hashlib.sha256(f"lmc-track encoding v1 {dataset.digest}".encode())
    for name, rows in inputs.items():
        digest.update(name.encode())
        for ids in rows:
            digest.update(len(ids).to_bytes(4, "little"))
            digest.update(ids.astype("<i8").tobytes())
    return EncodedDataset(
        dataset.name,
        dataset.frame["example_id"].to_numpy(),
        dataset.frame["label"].to_numpy(),
        inputs,
        tokenizer.pad_token_id or 0,
        digest.hexdigest(),
        dataset.projection,
    )
