"""Whether a classifier answers the same to a text alone and in a batch of longer ones.

What an architecture reads of its padding may depend on the lengths: one that joins every four
positions passes where a text ends with such a group. So texts of several lengths are tried.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from lmc_track.errors import InputError
from lmc_track.models.padding import Padding, name_padding, read_names
from lmc_track.models.silence import silent_transformers

# Tokens of the texts that are tried: of all remainders by 4, and by most small numbers.
LENGTHS = (4, 5, 7, 9, 14, 17, 31, 40)
# Of these lengths and less a batch is made of, besides the one of all.
_WIDTHS = (9, 17)
# Logits of one text may differ by so much, as a share of the largest, between batches: sums are
# taken in another order. A padding token that is read makes a hundred times the difference.
_ROUNDING = 1e-3


def probe_rows(
    tokenizer: Any, texts: Sequence[str], limit: int | None
) -> list[dict[str, list[int]]]:
    """Inputs by name of ``texts``, one or two that are read together, cut to each of ``LENGTHS``.

    They are repeated until they are long enough; lengths over ``limit`` tokens, and those that the
    tokenizer cannot cut to, are left out.
    """
    rows: dict[int, dict[str, list[int]]] = {}
    longest = min(LENGTHS[-1], limit or LENGTHS[-1])
    repeated = [text or "a" for text in texts]
    with silent_transformers():
        while len(tokenizer(*repeated)["input_ids"]) < longest and len(repeated[0]) < 10_000:
            repeated = [f"{text} {text}" for text in repeated]
        for length in LENGTHS:
            if length > longest:
                break
            try:
                row = tokenizer(*repeated, truncation=True, max_length=length)
            except Exception:  # tokenizers' own, where nothing is left of one of two texts
                continue
            names = [name for name in ("input_ids", "token_type_ids") if name in row]
            rows.setdefault(len(row["input_ids"]), {name: list(row[name]) for name in names})
    return list(rows.values())


@torch.inference_mode()
def check_batches(
    model: Any, padding: Padding, rows: Sequence[Mapping[str, Sequence[int]]], shown: str
) -> None:
    """Raise InputError unless ``model`` answers the same to each of ``rows`` alone and padded.

    ``rows`` are inputs by name; ``shown`` is what messages call the model. Some 600 tokens are
    read, whatever the study is.
    """
    name_padding(model, padding.token_id)
    kind = model.config.model_type
    ordered = sorted(rows, key=lambda row: len(row["input_ids"]))
    lengths = [len(row["input_ids"]) for row in ordered]
    sizes = {sum(length <= width for length in lengths) for width in (*_WIDTHS, lengths[-1])}
    alone = torch.cat([_logits(model, padding, [row], shown) for row in ordered])
    moved = [
        (_logits(model, padding, ordered[:size], shown) - alone[:size]).abs().amax(dim=-1)
        for size in sorted(sizes)
        if size > 1
    ]
    allowed = _ROUNDING * float(alone.abs().max())
    for differences in moved:
        worst = int(differences.nan_to_num(torch.inf).argmax())
        difference = float(differences[worst])
        if not difference <= allowed:
            raise InputError(
                f"{shown}: in the architecture {kind} a text's logits depend on what it is padded "
                f"to: those of a text of {lengths[worst]} tokens move by {difference:.2g} in a "
                f"batch of {lengths[len(differences) - 1]}",
                "Its losses would depend on the batches. Take an encoder that masks padding, such "
                "as BERT, RoBERTa, DeBERTa or ELECTRA.",
            )


def _logits(
    model: Any, padding: Padding, rows: Sequence[Mapping[str, Sequence[int]]], shown: str
) -> torch.Tensor:
    """What ``model`` answers to ``rows`` in one batch (rows, labels)."""
    lengths = [len(row["input_ids"]) for row in rows]
    inputs = {
        name: torch.from_numpy(
            padding.table(
                [row[name] for row in rows],
                lengths,
                padding.token_id if name == "input_ids" else 0,
            )
        )
        for name in read_names(model, rows[0])
    }
    if len(rows) > 1:
        inputs["attention_mask"] = torch.from_numpy(padding.mask(lengths))
    try:
        logits: torch.Tensor = model(**inputs).logits
    except Exception as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        texts = "a text" if len(rows) == 1 else f"{len(rows)} texts"
        raise InputError(
            f"{shown}: the classifier of the architecture {model.config.model_type} cannot read "
            f"{texts} of {' and '.join(map(str, lengths))} tokens: {reason}",
            "Take an encoder that reads texts alone, such as BERT, RoBERTa, DeBERTa or ELECTRA.",
        ) from None
    return logits
