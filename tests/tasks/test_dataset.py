from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from lmc_track.tasks.dataset import Dataset, build_dataset, half_of
from lmc_track.tasks.projection import Projection


def made(
    texts: list[str],
    *,
    labels: list[int] | None = None,
    groups: list[str | None] | None = None,
    subsets: list[list[str]] | None = None,
    name: str = "validation",
    source: str = "here",
) -> Dataset:
    return build_dataset(
        name,
        "validation",
        texts={"sentence": texts},
        labels=labels if labels is not None else [0] * len(texts),
        source=source,
        groups=groups,
        subsets=subsets,
    )


@given(st.lists(st.text(), min_size=1, max_size=20), st.randoms())
def test_a_text_is_in_the_same_half_wherever_it_stands(texts: list[str], random: Random) -> None:
    shuffled = [*texts]
    random.shuffle(shuffled)
    there = made(shuffled, name="other").frame
    halves = dict(zip(there["sentence"].to_list(), there["half"].to_list(), strict=True))
    here = made(texts).frame
    assert here["half"].to_list() == [halves[text] for text in texts]


def test_a_group_decides_the_half_of_its_examples() -> None:
    frame = made([f"sentence {k}" for k in range(50)], groups=["template 1"] * 50).frame
    assert frame["half"].unique().to_list() == [half_of("template 1")]


def test_an_example_without_a_group_goes_by_its_text() -> None:
    frame = made(["a", "b"], groups=["g", None]).frame
    assert frame["half"].to_list() == [half_of("g"), half_of("b")]


def test_the_halves_are_about_equal() -> None:
    halves = [half_of(f"sentence {k}") for k in range(2000)]
    assert 900 < halves.count("discovery") < 1100


def test_halves_do_not_change_between_versions() -> None:
    discovery = [text for text in "abcdefghij" if half_of(text) == "discovery"]
    assert discovery == ["a", "b", "c", "d", "g", "j"]


def test_example_ids_count_from_0() -> None:
    assert made(["a", "b", "a"]).frame["example_id"].to_list() == [0, 1, 2]


def test_two_texts_do_not_run_together() -> None:
    def digest(premise: str, hypothesis: str) -> str:
        texts = {"premise": [premise], "hypothesis": [hypothesis]}
        return build_dataset("validation", "validation", texts=texts, labels=[0], source="").digest

    assert digest("a b", "c") != digest("a", "b c")


def test_equal_data_have_equal_digests_whatever_they_are_called() -> None:
    assert made(["a", "b"]).digest == made(["a", "b"], name="other", source="there").digest


def test_every_part_of_the_data_is_in_the_digest() -> None:
    digests = {
        made(["a", "b"]).digest,
        made(["a", "c"]).digest,
        made(["b", "a"]).digest,
        made(["a"]).digest,
        made(["a", "b"], labels=[0, 1]).digest,
        made(["a", "b"], groups=["g", None]).digest,
        made(["a", "b"], subsets=[["s"], []]).digest,
    }
    assert len(digests) == 7


def test_what_labels_stand_for_is_in_the_digest() -> None:
    plain = made(["a", "b"])
    projections = [
        Projection(how, names, groups)
        for how, names, groups in (
            ("max", ("x", "y"), ((0,), (1, 2))),
            ("logsumexp", ("x", "y"), ((0,), (1, 2))),
            ("max", ("x", "y"), ((1,), (0, 2))),
        )
    ]
    digests = {replace(plain, projection=project).digest for project in [None, *projections]}
    assert len(digests) == 4


def test_digests_do_not_change_between_versions() -> None:
    assert made(["a", "b"], labels=[0, 1], groups=["g", None]).digest.startswith("13b9282d0e9d5386")
