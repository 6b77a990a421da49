from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmc_track.study import ModelSeeds, parse_seeds


def test_ranges_and_single_seeds_keep_their_order() -> None:
    assert parse_seeds("5, 0-2,9") == (5, 0, 1, 2, 9)


def test_a_single_seed_needs_no_list() -> None:
    assert parse_seeds(7) == (7,)


@pytest.mark.parametrize("text", ["", "x", "3-1", "-1", "1,,2", "0-999999999"])
def test_what_is_no_seed_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"seed|backwards"):
        parse_seeds(text)


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=20, unique=True))
def test_a_list_reads_as_its_text(seeds: list[int]) -> None:
    assert parse_seeds(seeds) == parse_seeds(",".join(map(str, seeds)))


def test_a_model_is_named_by_its_seeds() -> None:
    assert ModelSeeds(7, 7).name == "seed-7"
    assert ModelSeeds(1, 2).name == "head-1-data-2"
