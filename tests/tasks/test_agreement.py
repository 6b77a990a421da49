from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmc_track.errors import InputError
from lmc_track.study.task_sections import AgreementTask
from lmc_track.tasks.agreement import Agreement
from lmc_track.tasks.agreement_language import (
    INTRANSITIVE,
    NOUNS,
    TRANSITIVE,
    pretraining_sentences,
    sentence,
    vocabulary,
)

SENTENCES = 27_648
PLURAL_NOUNS = {noun + "s" for noun in NOUNS}
PLURAL_VERBS = {*TRANSITIVE, *INTRANSITIVE}
indices = st.integers(0, SENTENCES - 1)


@pytest.fixture(scope="module")
def task() -> Agreement:
    return Agreement(AgreementTask(name="agreement"))


def agreements(text: str) -> tuple[bool, bool]:
    """Whether N1 agrees with I1, and N2 with V2, read off the words of ``text``."""
    the, n1, who, the_again, n2, v2, i1 = text.split()
    assert (the, who, the_again) == ("the", "who", "the")
    return (n1 in PLURAL_NOUNS) == (i1 in PLURAL_VERBS), (n2 in PLURAL_NOUNS) == (
        v2 in PLURAL_VERBS
    )


def shown(task: Agreement, name: str) -> list[tuple[str, int]]:
    dataset = task.train() if name == "train" else task.evaluation(name)
    return dataset.frame.select("sentence", "label").rows()


@given(indices, st.booleans(), st.booleans())
def test_a_sentence_has_the_agreements_it_is_asked_for(index: int, main: bool, inner: bool) -> None:
    text, _ = sentence(index, main_agrees=main, embedded_agrees=inner)
    assert agreements(text) == (main, inner)


@given(indices, st.booleans(), st.booleans())
def test_a_sentence_is_made_of_the_vocabulary(index: int, main: bool, inner: bool) -> None:
    text, _ = sentence(index, main_agrees=main, embedded_agrees=inner)
    assert set(text.split()) <= set(vocabulary())


@given(indices)
def test_subsets_tell_the_numbers_of_the_nouns(index: int) -> None:
    text, subsets = sentence(index, main_agrees=True, embedded_agrees=True)
    numbers = ["plural" if text.split()[k] in PLURAL_NOUNS else "singular" for k in (1, 4)]
    assert subsets == [f"n1-{numbers[0]}", f"n2-{numbers[1]}"]


def test_every_index_is_another_sentence() -> None:
    texts = {sentence(k, main_agrees=True, embedded_agrees=False)[0] for k in range(SENTENCES)}
    assert len(texts) == SENTENCES


def test_every_word_is_in_the_vocabulary_once() -> None:
    assert len(set(vocabulary())) == len(vocabulary()) == 2 + 2 * (12 + 8 + 6)


@pytest.mark.parametrize("name", ["train", "validation", "train_sample"])
def test_either_cue_tells_the_label_in_training_and_validation(task: Agreement, name: str) -> None:
    for text, label in shown(task, name):
        assert agreements(text) == (bool(label), bool(label))


@pytest.mark.parametrize("name", ["train", "validation"])
def test_half_of_the_sentences_are_acceptable(task: Agreement, name: str) -> None:
    labels = [label for _, label in shown(task, name)]
    assert sum(labels) * 2 == len(labels)


def test_main_only_violates_the_long_distance_agreement_alone(task: Agreement) -> None:
    assert {(agreements(text), label) for text, label in shown(task, "main_only")} == {
        ((False, True), 0)
    }


def test_embedded_only_violates_the_adjacent_agreement_alone(task: Agreement) -> None:
    assert {(agreements(text), label) for text, label in shown(task, "embedded_only")} == {
        ((True, False), 0)
    }


def test_no_sentence_is_in_two_sets_but_the_train_sample(task: Agreement) -> None:
    names = ["train", "validation", "main_only", "embedded_only"]
    texts = [text for name in names for text, _ in shown(task, name)]
    assert len(set(texts)) == len(texts)


def test_the_sets_stay_apart_when_together_they_take_the_whole_language() -> None:
    most = 2 * SENTENCES - 2
    section = AgreementTask(
        name="agreement", train_examples=most - 20_001, validation_examples=20_001
    )
    task = Agreement(section)
    texts = [text for name in ("train", "validation") for text, _ in shown(task, name)]
    assert len(set(texts)) == most


@pytest.mark.parametrize(
    "sizes", [{"train_examples": 60_000}, {"diagnostic_examples": SENTENCES + 1}]
)
def test_more_sentences_than_the_language_has_are_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(InputError, match=f"task.{next(iter(sizes))}"):
        Agreement(AgreementTask(name="agreement", **sizes))


def test_the_data_are_the_same_for_every_object(task: Agreement) -> None:
    again = Agreement(AgreementTask(name="agreement", base_seed=7, violation_rate=0))
    assert [again.evaluation(n).digest for n in again.evaluation_sets] == [
        task.evaluation(n).digest for n in task.evaluation_sets
    ]


def test_a_larger_set_only_adds_sentences(task: Agreement) -> None:
    larger = Agreement(AgreementTask(name="agreement", train_examples=2500))
    assert shown(larger, "train")[:2000] == shown(task, "train")


def test_the_train_sample_keeps_the_ids_of_the_training_set(task: Agreement) -> None:
    train = dict(task.train().frame.select("example_id", "sentence").iter_rows())
    taken = task.evaluation("train_sample").frame
    assert len(taken) == 1000
    for example_id, text in taken.select("example_id", "sentence").iter_rows():
        assert train[example_id] == text


def test_an_unknown_set_is_a_key_error(task: Agreement) -> None:
    with pytest.raises(KeyError):
        task.evaluation("train")


def test_pretraining_without_violations_has_none() -> None:
    assert {agreements(text) for text in pretraining_sentences(0.0, 500, 100)} == {(True, True)}


def test_pretraining_violates_each_agreement_by_itself() -> None:
    found = [agreements(text) for text in pretraining_sentences(0.25, 4000, 100)]
    shares = {kind: found.count(kind) / len(found) for kind in set(found)}
    expected = {
        (True, True): 0.5625, (True, False): 0.1875, (False, True): 0.1875, (False, False): 0.0625
    }  # fmt: skip
    assert shares == pytest.approx(expected, abs=0.03)


def test_pretraining_depends_on_its_seed() -> None:
    first, again, other = (pretraining_sentences(0.1, 50, seed) for seed in (100, 100, 101))
    assert first == again
    assert first != other
