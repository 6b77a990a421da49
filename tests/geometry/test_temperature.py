"""Temperatures are those that a general minimizer finds, and stated where there is no minimum."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from lmc_track.geometry.temperature import (
    _LEAST,
    _excess,
    calibrated_losses,
    fitted_temperatures,
)

Floats = NDArray[np.float64]


def cross_entropy(labels: NDArray[np.int64], logits: Floats, temperature: float) -> Floats:
    scaled = logits.astype(np.float64) / temperature
    found: Floats = logsumexp(scaled, axis=1) - scaled[np.arange(len(labels)), labels]
    return found


def made(seed: int, k: int, n: int = 60) -> tuple[NDArray[np.int64], Floats]:
    """Labels and float32 logits of some scale, of a model that is right more often than not."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, k, n)
    logits = random.normal(0, 1, (n, k)) + random.uniform(0.2, 2) * np.eye(k)[labels]
    logits[0] = -5.0 * np.eye(k)[labels[0]]  # one that is wrong, so that there is a minimum
    return labels, (logits * np.exp(random.normal(0, 2))).astype(np.float32)


@settings(deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([2, 3]))
def test_no_temperature_has_a_lower_cross_entropy(seed: int, k: int) -> None:
    labels, logits = made(seed, k)
    (temperature,) = fitted_temperatures(labels, logits[None])
    highest = np.abs(_excess(labels, logits[None])).mean() * np.exp(-_LEAST)
    best = minimize_scalar(
        lambda x: cross_entropy(labels, logits, float(np.exp(x))).mean(),
        bounds=(np.log(temperature) - 4, min(np.log(temperature) + 4, np.log(highest))),
        method="bounded",
        options={"xatol": 1e-9},
    )
    assert cross_entropy(labels, logits, temperature).mean() <= best.fun + 1e-12


@settings(deadline=None)
@given(st.integers(0, 10_000), st.floats(1e-3, 1e3))
def test_the_scale_of_the_logits_does_not_matter(seed: int, scale: float) -> None:
    labels, logits = made(seed, 2)
    chosen = np.arange(len(labels)) < 40
    both = calibrated_losses(labels, np.stack([logits, logits.astype(np.float64) * scale]), chosen)
    assert np.allclose(both[0], both[1], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("k", [2, 3])
def test_a_model_that_is_always_right_has_the_loss_of_one_undecided_example(k: int) -> None:
    labels = np.arange(50) % k
    logits = np.random.default_rng(0).uniform(1, 3, (50, 1)) * np.eye(k)[labels]
    losses = calibrated_losses(labels, logits[None], np.ones(50, dtype=np.bool_))
    assert losses.mean() == pytest.approx(np.log(2) / 50)


def test_equal_logits_have_temperature_one_and_the_loss_of_chance() -> None:
    labels = np.arange(30) % 3
    logits = np.full((1, 30, 3), 0.7)
    assert fitted_temperatures(labels, logits).tolist() == [1.0]
    losses = calibrated_losses(labels, logits, np.ones(30, dtype=np.bool_))
    assert losses == pytest.approx(np.log(3))


def test_a_model_worse_than_chance_is_brought_near_chance() -> None:
    labels, logits = made(3, 2)
    losses = calibrated_losses(labels, -logits[None], np.ones(60, dtype=np.bool_))
    assert np.log(2) <= losses.mean() < np.log(2) + 0.01


def test_some_undecided_examples_leave_the_rest_a_temperature() -> None:
    labels = np.zeros(40, dtype=np.int64)
    logits = np.zeros((1, 40, 2))
    logits[0, 10:, 0] = 2.0
    losses = calibrated_losses(labels, logits, np.ones(40, dtype=np.bool_))
    assert losses.mean() == pytest.approx(11 * np.log(2) / 40)


def test_a_logit_that_is_no_number_is_that_models_alone() -> None:
    labels, logits = made(5, 2)
    broken = logits.copy()
    broken[7, 0] = np.nan
    alone = fitted_temperatures(labels, logits[None])
    found = fitted_temperatures(labels, np.stack([broken, logits]))
    assert np.isnan(found[0])
    assert found[1] == alone[0]


def test_a_models_losses_do_not_depend_on_the_models_beside_it() -> None:
    sets = [made(seed, 2, 500) for seed in range(300)]
    labels = sets[0][0]
    logits = np.stack([logits for _, logits in sets])
    chosen = np.arange(500) % 2 == 0
    together = calibrated_losses(labels, logits, chosen)
    for k in (0, 137, 299):
        assert np.array_equal(calibrated_losses(labels, logits[k : k + 1], chosen)[0], together[k])


def test_no_models_have_no_temperatures() -> None:
    assert fitted_temperatures(np.arange(2), np.empty((0, 2, 2))).shape == (0,)
