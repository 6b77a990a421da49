from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lmc_track.analysis.resampling import convexity_gaps, resampled_gaps
from lmc_track.geometry.curves import convexity_gap
from support.planted_losses import gaps_of, planted_losses


def all_gaps(paths, resamples, seed=0):
    parts = list(resampled_gaps(paths, resamples, [seed]))
    return [np.concatenate([getattr(p, name) for p in parts]) for name in ("measured", "noise")]


@given(
    arrays(np.float64, (5, 3), elements=st.floats(-3, 3, width=32)),
    st.sampled_from([[0, 0.25, 0.5, 0.75, 1], [0, 0.1, 0.6, 0.7, 1]]),
)
def test_every_gap_is_that_of_its_curve(curves, alphas):
    expected = [convexity_gap(alphas, curve) for curve in curves.T]
    assert convexity_gaps(np.array(alphas), curves) == pytest.approx(expected, abs=1e-12)


def test_many_points_are_searched_to_the_same_gaps():
    alphas = np.arange(61) / 60
    curves = np.random.default_rng(0).normal(0, 0.05, (61, 4, 5))
    curves += (4 * alphas * (1 - alphas))[:, None, None] * np.linspace(-1, 1, 5)
    expected = [convexity_gap(alphas, curve) for curve in curves.reshape(61, -1).T]
    assert convexity_gaps(alphas, curves).ravel() == pytest.approx(expected, abs=1e-12)


def test_gaps_of_resamples_scatter_about_the_measured_ones():
    paths, _ = planted_losses([3, 3], within=0.2, between=0.8, noise=0.1)
    measured, _ = all_gaps(paths, 200)
    assert np.abs(measured.mean(0) - gaps_of(paths)).max() < 0.05
    assert measured.std(0)[np.triu_indices(6, 1)].min() > 0


def test_noise_does_not_grow_with_the_gaps_themselves():
    flat = all_gaps(planted_losses([6])[0], 50)[1]
    high = all_gaps(planted_losses([6], within=5.0)[0], 50)[1]
    assert high == pytest.approx(flat)


def test_equal_examples_make_no_noise():
    paths, _ = planted_losses([3, 3], within=0.3)
    same = replace(paths, losses=np.tile(paths.losses[:, :1], (1, 60)))
    measured, noise = all_gaps(same, 20)
    assert not noise.any()
    assert measured == pytest.approx(np.tile(gaps_of(same), (20, 1, 1)))


def test_examples_of_one_unit_are_drawn_together():
    """One example against its double in the same unit: a unit of any size has one mean."""
    paths, _ = planted_losses([4], examples=20)
    doubled = replace(
        paths,
        losses=np.repeat(paths.losses, 2, axis=1),
        units=np.repeat(np.arange(20), 2),
    )
    single = replace(paths, units=np.arange(20))
    assert all_gaps(doubled, 30)[0] == pytest.approx(all_gaps(single, 30)[0])


@given(st.integers(1, 40))
@settings(max_examples=10, deadline=None)
def test_units_may_be_numbered_anyhow(step):
    paths, _ = planted_losses([4], examples=20)
    renumbered = replace(paths, units=paths.units * step + 7)
    assert np.array_equal(all_gaps(renumbered, 5)[0], all_gaps(paths, 5)[0])


def test_the_same_seed_draws_the_same_examples():
    paths, _ = planted_losses([4])
    assert np.array_equal(all_gaps(paths, 9, seed=1)[0], all_gaps(paths, 9, seed=1)[0])
    assert not np.array_equal(all_gaps(paths, 9, seed=1)[0], all_gaps(paths, 9, seed=2)[0])
