"""The verdict in one or two plain sentences: first what was found, then the numbers."""

from __future__ import annotations

from collections.abc import Sequence

from lmc_track.analysis.verdict.existence import SIGNIFICANCE, Existence
from lmc_track.analysis.verdict.nulls import CLOUDS, EFFECTS, EXCHANGEABLE, NOISE
from lmc_track.analysis.verdict.strength import LEAST_HEADROOM, Strength

_WORDS = {2: "Two", 3: "Three", 4: "Four", 5: "Five", 6: "Six"}

# What would have to be so for the gaps to come about in one cluster.
_ALTERNATIVES = {
    NOISE: "noise of measurement",
    EXCHANGEABLE: "gaps without any order",
    **dict(
        zip(
            CLOUDS,
            (
                "one cloud of models",
                "one cloud of models, some far out",
                "models evenly spread along a line or over a region",
            ),
            strict=True,
        )
    ),
    **dict(
        zip(
            EFFECTS,
            (
                "single models that add to all their gaps",
                "single models that multiply all their gaps",
                "single bad models that spoil all their paths",
            ),
            strict=True,
        )
    ),
}


def several(
    sizes: Sequence[int], existence: Existence, strength: Strength, unit: str, halves: bool
) -> str:
    """The sentence of a division that counts."""
    k = len(sizes)
    gaps = (
        f"mean gap {_gap(strength.within, unit)} within and {_gap(strength.between, unit)} between"
    )
    if strength.ratio is not None:
        gaps += f", {float(f'{strength.ratio:.2g}'):,g} times as much"
    if k > 2:
        gaps += f" ({_gap(strength.nearest, unit)} between the two that are nearest each other)"
    against = ", ".join(dict.fromkeys(_kinds(existence)))
    return (
        f"{_WORDS[k]} clusters, of {listing([str(size) for size in sizes])} models"
        f"{_separated(strength)}: {gaps}. One cluster does not explain this "
        f"(p {_at_most(existence.p_value)} against each of: {against}).{_weaker(halves)}"
    )


def one(sizes: Sequence[int], existence: Existence, halves: bool) -> str:
    """The sentence of a division that does not count."""
    explains = [name for name, p in existence.p_values.items() if p > SIGNIFICANCE]
    best = max(explains, key=lambda name: existence.p_values[name])
    more = f", as do {len(explains) - 1} other forms of one cluster" if len(explains) > 2 else ""
    return (
        f"One cluster: the best division, into {listing([str(size) for size in sizes])} models, is "
        f"no clearer than {_ALTERNATIVES[best]} would give (p = {existence.p_values[best]:.2g})"
        f"{more}.{_weaker(halves)}"
    )


def apart(models: Sequence[int]) -> str:
    """A sentence on models that were set apart; empty where none was."""
    if not models:
        return ""
    if len(models) == 1:
        return " One single model is far from all others and was set apart."
    return f" {len(models)} single models are far from all others and were set apart."


def listing(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _separated(strength: Strength) -> str:
    if strength.headroom is not None and strength.headroom <= 0:
        return ", of models that are no better than chance"
    if strength.headroom is not None and strength.headroom < LEAST_HEADROOM:
        return f", of models that are less than {LEAST_HEADROOM:g} nats better than chance"
    if strength.share is None or strength.word is None:
        return ""
    return (
        f", {strength.word} separated (between them models lose {min(strength.share, 9.99):.0%} of "
        "what they gained over chance)"
    )


def _kinds(existence: Existence) -> list[str]:
    kinds = {
        NOISE: "noise of measurement",
        EXCHANGEABLE: "gaps without order",
        **dict.fromkeys(CLOUDS, "one cloud"),
        **dict.fromkeys(EFFECTS, "effects of single models"),
    }
    return [kinds[name] for name in existence.p_values]


def _weaker(halves: bool) -> str:
    if halves:
        return ""
    return (
        " The same gaps made and judged the division, as there is no held-out half, so noise of "
        "measurement was not tested."
    )


def _gap(value: float, unit: str) -> str:
    return f"{value:.2g} {unit}".rstrip()


def _at_most(p: float) -> str:
    return f"≤ {p:.2g}"
