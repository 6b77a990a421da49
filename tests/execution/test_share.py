"""Processes are started where they pay."""

from __future__ import annotations

import pytest

from lmc_track.execution import share
from lmc_track.execution.share import worth_sharing


@pytest.fixture(autouse=True)
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share, "cores", lambda: 4)


def test_a_small_model_with_much_to_read_is_shared() -> None:
    assert worth_sharing(weights=100_000, items=16, examples=900_000) == 4


def test_no_more_processes_than_items() -> None:
    assert worth_sharing(weights=100_000, items=3, examples=900_000) == 3


@pytest.mark.parametrize(
    ("weights", "items", "examples"),
    [
        pytest.param(22_000_000, 16, 900_000, id="a model that uses every core by itself"),
        pytest.param(100_000, 16, 2_000, id="work that is done before a worker has started"),
        pytest.param(100_000, 1, 900_000, id="one item"),
    ],
)
def test_other_work_stays_in_this_process(weights: int, items: int, examples: int) -> None:
    assert worth_sharing(weights, items, examples) == 1


def test_many_cores_are_not_all_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share, "cores", lambda: 96)
    assert worth_sharing(weights=100_000, items=200, examples=10**9) == 8
