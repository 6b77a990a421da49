"""How often so many models find the published minority, measured once and kept.

A sentence on the power of a study costs no simulation this way.
"""

from __future__ import annotations

import numpy as np

from lmc_track.analysis.verdict.division import FEWEST_MODELS
from lmc_track.analysis.verdict.minority import PUBLISHED

PUBLISHED_DRAWS = 100
PUBLISHED_FOUND = {6: 0, 8: 4, 10: 13, 12: 28, 16: 59, 20: 72, 24: 78, 32: 90}
"""Of ``PUBLISHED_DRAWS`` simulated studies by the number of their models those in which
``power.power`` finds ``PUBLISHED`` (``python benchmarks/power.py --draws 100``, seed 0)."""


def published_power(n_models: int) -> float:
    """The power of ``n_models`` at the published sizes, linear between the measured numbers.

    0 below four models, which are never divided; above the largest number measured, its power.
    """
    if n_models < FEWEST_MODELS:
        return 0.0
    measured = [FEWEST_MODELS - 1, *PUBLISHED_FOUND]
    shares = [0.0, *(found / PUBLISHED_DRAWS for found in PUBLISHED_FOUND.values())]
    return float(np.interp(n_models, measured, shares))


def published_need(target: float) -> int | None:
    """The smallest number of models whose ``published_power`` is ``target``; None where none is."""
    numbers = range(FEWEST_MODELS, max(PUBLISHED_FOUND) + 1)
    return next((n for n in numbers if published_power(n) >= target), None)


def power_clause(n_models: int, verb: str = "would have shown") -> str:
    """What ``n_models`` can show of the published minority, for the middle of a sentence."""
    if n_models < FEWEST_MODELS:
        return f"fewer than {FEWEST_MODELS} models are never divided"
    majority, minority = PUBLISHED.within
    return (
        f"{n_models} models {verb} a minority of {PUBLISHED.share:.0%} at the published sizes "
        f"({_nats(majority)} / {_nats(minority)} nats within, {_nats(PUBLISHED.between)} between) "
        f"in {published_power(n_models):.0%} of such studies"
    )


def _nats(gap: float) -> str:
    return f"{gap:g}".removeprefix("0")
