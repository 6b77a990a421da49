"""Bounds of error gaps: where few examples are wrong, and how often the bounds hold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom, gamma, multinomial

from lmc_track.analysis.bounds import TAILS, GapBounds, error_gap_bounds
from lmc_track.analysis.curves_of_examples import Curves
from lmc_track.analysis.decisions import decide, p_connected
from lmc_track.analysis.multipliers import Units
from lmc_track.analysis.rare_errors import bounded_by_counts, lower_of_counts
from support.noisy_curves import bump
from support.noisy_errors import NoisyErrors, noisy_errors

REPLICATES = 400
LEAST_COVERAGE = 0.95 - 3 * np.sqrt(0.95 * 0.05 / REPLICATES)
ALPHAS = np.linspace(0, 1, 5)


def bounds(curves: NoisyErrors) -> GapBounds:
    found = error_gap_bounds(**vars(curves))
    assert found is not None
    return found


def in_the_middle(wrong: int, n: int, unit_size: int = 1) -> GapBounds:
    """One path on which the first ``wrong`` examples are wrong in the middle, and nowhere else."""
    errors = np.zeros((5, n), dtype=bool)
    errors[2, :wrong] = True
    units = np.arange(n) // unit_size
    return bounds(NoisyErrors(ALPHAS, errors, np.arange(5)[None], units % 2 == 1, units))


@pytest.mark.parametrize("n", [100, 250, 1000])
def test_without_an_error_as_many_may_be_missed_as_clopper_and_pearson_say(n: int) -> None:
    """The limit of a Poisson mean, which is slightly the wider."""
    found = in_the_middle(0, n)
    exact = 1 - 0.05 ** (1 / n)
    assert exact <= found.upper[0] <= 1.02 * exact
    assert found.lower[0] == 0


@pytest.mark.parametrize("wrong", [0, 1, 5, 20])
def test_p_is_no_smaller_than_that_of_the_binomial_distribution(wrong: int) -> None:
    """Errors in the middle alone: that so few are seen where .1 are expected."""
    exact = binom.cdf(wrong, 250, 0.1)
    assert p_connected(in_the_middle(wrong, 250), 0.1)[0] >= min(exact, TAILS[-1])


def test_a_hundred_examples_without_an_error_connect_nothing_at_two_points() -> None:
    assert decide(in_the_middle(0, 100), 0.02).decision.tolist() == ["undecided"]
    assert decide(in_the_middle(0, 250), 0.02).decision.tolist() == ["connected"]


def test_examples_of_groups_count_by_the_group() -> None:
    """400 examples in 50 groups show no more than 50 examples do."""
    assert in_the_middle(0, 400, unit_size=8).upper == pytest.approx(in_the_middle(0, 50).upper)


def test_examples_that_are_all_wrong_leave_doubt_about_the_next() -> None:
    found = in_the_middle(250, 250)
    assert 0.7 < found.lower[0] < 1
    assert found.upper[0] == 1


def test_errors_that_cancel_are_not_taken_for_none() -> None:
    """As many examples become right as wrong: the mean is 0, and the bound is not the least."""
    flipping = np.zeros((5, 250), dtype=bool)
    flipping[2, :20] = True
    flipping[[0, 1, 3, 4], 20:40] = True
    example = np.arange(250)
    found = bounds(NoisyErrors(ALPHAS, flipping, np.arange(5)[None], example % 2 == 1, example))
    assert found.upper[0] > 2 * in_the_middle(0, 250).upper[0]


def test_a_lower_bound_is_the_exact_one_where_nothing_becomes_right() -> None:
    """Garwood's limit of 40 events, and the 3 that may have become right unseen."""
    values = (np.arange(100) < 40).astype(float)[None]
    lower = lower_of_counts(values, Units.of(np.arange(100)), np.array([0.05]))[0, 0]
    fewer = 40 - gamma.ppf(0.05, 40)
    assert 100 * lower == pytest.approx(40 - np.hypot(fewer, -np.log(0.05)))


OUTCOMES = [(wrong, right) for wrong in range(41) for right in range(41 - wrong)]
"""Of 40 examples, how many are wrong in the middle alone, and how many at both ends alone."""


