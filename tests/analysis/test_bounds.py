"""Bounds of gaps: what they are computed from, and how often they hold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lmc_track.analysis.bands import widths
from lmc_track.analysis.bounds import FEWEST_UNITS, GapBounds, gap_bounds, student_quantile
from lmc_track.analysis.multipliers import Units, max_t, means, random_signs
from support.noisy_curves import NoisyCurves, bump, noisy_curves

REPLICATES = 600
# Three standard errors of a share of .95 in as many replicates.
LEAST_COVERAGE = 0.95 - 3 * np.sqrt(0.95 * 0.05 / REPLICATES)


def bounds(curves: NoisyCurves, **options: Any) -> GapBounds:
    found = gap_bounds(**vars(curves), **options)
    assert found is not None
    return found


def coverage(gap: float, **options: Any) -> tuple[float, float]:
    """How often the lower and the upper bound hold."""
    found = bounds(noisy_curves(np.tile(bump(11, gap), (REPLICATES, 1)), **options))
    true = float(bump(11, gap).max())
    return float((found.lower <= true).mean()), float((found.upper >= true).mean())


@pytest.mark.parametrize("gap", [0.0, 0.02, 0.3])
@pytest.mark.parametrize("units", [60, 200])
def test_each_bound_holds_as_often_as_it_says(gap: float, units: int) -> None:
    assert min(coverage(gap, n_units=units, seed=units)) >= LEAST_COVERAGE


def test_bounds_hold_where_few_examples_carry_the_gap() -> None:
    """Shares of the height with skewness 4 and 400 units."""
    assert min(coverage(0.3, n_units=400, shape=0.25, seed=3)) >= LEAST_COVERAGE


GROUPED: dict[str, Any] = {"n_units": 80, "unit_size": 8, "within": 1.0, "seed": 1}


@pytest.mark.parametrize("gap", [0.0, 0.02, 0.3])
def test_bounds_hold_for_examples_in_groups(gap: float) -> None:
    assert min(coverage(gap, **GROUPED)) >= LEAST_COVERAGE


def test_bounds_that_ignored_groups_would_not_hold() -> None:
    curves = noisy_curves(np.tile(bump(11, 0.3), (REPLICATES, 1)), **GROUPED)
    ignored = bounds(replace(curves, units=np.arange(len(curves.units))))
    assert (ignored.lower <= 0.3).mean() < 0.85
    assert (ignored.upper >= 0.3).mean() < 0.85


def test_a_convex_curve_is_bounded_by_nothing_but_its_band() -> None:
    found = bounds(noisy_curves(-np.tile(bump(5, 2.0), (3, 1))))
    assert np.isnan(found.estimate).all()
    assert (found.contrast == -1).all()
    assert found.lower.tolist() == found.upper.tolist() == [0, 0, 0]


def test_the_estimate_is_the_discovery_contrast_on_held_out_examples() -> None:
    curves = noisy_curves(np.tile(bump(5, 0.5), (1, 1)), noise=0.2)
    found = bounds(curves)
    left, point, right = found.contrast[0]
    w = (curves.alphas[point] - curves.alphas[left]) / (curves.alphas[right] - curves.alphas[left])
    held_out = curves.losses[:, curves.held_out].astype(float)
    contrast = held_out[point] - (1 - w) * held_out[left] - w * held_out[right]
    error = contrast.std(ddof=1) / np.sqrt(len(contrast))
    assert found.estimate[0] == pytest.approx(contrast.mean(), abs=1e-12)
    assert found.standard_error[0] == pytest.approx(error, rel=1e-9)
    quantile = student_quantile(0.95, len(contrast) - 1)
    assert found.lower[0] == pytest.approx(contrast.mean() - quantile * error, abs=1e-12)


def test_a_linear_function_added_to_every_example_changes_nothing() -> None:
    curves = noisy_curves(np.tile(bump(5, 0.5), (4, 1)))
    rising = np.tile(np.array([0, 0.25, 0.5, 0.75, 1]), 4)[:, None]
    size = np.random.default_rng(0).integers(-4, 5, curves.losses.shape[1])
    tilted = replace(curves, losses=(curves.losses + rising * size).astype(np.float32))
    one, two = bounds(curves), bounds(tilted)
    assert two.lower == pytest.approx(one.lower, abs=1e-6)
    assert two.upper == pytest.approx(one.upper, abs=1e-6)


def test_reversed_paths_have_the_same_bounds() -> None:
    curves = noisy_curves(np.tile(bump(6, 0.3), (4, 1)))
    back = bounds(replace(curves, runs=curves.runs[:, ::-1]))
    assert back.lower == pytest.approx(bounds(curves).lower, abs=1e-9)
    assert back.upper == pytest.approx(bounds(curves).upper, abs=1e-6)


def test_more_paths_do_not_change_the_first() -> None:
    curves = noisy_curves(np.tile(bump(5, 0.3), (40, 1)))
    few = bounds(replace(curves, runs=curves.runs[:3]))
    assert few.upper.tolist() == bounds(curves).upper[:3].tolist()


def test_examples_that_all_agree_leave_no_doubt() -> None:
    """Every example is 1 above the chord in the middle."""
    losses = np.array([[0.5], [1.5], [0.5]]).repeat(100, 1).astype(np.float32)
    alphas, runs, example = np.array([0, 0.5, 1]), np.array([[0, 1, 2]]), np.arange(100)
    found = gap_bounds(alphas, losses, runs, example % 2 == 0, example)
    assert found is not None
    assert (found.lower[0], found.upper[0]) == (1, 1)
    assert (found.lowers[0] == 1).all()
    assert (found.uppers[0] == 1).all()


def test_bounds_move_outwards_as_they_fail_less_often() -> None:
    found = bounds(noisy_curves(np.tile(bump(11, 0.3), (5, 1))))
    assert (np.diff(found.uppers, axis=1) >= 0).all()
    assert (np.diff(found.lowers, axis=1) <= 0).all()


def test_the_contrast_that_limits_a_bound_is_inside_it() -> None:
    found = bounds(noisy_curves(np.tile(bump(11, 0.3), (5, 1))))
    assert (found.height < found.upper).all()
    errors = np.sqrt(found.variance / found.n_examples)
    assert ((found.upper - found.height) / errors < 4).all()


DRAWN = np.arange(1000, 0, -1)[None] / 8


def test_a_band_leaves_out_as_many_draws_as_its_tail_says() -> None:
    """The measured curve is one draw more: of 1,001, .05 are 50, and the 50th largest is left."""
    assert widths(DRAWN, np.array([9]), 99, np.array([0.05]))[0, 0] == DRAWN[0, 49]


def test_beyond_the_draws_the_union_bound_takes_over() -> None:
    """Student's t with two degrees: P(|T| > t) = 1 − t / √(2 + t²)."""
    drawn = np.ones((1, 1000))
    width = widths(drawn, np.array([3]), 2, np.array([1e-4]))[0, 0]
    assert 3 * (1 - width / np.sqrt(2 + width**2)) == pytest.approx(1e-4, rel=1e-6)


