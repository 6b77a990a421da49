"""A minority of models that behave in another way: how many they are, and how far away."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Minority:
    """Models of two kinds. ``share``: of those of the minority, at most half.

    ``within``: the mean gap of the majority and that of the minority, ``between``: that of a model
    of each, in any one unit. Gaps scatter about these by a standard deviation of ``scatter`` of
    themselves, and those of two halves of the examples differ by ``agreement``. The defaults are
    the published MNLI sizes in nats, 88 and 12 of 100 models (Juneja et al. 2023).

    Raises:
        ValueError: a number is out of its range; the message says which.
    """

    share: float = 0.12
    within: tuple[float, float] = (0.0036, 0.0183)
    between: float = 0.0702
    scatter: float = 0.3
    agreement: float = 0.12

    def __post_init__(self) -> None:
        if not 0 < self.share <= 0.5:
            raise ValueError(
                f"the share of the minority must be above 0 and at most .5, not {self.share:g}"
            )
        for gap in self.within:
            if not (math.isfinite(gap) and gap >= 0):
                raise ValueError(f"gaps within must be at least 0, not {gap:g}")
        if not (math.isfinite(self.between) and self.between > max(self.within)):
            raise ValueError(
                f"the gap between, {self.between:g}, must be larger than those within, "
                f"{' and '.join(f'{gap:g}' for gap in self.within)}"
            )
        for name, value in (("scatter", self.scatter), ("agreement", self.agreement)):
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} must be at least 0, not {value:g}")


PUBLISHED = Minority()
