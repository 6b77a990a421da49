"""Which models a study plans: seeds as users write them, and the name each model gets."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import NoReturn

_RANGE = re.compile(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?")
_MOST = 100_000
_LARGEST = 2**32 - 1


# Seeds as a study file may say them.
Seeds = str | int | list[int]


def parse_seeds(text: Seeds) -> tuple[int, ...]:
    """``"0-3,8"``, a list or a single seed as a tuple of seeds, in the order written.

    Raises:
        ValueError: something is no seed or range, or a seed is given twice.
    """
    seeds: list[int] = []
    if isinstance(text, str):
        for part in text.split(","):
            match = _RANGE.fullmatch(part)
            if match is None:
                raise ValueError(f"{part.strip()!r} is no seed; write '0-7', '1,5,9-12' or a list")
            first = int(match[1])
            last = int(match[2]) if match[2] else first
            if last < first:
                raise ValueError(f"the range {part.strip()!r} runs backwards")
            if last - first >= _MOST:
                raise ValueError(f"the range {part.strip()!r} has more than {_MOST:,} seeds")
            seeds.extend(range(first, last + 1))
            if len(seeds) > _MOST:
                raise ValueError(f"more than {_MOST:,} seeds")
    else:
        seeds = [text] if isinstance(text, int) else list(text)
    if not seeds:
        raise ValueError("there is no seed in it")
    if wrong := [seed for seed in seeds if not 0 <= seed <= _LARGEST]:
        raise ValueError(f"{wrong[0]} is no seed: they run from 0 to {_LARGEST}")
    if twice := [s for s, n in Counter(seeds).items() if n > 1][:3]:
        raise ValueError(f"given twice: {', '.join(map(str, twice))}")
    return tuple(seeds)


def refuse_lone_number(number: int) -> NoReturn:
    """Refuse a ``number`` by itself, which may be a seed or how many seeds there are.

    Raises:
        ValueError: always; it says how to write either.
    """
    if number < 0:
        raise ValueError(f"{number} is no seed: they run from 0 to {_LARGEST}")
    meant = "no seeds" if number == 0 else "1 seed" if number == 1 else f"{number:,} seeds"
    count = {0: "[]", 1: '"0"'}.get(number, f'"0-{number - 1}"')
    raise ValueError(
        f"{number} may mean {meant} or the seed {number}: write {count} for {meant}, or [{number}] "
        f"for the seed {number}"
    )


@dataclass(frozen=True)
class ModelSeeds:
    """The two sources of chance of one finetuning: the head's initial weights, the data order."""

    head: int
    data: int

    @property
    def name(self) -> str:
        if self.head == self.data:
            return f"seed-{self.head}"
        return f"head-{self.head}-data-{self.data}"
