"""Subsets of examples whose texts are known, from the table that an evaluation set came in.

Texts are compared by their letters and digits: logs have them as a tokenizer spells them, in lower
case, without accents and with spaces about every mark.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lmc_track.errors import InputError
from lmc_track.importers.text_files import read_table
from lmc_track.names import fitting_name


@dataclass(frozen=True)
class SubsetTable:
    """Names of subsets by what remains of an example's texts, and the file they are from."""

    file: Path
    subsets: dict[tuple[str, ...], tuple[str, ...]]

    def of(self, texts: Iterable[str]) -> tuple[str, ...] | None:
        """The subsets of the example with these ``texts``; None where the table lacks it."""
        return self.subsets.get(tuple(letters(text) for text in texts))


def letters(text: str) -> str:
    """What is left of ``text`` when accents, case, marks and spaces are not counted."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(c for c in plain if c.isalnum())


def read_subsets(file: Path, texts: Sequence[str], subsets: Sequence[str]) -> SubsetTable:
    """The subsets that the columns ``subsets`` of a table tell of the examples in ``texts``.

    A subset is a column's value; of ``a+b`` the values of both joined by a hyphen.

    Raises:
        InputError: the table cannot be read, lacks a column, or puts one example in different
            subsets.
    """
    table = read_table(file)
    text_places = [table.column(name) for name in texts]
    places = [[table.column(part) for part in name.split("+")] for name in subsets]
    found: dict[tuple[str, ...], tuple[str, ...]] = {}
    for line, cells in table.rows:
        names = tuple(
            fitting_name("-".join(cells[at] for at in parts))
            for parts in places
            if all(cells[at] for at in parts)
        )
        key = tuple(letters(cells[at]) for at in text_places)
        if found.setdefault(key, names) != names:
            raise InputError(
                f"{file}, line {line}: an example that is there already, in other subsets",
                "Name columns that tell each example's subsets once.",
            )
    return SubsetTable(file, found)
