"""Intervals of means over models, by Student's t."""

from __future__ import annotations

from math import isfinite, sqrt

LEAST = 3
"""Models that a spread is judged by, at least."""


def interval(
    mean: float | None,
    standard_error: float | None,
    degrees_of_freedom: int | None,
    level: float = 0.95,
) -> tuple[float, float] | None:
    """The ends of the interval of a mean; None where there is none.

    Of n models there are n − 1 degrees of freedom; with those of fewer than three models Student's
    t is so wide that the interval would say nothing. The standard error must be above zero.
    """
    if mean is None or not standard_error or not isfinite(standard_error):
        return None
    if degrees_of_freedom is None or degrees_of_freedom < LEAST - 1:
        return None
    from scipy.special import stdtrit  # scipy.stats takes a second to import

    reach = float(stdtrit(degrees_of_freedom, (1 + level) / 2)) * standard_error
    return mean - reach, mean + reach


def mean_interval(mean: float, sd: float | None, n: int) -> tuple[float, float] | None:
    """The interval of a mean over ``n`` models whose values spread by ``sd`` (of n − 1)."""
    return interval(mean, None if sd is None else sd / sqrt(n), n - 1)
