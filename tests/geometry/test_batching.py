"""Inputs are cut into batches at least cost, and each distinct one is read once."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lmc_track.geometry.batching import Batching, cut, plan_reading
from lmc_track.geometry.encoding import EncodedDataset, Ragged
from lmc_track.models.padding import Padding

LENGTHS = st.lists(st.integers(1, 20), min_size=1, max_size=40)


def made(rows: list[list[int]], name: str = "v") -> EncodedDataset:
    ids = np.arange(len(rows))
    inputs = {"input_ids": Ragged.of(rows)}
    return EncodedDataset(name, ids, np.zeros(len(rows), dtype=np.int64), inputs, Padding(0), name)


def cost(batches: list[list[int]], overhead: int) -> int:
    return sum(max(batch) * len(batch) + overhead for batch in batches)


@given(LENGTHS, st.integers(1, 100), st.integers(1, 50))
def test_every_input_is_in_one_batch_within_the_budget(
    lengths: list[int], budget: int, overhead: int
) -> None:
    batches = cut(np.array(lengths), Batching(budget, overhead))
    assert sorted(int(row) for rows in batches for row in rows) == list(range(len(lengths)))
    for rows in batches:
        width = max(lengths[row] for row in rows)
        assert width * len(rows) <= budget or len(rows) == 1


@given(st.lists(st.integers(1, 9), min_size=1, max_size=9), st.integers(1, 30), st.integers(1, 9))
def test_no_other_cuts_cost_less(lengths: list[int], budget: int, overhead: int) -> None:
    ordered = sorted(lengths)
    found = cut(np.array(lengths), Batching(budget, overhead))
    ours = cost([[lengths[row] for row in rows] for rows in found], overhead)
    for at in itertools.product((False, True), repeat=len(ordered) - 1):
        ends = [k + 1 for k, here in enumerate(at) if here]
        parts = [ordered[a:b] for a, b in itertools.pairwise([0, *ends, len(ordered)])]
        if all(max(part) * len(part) <= budget or len(part) == 1 for part in parts):
            assert ours <= cost(parts, overhead)


def test_equal_inputs_are_read_once_across_data_sets() -> None:
    first, second = made([[1, 2], [3], [1, 2]], "first"), made([[3], [4, 5, 6]], "second")
    reading = plan_reading({"first": first, "second": second}, Batching())
    assert reading.n_inputs == 3
    assert reading.n_tokens == 6
    assert reading.index["first"].tolist() == [0, 1, 0]
    assert reading.index["second"].tolist() == [1, 2]


def test_inputs_that_differ_in_one_of_two_tables_are_two() -> None:
    ids, types = Ragged.of([[1, 2], [1, 2]]), Ragged.of([[0, 0], [0, 1]])
    data = EncodedDataset(
        "v",
        np.arange(2),
        np.zeros(2, dtype=np.int64),
        {"input_ids": ids, "token_type_ids": types},
        Padding(0),
        "",
    )
    assert plan_reading({"v": data}, Batching()).n_inputs == 2


def test_padding_is_masked_and_its_absence_needs_no_mask() -> None:
    padded = plan_reading({"v": made([[1, 2], [3]])}, Batching(overhead=100)).batches
    assert padded[0].inputs["attention_mask"].tolist() == [[1, 0], [1, 1]]
    assert padded[0].inputs["input_ids"].tolist() == [[3, 0], [1, 2]]
    even = plan_reading({"v": made([[1, 2], [3, 4]])}, Batching()).batches
    assert "attention_mask" not in even[0].inputs
