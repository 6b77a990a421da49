"""Separated, connected or undecided: p by hand, and how often what is said is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmc_track.analysis.bounds import TAILS, GapBounds, error_gap_bounds, gap_bounds
from lmc_track.analysis.decisions import (
    benjamini_yekutieli,
    decide,
    examples_needed,
    p_connected,
    p_separated,
)
from support.noisy_curves import bump, noisy_curves

TAU = 0.1


def one_pair(**values: object) -> GapBounds:
    """A pair whose lower bounds fall from .5 and whose upper bounds rise from .5, .01 each."""
    steps = 0.01 * np.arange(len(TAILS))[None]
    given = {
        "paths": np.array([0]),
        "contrast": np.array([[0, 1, 2]]),
        "estimate": np.array([0.5]),
        "standard_error": np.array([0.125]),
        "lower": np.array([0.4375]),
        "upper": np.array([0.5625]),
        "lowers": 0.5 - steps,
        "uppers": 0.5 + steps,
        "height": np.array([0.5]),
        "variance": np.array([0.25]),
        "jump": 0.0,
        "n_examples": 100,
        "n_units": 100,
        "n_held_out_units": 50,
        "level": 0.95,
    }
    return GapBounds(**{**given, **values})  # type: ignore[arg-type]


def test_p_of_a_separation_is_the_tail_of_the_last_bound_above_tau() -> None:
    """Above .475 are .5, .49 and .48."""
    assert p_separated(one_pair(), 0.475)[0] == TAILS[2]


def test_p_of_a_connection_is_the_tail_of_the_last_bound_that_is_not_above_tau() -> None:
    assert p_connected(one_pair(), 0.525)[0] == TAILS[2]
    assert p_connected(one_pair(uppers=np.full((1, len(TAILS)), 0.5)), 0.5)[0] == TAILS[-1]


def test_a_gap_above_tau_is_not_connected() -> None:
    assert p_connected(one_pair(), 0.49)[0] == 1


def test_a_gap_below_tau_is_not_separated() -> None:
    assert p_separated(one_pair(), 0.5)[0] == 1


def test_without_a_discovered_contrast_nothing_speaks_for_separation() -> None:
    nothing = one_pair(lowers=np.full((1, len(TAILS)), np.nan))
    assert p_separated(nothing, 0.0)[0] == 1


def test_pairs_are_decided_in_the_direction_of_the_smaller_p() -> None:
    assert decide(one_pair(), 0.2).decision.tolist() == ["separated"]
    assert decide(one_pair(), 0.8).decision.tolist() == ["connected"]
    assert decide(one_pair(), 0.5).decision.tolist() == ["undecided"]


def test_examples_that_would_do_are_those_at_which_the_bound_reaches_tau() -> None:
    """Without a single error in 20 examples: 20 more or fewer change nothing but their number."""
    flat = np.zeros((3, 400), dtype=bool)
    alphas, runs = np.array([0, 0.5, 1]), np.array([[0, 1, 2]])

    def found(n: int) -> GapBounds:
        example = np.arange(n)
        bounds = error_gap_bounds(alphas, flat[:, :n], runs, example % 2 == 1, example)
        assert bounds is not None
        return bounds

    needed = int(examples_needed(found(60), 0.02)[0])
    assert 60 < needed < 400
    assert decide(found(60), 0.02).decision.tolist() == ["undecided"]
    assert decide(found(needed), 0.02).decision.tolist() == ["connected"]
    assert decide(found(needed - 8), 0.02).decision.tolist() == ["undecided"]


def test_four_times_the_examples_halve_the_distance_to_an_estimate_above_tau() -> None:
    """q = .05 of one pair asks for the tail .025, the eleventh; its bound is .1 below .5."""
    assert examples_needed(one_pair(), 0.45)[0] == 400


def test_a_measured_gap_at_tau_is_decided_by_no_number_of_examples() -> None:
    assert np.isnan(examples_needed(one_pair(), 0.5)[0])


def test_p_is_adjusted_over_all_pairs() -> None:
    """Three p: the factors are 3 · (1 + ½ + ⅓) = 5.5 over the rank."""
    adjusted = benjamini_yekutieli(np.array([0.5, 0.001, 0.01]))
    assert adjusted == pytest.approx([5.5 / 3 * 0.5, 0.0055, 0.0275])


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), max_size=20))
def test_an_adjusted_p_is_no_less_and_keeps_the_order(values: list[float]) -> None:
    p = np.array(values)
    adjusted = benjamini_yekutieli(p)
    assert (adjusted >= p).all()
    assert (adjusted <= 1).all()
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()


@pytest.mark.parametrize("shared", [False, True])
def test_few_of_the_decisions_are_wrong(shared: bool) -> None:
    """Over 40 studies of 200 pairs: most gaps at τ itself or just about it, some clearly apart.

    ``shared``: the examples that carry one gap carry all of them, as pairs of models share them.
    """
    gaps = np.repeat([0.0, 0.95 * TAU, TAU, 1.02 * TAU, 3 * TAU], [30, 50, 50, 50, 20])
    heights = np.array([bump(7, gap) for gap in gaps])
    wrong = []
    for seed in range(40):
        found = gap_bounds(**vars(noisy_curves(heights, n_units=80, shared=shared, seed=seed)))
        assert found is not None
        said = decide(found, TAU, q=0.1).decision
        false = ((said == "separated") & (gaps <= TAU)) | ((said == "connected") & (gaps > TAU))
        wrong.append(false.sum() / max((said != "undecided").sum(), 1))
        assert (said[gaps > 2 * TAU] == "separated").mean() > 0.5 or shared
    assert np.mean(wrong) <= 0.1
