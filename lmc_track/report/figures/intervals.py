"""How sure a mean over models is."""

from __future__ import annotations

from math import sqrt

LEAST = 3
"""Models that a spread is judged by, at least."""


def mean_interval(
    mean: float, sd: float | None, n: int, level: float = 0.95
) -> tuple[float, float] | None:
    """Student's interval of a mean over ``n`` models with standard deviation ``sd`` (n − 1).

    None of fewer than three models, whose interval would say nothing.
    """
    from scipy.special import stdtrit  # scipy.stats takes a second to import

    if sd is None or n < LEAST:
        return None
    half = float(stdtrit(n - 1, (1 + level) / 2)) * sd / sqrt(n)
    return mean - half, mean + half
