"""Which examples of a set are used, when not all are."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import replace

import numpy as np
import polars as pl

from lmc_track.study.sections import Sample
from lmc_track.tasks.dataset import Dataset

TRAIN_SAMPLE = "train_sample"
TRAIN_SAMPLE_SIZE = 1000
_TRAIN_SALT = b"lmc-track train sample v1\0"
_RANDOM_SALT = b"lmc-track random sample v1\0"


def sample(dataset: Dataset, max_examples: int, how: Sample) -> Dataset:
    """At most ``max_examples`` of ``dataset`` (0 = all), in its order, with their example ids.

    ``head`` takes the first ones. ``random`` takes those of the smallest salted hash of text
    and position, so the choice is fixed and a larger sample contains a smaller one.
    ``stratified`` chooses in the same way within each label and set of subsets, every stratum
    in proportion to its size (largest remainders, ties to the stratum that comes first).
    """
    if max_examples == 0 or max_examples >= len(dataset):
        return dataset
    if how == "head":
        chosen = list(range(max_examples))
    elif how == "random":
        chosen = _smallest(_ranks(dataset, _RANDOM_SALT), range(len(dataset)), max_examples)
    else:
        ranks = _ranks(dataset, _RANDOM_SALT)
        strata = _strata(dataset)
        shares = _shares([len(rows) for rows in strata], max_examples)
        chosen = [
            row
            for rows, share in zip(strata, shares, strict=True)
            for row in _smallest(ranks, rows, share)
        ]
    return drawn(dataset, sorted(chosen), how)


def train_sample(train: Dataset, size: int = TRAIN_SAMPLE_SIZE) -> Dataset:
    """The ``size`` training examples of the smallest salted hash of text and position."""
    chosen = _smallest(_ranks(train, _TRAIN_SALT), range(len(train)), min(size, len(train)))
    return replace(drawn(train, sorted(chosen), "random"), name=TRAIN_SAMPLE, role="train_sample")


def drawn(dataset: Dataset, rows: list[int], how: str) -> Dataset:
    """These rows of ``dataset``, in this order; what was drawn, and how, goes with it."""
    if rows == list(range(len(dataset))):
        return dataset
    return replace(
        dataset,
        frame=dataset.frame[pl.Series(rows, dtype=pl.Int64)],
        drawn=(*dataset.drawn, f"{how} {len(rows)} of {len(dataset)}"),
        n_source=len(dataset) if dataset.n_source is None else dataset.n_source,
    )


def shuffled(dataset: Dataset, seed: int) -> Dataset:
    """``dataset`` in the order that ``datasets.Dataset.shuffle(seed=seed)`` gives it."""
    order = np.random.default_rng(seed).permutation(len(dataset))
    return drawn(dataset, [int(row) for row in order], f"shuffle(seed={seed})")


def _ranks(dataset: Dataset, salt: bytes) -> list[bytes]:
    """A hash for each row, of its position in the joined sources and its texts."""
    columns = ["example_id", *dataset.text_columns]
    return [
        hashlib.sha256(salt + "\x1f".join(map(str, row)).encode()).digest()
        for row in dataset.frame.select(columns).iter_rows()
    ]


def _smallest(ranks: list[bytes], rows: range | list[int], n: int) -> list[int]:
    return sorted(rows, key=lambda row: ranks[row])[:n]


def _strata(dataset: Dataset) -> list[list[int]]:
    strata: dict[tuple[int, tuple[str, ...]], list[int]] = defaultdict(list)
    rows = dataset.frame.select("label", "subsets").iter_rows()
    for row, (label, subsets) in enumerate(rows):
        strata[(label, tuple(sorted(subsets)))].append(row)
    return [strata[key] for key in sorted(strata)]


def _shares(sizes: list[int], n: int) -> list[int]:
    """``n`` shared out in proportion to ``sizes``, by largest remainders."""
    total = sum(sizes)
    shares = [size * n // total for size in sizes]
    remainders = [size * n % total for size in sizes]
    order = sorted(range(len(sizes)), key=lambda k: -remainders[k])
    for k in order[: n - sum(shares)]:
        shares[k] += 1
    return shares
