"""How numbers and lists are written in the report: few digits, one way for each kind."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

from lmc_track.metrics import METRICS

MISSING = "–"
_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def number(value: float | None, digits: int = 3) -> str:
    """``value`` to ``digits`` significant digits: ``1.23``, ``0.0123``, ``1,230``.

    An undefined value is a dash.
    """
    if value is None or not math.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    exact = float(f"{value:.{digits - 1}e}")
    places = digits - 1 - math.floor(math.log10(abs(exact)))
    return f"{exact:,.{max(places, 0)}f}"


def gap(value: float | None) -> str:
    """A gap or a loss in nats, without the unit; below 0.0001 no digits are given."""
    if value is not None and 0 < abs(value) < 0.0001:
        return "less than 0.0001"
    return number(value, 3 if value is not None and abs(value) >= 0.1 else 2)


def nats(value: float | None) -> str:
    """A gap or a loss with its unit."""
    return MISSING if gap(value) == MISSING else f"{gap(value)} nats"


def points(value: float | None) -> str:
    """A gap of the error, a share of examples, in points of a hundred: ``2 points``."""
    if value is None or not math.isfinite(value):
        return MISSING
    text = number(100 * value, 2).removesuffix(".0")
    return f"{text} {'point' if text == '1' else 'points'}"


def share(value: float | None) -> str:
    """A fraction of one such as an accuracy: ``0.98``, and ``1.00`` only when it rounds to it."""
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{value:.2f}"


def fine_share(value: float | None) -> str:
    """A fraction with three decimals, for tables."""
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{value:.3f}"


def percent(value: float | None) -> str:
    """A fraction as a percentage without false precision: ``0.4%``, ``12%``, ``178%``."""
    if value is None or not math.isfinite(value):
        return MISSING
    points = 100 * value
    if points == 0:
        return "0%"
    if abs(points) < 0.1:
        return "less than 0.1%"
    return f"{points:.1f}%" if abs(points) < 10 else f"{points:,.0f}%"


def metric_name(metric: str) -> str:
    """A metric as prose calls it: ``Matthews correlation``."""
    return METRICS[metric].label if metric in METRICS else metric.replace("_", " ")


def p_value(value: float | None) -> str:
    """``p = .012`` or ``p < .001``, as journals print it; a p of exactly .001 is not below it."""
    if value is None or not math.isfinite(value):
        return f"p {MISSING}"
    if value < 0.001:
        return "p < .001"
    text = f"{value:.3f}" if value < 0.1 else f"{value:.2f}"
    return f"p = {text.removeprefix('0')}"


def bare_p(value: float | None) -> str:
    """``.012`` or ``< .001``: p in a column that is headed by it."""
    return p_value(value).removeprefix("p ").removeprefix("= ")


def count(n: int, noun: str, plural: str | None = None) -> str:
    """``1 pair``, ``4,950 pairs``."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def word(n: int) -> str:
    """Small numbers as words, as prose has them."""
    return _WORDS[n] if 0 <= n < len(_WORDS) else f"{n:,}"


def listing(items: Iterable[str], limit: int | None = None) -> str:
    """``a``, ``a and b``, ``a, b and c``; beyond ``limit`` the rest is counted."""
    names: Sequence[str] = list(items)
    if limit is not None and len(names) > limit + 1:
        names = [*names[:limit], f"{len(names) - limit:,} more"]
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def subset_name(dataset: str, subset: str) -> str:
    """A data set, or a subset of it, in one label."""
    return dataset if subset == "all" else f"{dataset} · {subset}"


def base_name(base: str) -> str:
    """A base model as text can carry it: of a folder, only the last part."""
    if base.startswith(("/", ".", "~")):
        return base.rstrip("/").rsplit("/", 1)[-1] or base
    return base


def unbroken(text: str) -> str:
    """``text`` with spaces that no line may break at: before units and around signs."""
    return re.sub(r" (?=nats\b)|(?<=\b[prα]) (?=[=<])|(?<=[=<]) (?=[\d.])", "\u00a0", text)


def capital(text: str) -> str:
    """The sentence with its first letter raised, the others as they are."""
    return text[:1].upper() + text[1:]
