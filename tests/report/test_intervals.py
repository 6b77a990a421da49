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