def test_the_union_bound_is_no_narrower_than_the_tenth_draw() -> None:
    assert widths(DRAWN, np.array([1]), 1000, np.array([1e-4]))[0, 0] == DRAWN[0, 9]


def test_a_band_without_error_has_no_width() -> None:
    found = widths(np.zeros((1, 1000)), np.array([0]), 99, np.array([0.05, 1e-7]))
    assert found.tolist() == [[0, 0]]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_path_with_a_loss_that_is_not_finite_has_no_bounds(value: float) -> None:
    curves = noisy_curves(np.tile(bump(5, 0.3), (3, 1)))
    curves.losses[curves.runs[1, 2], 7] = value
    assert bounds(curves).paths.tolist() == [0, 2]


def test_too_few_units_in_a_half_have_no_bounds() -> None:
    heights = np.tile(bump(5, 0.3), (2, 1))
    assert gap_bounds(**vars(noisy_curves(heights, n_units=2 * FEWEST_UNITS - 1))) is None
    assert gap_bounds(**vars(noisy_curves(heights, n_units=2 * FEWEST_UNITS))) is not None
    few_groups = noisy_curves(heights, n_units=10, unit_size=50)
    assert gap_bounds(**vars(few_groups)) is None


def test_no_paths_have_no_bounds() -> None:
    curves = noisy_curves(np.tile(bump(5, 0.3), (1, 1)))
    assert gap_bounds(**vars(replace(curves, runs=curves.runs[:0]))) is None
    ends = replace(curves, alphas=np.array([0.0, 1.0]), runs=curves.runs[:, [0, -1]])
    assert gap_bounds(**vars(ends)) is None


def test_a_draw_is_the_student_statistic_of_turned_residuals() -> None:
    values = np.random.default_rng(0).normal(size=(1, 3, 30))
    sample = means(values, Units.of(np.arange(30)))
    signs = random_signs(5, 30, seed=1)
    for turn, drawn in zip(signs.T, max_t(sample, signs)[0], strict=True):
        turned = turn * (values[0] - values[0].mean(1, keepdims=True))
        t = turned.mean(1) / (turned.std(1, ddof=1) / np.sqrt(30))
        assert drawn == pytest.approx(np.abs(t).max(), abs=1e-4)


def test_standard_errors_of_groups_are_those_of_a_ratio() -> None:
    """Groups (1, 3), (5), (7, 7, 7) with residuals −6, 0 and 6 about the mean of 5."""
    values = np.array([1.0, 7, 3, 7, 5, 7])
    found = means(values, Units.of(np.array([0, 2, 0, 2, 1, 2])))
    assert found.mean == 5
    assert found.residuals.tolist() == [-6, 0, 6]
    assert found.standard_error == pytest.approx(np.sqrt(3 / 2 * 72) / 6)
