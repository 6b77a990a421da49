"""How rows of token ids become a table: with which token, and on which side.

Causal classifiers look for the last token that is not the configuration's padding token, so rows
must be padded with that one; with another the answer depends on what else is in the batch.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lmc_track.errors import InputError

Side = Literal["right", "left"]


@dataclass(frozen=True)
class Padding:
    """The id of the padding token, and the side of a row that it fills."""

    token_id: int
    side: Side = "right"

    def place(self, length: int, width: int) -> slice:
        """Where the ``length`` tokens of a row stand in a table of ``width`` columns."""
        return slice(0, length) if self.side == "right" else slice(width - length, width)

    def table(
        self, rows: Sequence[ArrayLike], lengths: Sequence[int], fill: int
    ) -> NDArray[np.int64]:
        """``rows`` of these ``lengths`` as a table (rows, longest), with ``fill`` where none is."""
        width = max(lengths)
        table = np.full((len(rows), width), fill, dtype=np.int64)
        for line, (row, length) in enumerate(zip(rows, lengths, strict=True)):
            table[line, self.place(length, width)] = row
        return table

    def mask(self, lengths: Sequence[int]) -> NDArray[np.int64]:
        """1 where a table of rows of these ``lengths`` has a token of the row, else 0."""
        columns, sizes = np.arange(max(lengths)), np.array(lengths)[:, None]
        if self.side == "left":
            columns = columns[::-1]
        return (columns < sizes).astype(np.int64)


def padding_of(config: Any, tokenizer: Any) -> Padding:
    """How inputs of a model of ``config`` are padded: with the token that it names, else with the
    tokenizer's.

    Raises:
        InputError: neither names a padding token, or the one named is not in the vocabulary.
    """
    token, owner = getattr(config, "pad_token_id", None), "config.json"
    if token is None or token < 0:
        token, owner = tokenizer.pad_token_id, "the tokenizer"
    if token is None:
        end = tokenizer.eos_token_id
        example = "ID" if end is None else str(end)
        raise InputError(
            "model.base: neither config.json nor the tokenizer names a padding token, which "
            f"batches of the architecture {config.model_type} need",
            f'Write "pad_token_id": {example} into its config.json'
            + ("." if end is None else " (the end-of-text token is a usual choice)."),
        )
    size = getattr(config, "vocab_size", None)
    if size is not None and token >= size:
        raise InputError(
            f"model.base: the padding token of {owner} has id {token}, but the model has only "
            f"{size:,} tokens",
            'Write the id of a token that it has as "pad_token_id" into its config.json.',
        )
    return Padding(token, _side(config))


def _side(config: Any) -> Side:
    # XLNet's classifier reads the last position, whatever is there.
    last = config.model_type == "xlnet" and getattr(config, "summary_type", "last") == "last"
    return "left" if last else "right"


def name_padding(model: Any, token_id: int) -> None:
    """Let ``model`` know the padding token where its configuration names none."""
    own = getattr(model.config, "pad_token_id", None)
    if own is None or own < 0:
        model.config.pad_token_id = token_id


def read_names(model: Any, names: Iterable[str]) -> list[str]:
    """Those of the tokenizer's outputs ``names`` that ``model`` reads."""
    parameters = inspect.signature(model.forward).parameters
    open_ended = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())
    return [name for name in names if open_ended or name in parameters]
