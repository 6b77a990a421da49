from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from lmc_track.models.threads import SMALL, threads_for


@pytest.fixture(autouse=True)
def _two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("weights", "threads"), [(SMALL - 1, 1), (SMALL, 2)])
def test_only_small_models_get_one_thread(weights: int, threads: int) -> None:
    with threads_for(torch.nn.Linear(weights, 1, bias=False)):
        assert torch.get_num_threads() == threads


def test_the_number_of_threads_is_put_back_after_an_error() -> None:
    with pytest.raises(RuntimeError), threads_for(torch.nn.Linear(1, 1)):
        raise RuntimeError
    assert torch.get_num_threads() == 2
