"""A labelled set of texts: training data or an evaluation set, with halves, groups and subsets."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import polars as pl

from lmc_track.tasks.projection import Projection

Role = Literal["train", "validation", "train_sample", "diagnostic"]
HALVES = ("discovery", "held-out")
_HALF_SALT = b"lmc-track half v1\0"


def half_of(key: str) -> str:
    """``discovery`` or ``held-out`` by a salted hash of ``key`` (an example's group, else text).

    The same text is in the same half in every data set, whatever the order or the sample.
    """
    return HALVES[hashlib.sha256(_HALF_SALT + key.encode()).digest()[0] & 1]


@dataclass(frozen=True)
class Dataset:
    """One set of examples.

    ``frame`` has the columns ``example_id`` (int64, numbered over the joined sources before
    any sampling), ``label`` (int64, an index into the task's ``label_names`` or, where there is a
    ``projection``, into that one's), one string column per name in ``text_columns``, ``group``
    (string or null), ``half`` and ``subsets`` (list of names; the whole set is implied and not
    listed). ``drawn`` tells in order how the examples were chosen from ``n_source`` others; it
    is empty, and ``n_source`` None, where all were taken. ``left_out`` counts by reason the rows of
    the source that are no examples.
    """

    name: str
    role: Role
    frame: pl.DataFrame
    text_columns: tuple[str, ...]
    source: str
    projection: Projection | None = None
    drawn: tuple[str, ...] = ()
    n_source: int | None = None
    left_out: tuple[tuple[str, int], ...] = ()

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of everything in ``frame``, in order, and of the projection: other data,
        or labels that mean something else, are another digest."""
        digest = hashlib.sha256(b"lmc-track dataset v1\0")
        columns = ["example_id", "label", *self.text_columns, "group", "half", "subsets"]
        for row in self.frame.select(columns).iter_rows():
            for value in row:
                cell = repr(value).encode()
                digest.update(len(cell).to_bytes(8, "little"))
                digest.update(cell)
        if self.projection is not None:
            digest.update(f"projection v1 {self.projection.told}".encode())
        return digest.hexdigest()

    def __len__(self) -> int:
        return len(self.frame)


def build_dataset(
    name: str,
    role: Role,
    *,
    texts: dict[str, list[str]],
    labels: list[int],
    source: str,
    groups: list[str | None] | None = None,
    subsets: list[list[str]] | None = None,
    ids: list[int] | None = None,
    projection: Projection | None = None,
    left_out: Mapping[str, int] | None = None,
) -> Dataset:
    """A data set from columns of equal length; halves are derived.

    Example ids count from 0 where no ``ids`` are given.
    """
    n = len(labels)
    columns = tuple(texts)
    keys = groups if groups is not None else [None] * n
    joined = ["\x1f".join(row) for row in zip(*texts.values(), strict=True)]
    frame = pl.DataFrame(
        {
            "example_id": list(range(n)) if ids is None else ids,
            "label": labels,
            **texts,
            "group": keys,
            "half": [half_of(k if k is not None else t) for k, t in zip(keys, joined, strict=True)],
            "subsets": subsets if subsets is not None else [[] for _ in range(n)],
        },
        schema={
            "example_id": pl.Int64,
            "label": pl.Int64,
            **dict.fromkeys(columns, pl.String),
            "group": pl.String,
            "half": pl.String,
            "subsets": pl.List(pl.String),
        },
    )
    counted = tuple((why, n) for why, n in (left_out or {}).items() if n)
    return Dataset(name, role, frame, columns, source, projection, left_out=counted)
