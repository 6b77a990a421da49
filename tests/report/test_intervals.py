"""Intervals of means."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from lmc_track.report.intervals import interval


def test_the_interval_is_that_of_a_t_test() -> None:
    values = np.random.default_rng(0).normal(size=7)
    error = float(np.std(values, ddof=1) / np.sqrt(7))
    wanted = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert interval(float(values.mean()), error, 6) == pytest.approx((wanted.low, wanted.high))


@pytest.mark.parametrize(("error", "free"), [(None, 4), (0.0, 4), (0.1, 1), (float("nan"), 4)])
def test_there_is_none_without_a_spread_over_models(error: float | None, free: int) -> None:
    assert interval(1.0, error, free) is None


def test_between_clusters_the_smaller_ones_freedom_holds_and_that_of_all_models_does_not() -> None:
    """Of 13 + 3 models whose pairs share their models' effects, the three spreading more."""
    random = np.random.default_rng(1)
    draws, inside = 1000, np.arange(16) < 13
    effects = random.normal(size=(draws, 16)) * np.where(inside, 1.0, 3.0)
    gaps = effects[:, inside, None] + effects[:, None, ~inside] + random.normal(size=(draws, 13, 3))
    means = gaps.mean((1, 2))
    without = np.hstack(
        [
            (gaps.sum((1, 2))[:, None] - gaps.sum(2)) / (12 * 3),
            (gaps.sum((1, 2))[:, None] - gaps.sum(1)) / (13 * 2),
        ]
    )
    errors = np.sqrt(15 / 16 * np.square(without - means[:, None]).sum(1))

    def held(degrees_of_freedom: int) -> float:
        ends = [interval(m, e, degrees_of_freedom) for m, e in zip(means, errors, strict=True)]
        return float(np.mean([low <= 0 <= high for low, high in filter(None, ends)]))

    assert held(2) >= 0.94
    assert held(15) < 0.92
