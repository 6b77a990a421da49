"""Arrays as the page carries them."""

from __future__ import annotations

import numpy as np

from lmc_track.report.packed import packed
from support.drawn import unpacked


def test_three_digits_are_kept() -> None:
    values = np.array([[0.0, 0.693], [1.234, 0.000512]])
    assert np.allclose(unpacked(packed(values)), values, rtol=5e-4, atol=1e-7)


def test_what_is_missing_stays_missing() -> None:
    assert np.isnan(unpacked(packed(np.array([np.nan, 1.0])))).tolist() == [True, False]


def test_what_is_too_large_stays_finite() -> None:
    assert np.isfinite(unpacked(packed(np.array([1e9, -np.inf])))).all()
