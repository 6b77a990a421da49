"""What a misspelt word probably means: the nearest of the words that are known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_MOST_LISTED = 12


def nearest(word: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """The word of ``known`` that ``word`` is like, whatever the case; None where none is.

    ``likeness`` is the least ratio of difflib, from 0 to 1, that counts.
    """
    by_lower: dict[str, str] = {}
    for one in known:
        by_lower.setdefault(one.lower(), one)
    close = get_close_matches(word.lower(), list(by_lower), n=1, cutoff=likeness)
    return by_lower[close[0]] if close else None


def hint(word: str, known: Iterable[str], likeness: float = 0.6) -> str:
    """The end of a message: the word of ``known`` that is meant, else all of them."""
    words = list(known)
    near = nearest(word, words, likeness)
    return f"known are {', '.join(words)}" if near is None else f"did you mean {near!r}?"


def suggestion(word: str, known: Iterable[str], *, listing: str) -> str:
    """Sentences that name the word of ``known`` that is meant, and all of them."""
    words = list(known)
    if not words:
        return ""
    near = nearest(word, words)
    meant = "" if near is None else f"Did you mean {near}? "
    more = ", …" if len(words) > _MOST_LISTED else ""
    return f"{meant}{listing} {', '.join(words[:_MOST_LISTED])}{more}."
