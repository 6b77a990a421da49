"""Inputs for fuzzing: valid texts with cuts, swaps and insertions, and texts of nothing at all."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lmc_track.errors import LmcTrackError

# What programs that read text have stumbled over.
_ODD = (
    "", " ", "\n", "\r\n", "\r", "\t", "\0", "\x1b[31m", "\ufeff", "\u2028", "\u202e",
    "\U0001f600", "'", '"', '"""', "\\", "\\u0000", "\\ud800", "[", "]]", "[[", "{", "}", "(",
    ")", "-", "--", ";", ":", "=", ",", ".", "..", "../", "/", "#", "$", "%s", "{}", "{0}",
    "NULL", "nan", "-inf", "Infinity", "1e999", "-1", "0", "-0.0", "1_000", "٣", "0x10",
    "1" * 400, "1" * 5000, "9" * 19, "true", "null", "[" * 400, '{"a":' * 400, "(" * 400,
    "<script>", "é", "e\u0301",
)  # fmt: skip


BATCH = 25
"""How many inputs follow from one example of Hypothesis, which takes longer than most of them."""


def mutated(texts: Sequence[str]) -> st.SearchStrategy[list[bytes]]:
    """``BATCH`` times one of ``texts`` after a few changes; rarely with bytes that are no UTF-8."""

    def batch(seed: int) -> list[bytes]:
        chance = random.Random(seed)
        return [_mutated(texts, chance) for _ in range(BATCH)]

    return st.integers(0, 2**64 - 1).map(batch)


def _mutated(texts: Sequence[str], chance: random.Random) -> bytes:
    text = chance.choice(texts)
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        text = chance.choice(_CHANGES)(text, chance)
    content = text.encode("utf-8", "surrogatepass")
    if chance.random() < 0.05:
        at = chance.randrange(len(content) + 1)
        content = content[:at] + chance.randbytes(chance.randrange(1, 5)) + content[at:]
    return content


def _span(text: str, chance: random.Random) -> tuple[int, int]:
    first, last = sorted(chance.randrange(len(text) + 1) for _ in range(2))
    return first, min(last, first + chance.choice((1, 4, 40, 4000)))


def _cut(text: str, chance: random.Random) -> str:
    first, last = _span(text, chance)
    return text[:first] + text[last:]


def _break_off(text: str, chance: random.Random) -> str:
    return text[: chance.randrange(len(text) + 1)]


def _insert(text: str, chance: random.Random) -> str:
    first, _ = _span(text, chance)
    return text[:first] + chance.choice(_ODD) + text[first:]


def _replace(text: str, chance: random.Random) -> str:
    first, last = _span(text, chance)
    return text[:first] + chance.choice(_ODD) + text[last:]


def _repeat(text: str, chance: random.Random) -> str:
    first, last = _span(text, chance)
    return text[:last] + text[first:last] * chance.choice((1, 1, 3)) + text[last:]


def _move(text: str, chance: random.Random) -> str:
    first, last = _span(text, chance)
    rest = text[:first] + text[last:]
    at = chance.randrange(len(rest) + 1)
    return rest[:at] + text[first:last] + rest[at:]


def _swap_words(text: str, chance: random.Random) -> str:
    words = text.split(" ")
    a, b = chance.randrange(len(words)), chance.randrange(len(words))
    words[a], words[b] = words[b], words[a]
    return " ".join(words)


def _swap_lines(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    a, b = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]
    return "\n".join(lines)


def _change_digits(text: str, chance: random.Random) -> str:
    at = [k for k, character in enumerate(text) if character.isdigit()]
    if not at:
        return text
    k = chance.choice(at)
    return text[:k] + chance.choice(("-1", "7", "99999999", ".", "e9", "true", "")) + text[k + 1 :]


_CHANGES = (
    _cut, _break_off, _insert, _insert, _replace, _replace, _repeat, _move, _swap_words,
    _swap_lines, _change_digits, _change_digits,
)  # fmt: skip


def noise() -> st.SearchStrategy[list[bytes]]:
    """Bytes, or text of any characters; one input."""
    return st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    ).map(lambda content: [content])


def spared(target: Callable[[Any], object], batches: st.SearchStrategy[Any], count: int) -> None:
    """Give ``target`` the inputs of ``count`` batches, the same ones every time: it may refuse
    them in its own words, and do nothing else."""

    @settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(batches)
    def check(batch: list[Any]) -> None:
        for given_input in batch:
            try:
                target(given_input)
            except LmcTrackError:
                continue
            except Exception as error:
                error.add_note(f"input: {given_input!r:.2000}")
                raise

    check()
