"""Intervals of means, from their standard errors: 95 percent, by Student's t."""

from __future__ import annotations

import math

_LEVEL = 0.95


def interval(
    mean: float | None, standard_error: float | None, n: int | None
) -> tuple[float, float] | None:
    """The ends of the interval of a mean over ``n`` models; None where there is none.

    Two models at least are needed, and a standard error above zero.
    """
    if mean is None or not standard_error or not n or n < 2 or not math.isfinite(standard_error):
        return None
    from scipy.special import stdtrit

    reach = float(stdtrit(n - 1, (1 + _LEVEL) / 2)) * standard_error
    return mean - reach, mean + reach