def contrasts() -> np.ndarray:
    """The contrast of every example, 1, −1 or 0, for each of ``OUTCOMES``."""
    example = np.arange(40)
    return np.array(
        [
            (example < wrong).astype(float) - ((example >= wrong) & (example < wrong + right))
            for wrong, right in OUTCOMES
        ]
    )


@pytest.mark.parametrize("wrong", [0.005, 0.02, 0.1, 0.3])
@pytest.mark.parametrize("right", [0.0, 0.005, 0.02, 0.1, 0.3])
def test_no_bound_fails_more_often_than_its_tail_over_all_outcomes(
    wrong: float, right: float
) -> None:
    """Exactly: each outcome counts with its multinomial probability."""
    values, units = contrasts(), Units.of(np.arange(40))
    errors = np.stack([values < 0, values > 0, values < 0], 1).reshape(-1, 40)
    runs = np.arange(len(errors)).reshape(-1, 3)
    found = bounded_by_counts(Curves(np.array([0, 0.5, 1]), errors, runs), units, TAILS)
    lower = lower_of_counts(values, units, TAILS)
    counts = np.array([(a, b, 40 - a - b) for a, b in OUTCOMES])
    weight = multinomial.pmf(counts, 40, [wrong, right, 1 - wrong - right])[:, None]
    true = wrong - right
    assert ((weight * (found.bounds < true - 1e-9)).sum(0) <= TAILS).all()
    assert ((weight * (lower > true + 1e-9)).sum(0) <= TAILS).all()


@pytest.mark.parametrize(("base", "gap"), [(0.0, 0.02), (0.002, 0.0), (0.05, 0.1), (0.1, 0.02)])
@pytest.mark.parametrize("units", [60, 250])
def test_each_bound_holds_as_often_as_it_says(base: float, gap: float, units: int) -> None:
    expected = np.tile(base + bump(11, gap), (REPLICATES, 1))
    found = bounds(noisy_errors(expected, n_units=units, seed=units))
    true = bump(11, gap).max()
    assert (found.lower <= true).mean() >= LEAST_COVERAGE
    assert (found.upper >= true).mean() >= LEAST_COVERAGE


@pytest.mark.parametrize("alike", [1.0, 0.3])
def test_bounds_hold_for_examples_in_groups(alike: float) -> None:
    expected = np.tile(bump(11, 0.1), (REPLICATES, 1))
    found = bounds(noisy_errors(expected, n_units=80, unit_size=8, alike=alike, seed=1))
    assert (found.lower <= 0.1).mean() >= LEAST_COVERAGE
    assert (found.upper >= 0.1).mean() >= LEAST_COVERAGE


def test_pairs_just_above_two_points_are_not_called_connected() -> None:
    expected = np.tile(bump(11, 0.021), (200, 1))
    said = decide(bounds(noisy_errors(expected, n_units=1000, seed=2)), 0.02).decision
    assert (said != "connected").all()


def test_reversed_paths_have_the_same_bounds() -> None:
    curves = noisy_errors(np.tile(0.05 + bump(6, 0.3), (4, 1)))
    back = bounds(replace(curves, runs=curves.runs[:, ::-1]))
    assert back.upper == pytest.approx(bounds(curves).upper, abs=1e-9)


def test_more_paths_do_not_change_the_first() -> None:
    curves = noisy_errors(np.tile(0.05 + bump(5, 0.3), (40, 1)))
    few = bounds(replace(curves, runs=curves.runs[:3]))
    assert few.uppers.tolist() == bounds(curves).uppers[:3].tolist()


def listed(curves: NoisyErrors) -> dict[str, Any]:
    """The greatest measured contrast of the first path, by listing all."""
    values = curves.errors[curves.runs[0]].mean(1)
    size = len(values)
    return {
        "gap": max(
            values[k] - ((r - k) * values[left] + (k - left) * values[r]) / (r - left)
            for left in range(size)
            for k in range(left + 1, size)
            for r in range(k + 1, size)
        )
    }


def test_the_bound_is_above_the_measured_gap() -> None:
    curves = noisy_errors(0.05 + bump(7, 0.2)[None])
    found = bounds(curves)
    assert found.upper[0] > listed(curves)["gap"] >= found.height[0] - 1e-12
