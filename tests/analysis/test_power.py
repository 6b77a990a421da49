"""How many models find a minority."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from lmc_track.analysis.verdict import power as module
from lmc_track.analysis.verdict import published_power as kept
from lmc_track.analysis.verdict.minority import PUBLISHED, Minority
from lmc_track.analysis.verdict.power import Power, groups, halves, needed, power, two_there

HALF = Minority(share=0.5, within=(0.09, 0.09), between=0.6)
"""Two kinds as common as each other and far apart: four of each are found."""


def test_two_of_the_minority_are_there_as_the_binomial_distribution_says() -> None:
    none_or_one = 0.88**16 + 16 * 0.12 * 0.88**15
    assert two_there(16, 0.12) == pytest.approx(1 - none_or_one)


def test_kinds_far_apart_are_found_and_kinds_hardly_apart_are_not() -> None:
    close = Minority(share=0.5, within=(0.09, 0.09), between=0.091)
    assert power(12, HALF, draws=8).found >= 6
    assert power(12, close, draws=8).found == 0


def test_a_minority_that_is_not_drawn_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("one model alone cannot be found")

    monkeypatch.setattr(module, "find_clusters", never)
    assert power(8, Minority(share=1e-6), draws=5).found == 0


def test_draws_are_the_same_again_and_each_is_told() -> None:
    told: list[int] = []
    first = power(8, HALF, draws=6, each=lambda: told.append(1))
    assert first == power(8, HALF, draws=6)
    assert len(told) == first.drawn == 6


def test_the_interval_is_that_of_clopper_and_pearson() -> None:
    low, high = Power(16, 0.6, found=7, drawn=20).interval
    assert binom.sf(6, 20, low) == pytest.approx(0.025)
    assert binom.cdf(7, 20, high) == pytest.approx(0.025)


def test_the_number_needed_is_the_smallest_that_reaches_the_target(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "finds", lambda n, _minority, _seed, draw: draw % 10 < n // 4)
    assert needed(HALF, sizes=(16, 20, 24, 32, 40, 48), draws=20) == 32
    assert needed(HALF, sizes=(16, 20, 24), draws=20) is None


def test_too_few_models_for_two_of_the_minority_are_never_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(module, "finds", lambda n, *_: asked.append(n) or True)
    assert needed(PUBLISHED, sizes=(6, 8, 16, 24, 32), draws=5) == 24
    assert min(asked) == 24


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({"share": 0.0}, "share"),
        ({"share": 0.6}, "share"),
        ({"share": float("nan")}, "share"),
        ({"within": (-0.1, 0.1)}, "at least 0"),
        ({"within": (0.1, 0.8), "between": 0.7}, "larger than those within"),
        ({"between": float("inf")}, "larger than those within"),
        ({"scatter": -1.0}, "scatter"),
    ],
)
def test_numbers_out_of_range_are_refused(numbers: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Minority(**numbers)  # type: ignore[arg-type]


def test_three_models_cannot_be_planned() -> None:
    with pytest.raises(ValueError, match="plan 4 or more"):
        power(3, draws=1)


def test_simulated_gaps_have_the_means_asked_for() -> None:
    random = np.random.default_rng(0)
    gaps, group = groups(random, (60, 40), (0.1, 0.4), 0.9, 0.3)
    first, second = np.triu_indices(100, 1)
    pairs, same = gaps[first, second], group[first] == group[second]
    assert pairs[same & (group[first] == 0)].mean() == pytest.approx(0.1, rel=0.03)
    assert pairs[same & (group[first] == 1)].mean() == pytest.approx(0.4, rel=0.05)
    assert pairs[~same].mean() == pytest.approx(0.9, rel=0.03)
    one, other = (half[first, second] for half in halves(random, gaps, 0.12))
    assert np.std(np.log(one / other)) == pytest.approx(0.12, rel=0.05)


def test_kept_power_is_linear_between_what_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "PUBLISHED_FOUND", {8: 10, 16: 50, 32: 90})
    powers = [kept.published_power(n) for n in (3, 8, 12, 24, 32, 500)]
    assert powers == pytest.approx([0, 0.1, 0.3, 0.7, 0.9, 0.9])
    assert kept.published_need(0.7) == 24
    assert kept.published_need(0.95) is None


def test_a_kept_number_is_what_the_simulation_gives() -> None:
    made = power(6, PUBLISHED, draws=kept.PUBLISHED_DRAWS)
    assert made.found == kept.PUBLISHED_FOUND[6]


def test_the_clause_names_models_sizes_and_power(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "PUBLISHED_FOUND", {16: 39})
    assert kept.power_clause(16) == (
        "16 models would have shown a minority of 12% at the published sizes (.0036 / .0183 nats "
        "within, .0702 between) in 39% of such studies"
    )
    assert "never divided" in kept.power_clause(3)
