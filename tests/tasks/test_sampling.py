from __future__ import annotations

from collections import Counter

import datasets
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmc_track.study.sections import Sample
from lmc_track.tasks.dataset import Dataset, build_dataset
from lmc_track.tasks.sampling import sample, shuffled, train_sample

WAYS: list[Sample] = ["head", "random", "stratified"]


def made(labels: list[int], subsets: list[list[str]] | None = None) -> Dataset:
    return build_dataset(
        "train",
        "train",
        texts={"sentence": [f"sentence {k}" for k in range(len(labels))]},
        labels=labels,
        source="here",
        subsets=subsets,
    )


def ids(dataset: Dataset) -> list[int]:
    return dataset.frame["example_id"].to_list()


@given(
    st.lists(st.integers(0, 2), min_size=1, max_size=60), st.integers(1, 70), st.sampled_from(WAYS)
)
def test_as_many_are_taken_as_there_are_to_take(labels: list[int], n: int, how: Sample) -> None:
    assert len(sample(made(labels), n, how)) == min(n, len(labels))


@given(
    st.lists(st.integers(0, 2), min_size=1, max_size=60), st.integers(1, 70), st.sampled_from(WAYS)
)
def test_examples_keep_their_order_and_their_ids(labels: list[int], n: int, how: Sample) -> None:
    taken = sample(made(labels), n, how)
    assert ids(taken) == sorted(set(ids(taken)))
    assert taken.frame["sentence"].to_list() == [f"sentence {k}" for k in ids(taken)]


@given(st.integers(1, 59), st.sampled_from(["head", "random"]))
def test_a_larger_sample_contains_a_smaller_one(n: int, how: Sample) -> None:
    dataset = made([0, 1] * 30)
    assert set(ids(sample(dataset, n, how))) < set(ids(sample(dataset, n + 1, how)))


@given(st.lists(st.integers(0, 2), min_size=1, max_size=60), st.integers(1, 60))
def test_every_label_has_its_share_in_a_stratified_sample(labels: list[int], n: int) -> None:
    wanted = min(n, len(labels))
    taken = Counter(sample(made(labels), n, "stratified").frame["label"].to_list())
    for label, size in Counter(labels).items():
        assert abs(taken[label] - wanted * size / len(labels)) < 1


def test_every_subset_has_its_share_in_a_stratified_sample() -> None:
    subsets = [["rare"] if k % 10 == 0 else ["common"] for k in range(100)]
    taken = sample(made([0] * 100, subsets), 20, "stratified")
    assert Counter(row[0] for row in taken.frame["subsets"].to_list()) == {"rare": 2, "common": 18}


@pytest.mark.parametrize("how", WAYS)
def test_0_takes_all(how: Sample) -> None:
    dataset = made([0, 1, 1])
    assert sample(dataset, 0, how) is dataset


def test_head_takes_the_first() -> None:
    assert ids(sample(made([0, 1] * 10), 3, "head")) == [0, 1, 2]


def test_a_random_sample_is_the_same_every_time() -> None:
    taken = [ids(sample(made([0, 1] * 50), 10, "random")) for _ in range(2)]
    assert taken[0] == taken[1]
    assert taken[0] != list(range(10))


def test_the_train_sample_has_its_own_name_and_role() -> None:
    taken = train_sample(made([0, 1] * 50), 10)
    assert (taken.name, taken.role, len(taken)) == ("train_sample", "train_sample", 10)


def test_the_train_sample_is_another_than_the_random_one() -> None:
    dataset = made([0, 1] * 50)
    assert ids(train_sample(dataset, 10)) != ids(sample(dataset, 10, "random"))


def test_a_sample_has_a_digest_of_its_own() -> None:
    dataset = made([0, 1] * 50)
    assert sample(dataset, 10, "head").digest != dataset.digest


@pytest.mark.parametrize("how", WAYS)
def test_what_was_drawn_is_told(how: Sample) -> None:
    taken = sample(made([0, 1] * 50), 10, how)
    assert (taken.drawn, taken.n_source) == ((f"{how} 10 of 100",), 100)


def test_every_draw_is_told_and_the_first_source_counted() -> None:
    taken = sample(train_sample(made([0, 1] * 50), 20), 5, "head")
    assert taken.drawn == ("random 20 of 100", "head 5 of 20")
    assert taken.n_source == 100


@given(st.integers(1, 200), st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_shuffling_gives_the_order_of_the_hubs_library(n: int, seed: int) -> None:
    published = datasets.Dataset.from_dict({"id": list(range(n))}).shuffle(seed=seed)
    assert ids(shuffled(made([0] * n), seed)) == list(published["id"])
