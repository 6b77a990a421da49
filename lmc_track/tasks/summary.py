"""What the data of a study are like, before anything is trained on them.

Texts are the same where they are equal but for white space at their ends and between words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from lmc_track.tasks.dataset import Dataset

_KEY, _LABEL = "key", "label"
Truncated = Callable[[Dataset], int]
"""How many examples of a data set are longer than the model can read."""


@dataclass(frozen=True)
class Count:
    """One row of a summary: ``n`` examples of the set ``name``, of all that it has.

    ``detail`` says which ones, where ``what`` has several kinds. ``concern``: something that
    results may suffer from.
    """

    name: str
    what: str
    detail: str
    n: int | None
    share: float | None
    concern: bool


def summarize(
    train: Sequence[Dataset],
    evaluated: Iterable[Dataset],
    label_names: Sequence[str],
    truncated: Truncated | None,
) -> list[Count]:
    """Counts of every set, training data first.

    ``truncated`` is None where nothing is known of how texts are read.
    """
    keyed = [_keyed(data) for data in train]
    learned = pl.concat(keyed).unique() if keyed else None
    counts: list[Count] = []
    for number, data in enumerate(train, 1):
        name = "train" if len(train) == 1 else f"train {number}"
        counts += _of_one(name, data, keyed[number - 1], label_names, truncated)
    held = None
    for data in evaluated:
        frame = _keyed(data)
        counts += _of_one(data.name, data, frame, label_names, truncated)
        if learned is not None and data.role != "train_sample":
            counts += _overlap(data, frame, learned, "training data")
        if data.role == "validation":
            held = frame.unique()
        elif held is not None and data.role == "diagnostic":
            counts += _overlap(data, frame, held, "validation")
    return counts


def _keyed(data: Dataset) -> pl.DataFrame:
    """One row for each example: its texts as one, and its label by name where it has its own."""
    texts = [
        pl.col(name).str.replace_all(r"\s+", " ").str.strip_chars() for name in data.text_columns
    ]
    labels = pl.col("label").cast(pl.Int64)
    if data.projection is not None:  # labels of another meaning are not compared with others
        labels = -1 - labels
    return data.frame.select(
        pl.concat_str(texts, separator="\x1f").alias(_KEY), labels.alias(_LABEL)
    )


def _of_one(
    name: str,
    data: Dataset,
    frame: pl.DataFrame,
    label_names: Sequence[str],
    truncated: Truncated | None,
) -> Iterator[Count]:
    total = len(data)

    def count(what: str, detail: str, n: int | None, *, concern: bool = False) -> Count:
        share = None if n is None or not total else n / total
        return Count(name, what, detail, n, share, concern and bool(n))

    yield count("examples", data.source, total)
    names = label_names if data.projection is None else data.projection.label_names
    found = dict(data.frame["label"].value_counts().iter_rows())
    for number, label in enumerate(names):
        n = int(found.get(number, 0))
        missing = n == 0 and data.projection is None and data.role != "diagnostic"
        yield Count(name, "label", label, n, n / total if total else None, missing)
    empty = pl.any_horizontal(
        pl.col(column).str.strip_chars() == "" for column in data.text_columns
    )
    yield count("empty texts", "", data.frame.select(empty.sum()).item(), concern=True)
    distinct = frame.group_by(_KEY).agg(pl.len(), pl.col(_LABEL).n_unique().alias("labels"))
    repeated = int((distinct["len"] - 1).sum())
    yield count("duplicates", "examples whose texts came before", repeated, concern=True)
    both = int(distinct.filter(pl.col("labels") > 1)["len"].sum())
    yield count("several labels", "examples whose texts have another label too", both, concern=True)
    cut = None if truncated is None else truncated(data)
    detail = "longer than the model reads" if cut is not None else "no tokenizer at hand"
    yield count("truncated", detail, cut, concern=True)
    if data.drawn and data.n_source is not None:
        chosen = "; ".join(data.drawn)
        yield Count(name, "left out", f"drawn: {chosen}", data.n_source - total, None, False)
    for why, n in data.left_out:
        yield Count(name, "left out", why, n, None, why not in ("rows", "where"))


def _overlap(
    data: Dataset, frame: pl.DataFrame, other: pl.DataFrame, where: str
) -> Iterator[Count]:
    total = len(frame)
    there = frame.join(other.select(_KEY).unique(), on=_KEY, how="semi")
    yield Count(data.name, f"in {where}", "", len(there), len(there) / total, len(there) > 0)
    if len(there) and data.projection is None:
        same = len(frame.join(other, on=[_KEY, _LABEL], how="semi"))
        n = len(there) - same
        detail = "with another label there"
        yield Count(data.name, f"in {where}", detail, n, n / total, n > 0)
