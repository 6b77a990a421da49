"""Separated, connected or undecided: p by hand, and how often what is said is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmc_track.analysis.bounds import GapBounds, gap_bounds
from lmc_track.analysis.contrasts import Lines
from lmc_track.analysis.decisions import (
    benjamini_yekutieli,
    decide,
    p_connected,
    p_separated,
    student_tail,
)
from support.noisy_curves import bump, noisy_curves

TAU = 0.1


def one_pair(**values: object) -> GapBounds:
    """A pair with the estimate .5 ± .125 of 3 held-out units and the line .25 + t/16."""
    given = {
        "paths": np.array([0]),
        "contrast": np.array([[0, 1, 2]]),
        "estimate": np.array([0.5]),
        "standard_error": np.array([0.125]),
        "lower": np.array([0.135]),
        "upper": np.array([0.4375]),
        "lines": Lines(np.array([[0.25]]), np.array([[0.0625]])),
        "draws": np.arange(100, 0, -1, dtype=np.float32)[None] / 8,
        "n_uncertain": np.array([1]),
        "n_units": 3,
        "n_held_out_units": 3,
        "n_draws": 999,
        "level": 0.95,
    }
    return GapBounds(**{**given, **values})  # type: ignore[arg-type]


def test_p_of_a_separation_is_students() -> None:
    """Two degrees of freedom: P(T > t) = ½ − t / (2 √(2 + t²)); here t = 2."""
    assert p_separated(one_pair(), 0.25)[0] == pytest.approx(0.5 - 1 / np.sqrt(6))


def test_p_of_a_connection_counts_the_draws_that_the_band_must_hold() -> None:
    """τ = .75 leaves 8 standard errors; the draws 8, 8⅛, … 12.5 are 37."""
    assert p_connected(one_pair(), 0.75)[0] == 38 / 1000


def test_beyond_the_draws_the_union_bound_takes_over() -> None:
    """τ = 1.25 leaves 16 standard errors, which no draw reaches; 2 P(T > 16) is more than .001."""
    assert p_connected(one_pair(), 1.25)[0] == 1 / 1000
    tail = 1 - 64 / np.sqrt(2 + 64**2)
    assert p_connected(one_pair(), 4.25)[0] == pytest.approx(tail, rel=1e-6)


def test_a_gap_above_tau_is_not_connected() -> None:
    assert p_connected(one_pair(), 0.125)[0] == 1


def test_without_a_discovered_contrast_nothing_speaks_for_separation() -> None:
    nothing = one_pair(estimate=np.array([np.nan]), standard_error=np.array([np.nan]))
    assert p_separated(nothing, 0.0)[0] == 1


def test_without_error_a_pair_is_decided_outright() -> None:
    exact = one_pair(
        standard_error=np.array([0.0]),
        lines=Lines(np.array([[0.5]]), np.array([[0.0]])),
        draws=np.zeros((1, 100), dtype=np.float32),
        n_uncertain=np.array([0]),
    )
    assert decide(exact, 0.25).decision.tolist() == ["separated"]
    assert decide(exact, 0.5).decision.tolist() == ["connected"]


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


def test_the_tail_of_student_has_its_limits() -> None:
    assert student_tail(np.array([-np.inf, 0, np.inf]), 7).tolist() == [1, 0.5, 0]


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
