"""Mantel's test against itself written out."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from numpy.typing import NDArray

from lmc_track.analysis.mantel import mantel
from support.planted_gaps import symmetric

Floats = NDArray[np.float64]


def _random(n: int, seed: int) -> Floats:
    return symmetric(np.random.default_rng(seed).random(n * (n - 1) // 2), n)


def _by_hand(gaps: Floats, other: Floats) -> tuple[float, float]:
    """r and p over every relabelling, with numpy's correlation."""
    upper = np.triu_indices(len(gaps), 1)

    def r(order: tuple[int, ...]) -> float:
        a, b = gaps[np.ix_(order, order)][upper], other[upper]
        known = np.isfinite(a) & np.isfinite(b)
        return float(np.corrcoef(a[known], b[known])[0, 1])

    observed = r(tuple(range(len(gaps))))
    sizes = [abs(r(order)) for order in permutations(range(len(gaps)))]
    return observed, float(np.mean(np.array(sizes) >= abs(observed) - 1e-9))


@pytest.mark.parametrize("missing", [False, True])
def test_every_relabelling_is_tried_for_few_models(missing: bool) -> None:
    gaps, others = _random(5, 0), np.array([_random(5, 1), _random(5, 2)])
    if missing:
        gaps[0, 1] = gaps[1, 0] = np.nan
        others[1, 2, 4] = others[1, 4, 2] = np.nan
    found = mantel(gaps, others)
    for i, other in enumerate(others):
        r, p = _by_hand(gaps, other)
        assert found.r[i] == pytest.approx(r)
        assert found.p_value[i] == pytest.approx(p)
        assert found.p_corrected[i] >= found.p_value[i]
    assert found.smallest_p.tolist() == [1 / 120, 1 / 120]
    assert found.n_pairs.tolist() == ([9, 8] if missing else [10, 10])


def test_distances_that_follow_the_gaps_are_found() -> None:
    gaps = _random(20, 3)
    found = mantel(gaps, np.array([gaps + 0.5 * _random(20, 4), _random(20, 5)]), draws=199)
    assert found.p_corrected[0] == 1 / 200
    assert found.p_corrected[1] > 0.05


def test_equal_distances_have_no_r() -> None:
    found = mantel(_random(5, 6), np.array([np.zeros((5, 5)), _random(5, 7)]))
    assert np.isnan([found.r[0], found.p_value[0], found.p_corrected[0], found.smallest_p[0]]).all()
    assert np.isfinite(found.p_corrected[1])


def test_two_models_have_one_pair_and_no_r() -> None:
    found = mantel(_random(2, 8), _random(2, 9)[None])
    assert found.n_pairs.tolist() == [1]
    assert np.isnan(found.r).all()
