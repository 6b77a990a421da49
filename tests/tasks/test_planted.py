"""Kinds of model that the agreement task plants: same sentences, labels by one cue or the other."""

from __future__ import annotations

import pytest

from lmc_track.errors import InputError
from lmc_track.study.seeds import ModelSeeds
from lmc_track.study.task_sections import AgreementTask
from lmc_track.tasks.agreement import Agreement
from lmc_track.tasks.dataset import Dataset

EVEN, ODD = ModelSeeds(3, 0), ModelSeeds(2, 7)


@pytest.fixture(scope="module")
def planted() -> Agreement:
    return Agreement(AgreementTask(name="agreement", planted_share=0.25))


@pytest.fixture(scope="module")
def plain() -> Agreement:
    return Agreement(AgreementTask(name="agreement"))


def rows(data: Dataset) -> list[tuple[str, int]]:
    return data.frame.select("sentence", "label").rows()


def test_the_data_seed_decides_the_kind(planted: Agreement, plain: Agreement) -> None:
    assert (planted.planted_kind(EVEN), planted.planted_kind(ODD)) == ("main", "embedded")
    assert planted.train_for(EVEN) is planted.train_for(ModelSeeds(1, 2))
    assert plain.planted_kind(EVEN) is None


def test_both_kinds_see_the_same_sentences_with_other_labels(planted: Agreement) -> None:
    main, embedded = (rows(planted.train_for(seeds)) for seeds in (EVEN, ODD))
    assert [text for text, _ in main] == [text for text, _ in embedded]
    differing = [a != b for (_, a), (_, b) in zip(main, embedded, strict=True)]
    assert differing == [False] * 1500 + [True] * 500
    assert planted.train_for(EVEN).digest != planted.train_for(ODD).digest


def test_planted_sentences_violate_what_a_diagnostic_violates(
    planted: Agreement, plain: Agreement
) -> None:
    """The label is that of the decisive cue: what violates the main one alone is unacceptable."""
    taken = {
        name: {text for text, _ in rows(whole.evaluation(name))}
        for name in ("main_only", "embedded_only")
        for whole in [Agreement(AgreementTask(name="agreement", diagnostic_examples=27_000))]
    }
    for text, label in rows(planted.train_for(EVEN))[1500:]:
        assert (text in taken["main_only"]) <= (label == 0)
        assert (text in taken["embedded_only"]) <= (label == 1)


def test_the_training_sets_do_not_depend_on_a_studys_seeds(
    planted: Agreement, plain: Agreement
) -> None:
    """A study may begin with seeds of one kind and gain the other."""
    main, embedded = planted.training_sets()
    assert main is planted.train_for(EVEN)
    assert embedded is planted.train_for(ODD)
    assert [data is plain.train() for data in plain.training_sets()] == [True]


def test_half_of_the_sentences_stay_acceptable(planted: Agreement) -> None:
    for seeds in (EVEN, ODD):
        assert sum(label for _, label in rows(planted.train_for(seeds))) == 1000


def test_no_planted_sentence_is_evaluated_on(planted: Agreement) -> None:
    texts = [text for text, _ in rows(planted.train_for(EVEN))]
    for name in ("validation", "main_only", "embedded_only"):
        texts += [text for text, _ in rows(planted.evaluation(name))]
    assert len(set(texts)) == len(texts)


def test_the_train_sample_is_of_what_both_kinds_learn(planted: Agreement) -> None:
    shared = set(rows(planted.train_for(EVEN))) & set(rows(planted.train_for(ODD)))
    assert set(rows(planted.evaluation("train_sample"))) <= shared


def test_evaluation_sets_are_those_of_the_plain_task(planted: Agreement, plain: Agreement) -> None:
    for name in ("validation", "main_only", "embedded_only"):
        assert planted.evaluation(name).digest == plain.evaluation(name).digest


def test_the_plain_tasks_data_are_what_they_were(plain: Agreement) -> None:
    """Keys and digests of recorded studies rest on these."""
    digests = [data.digest[:16] for data in (
        plain.train_for(EVEN), plain.train(), plain.evaluation("validation"),
        plain.evaluation("main_only"), plain.evaluation("embedded_only"),
    )]  # fmt: skip
    assert digests == [
        "ec5767f04dbf72b5", "ec5767f04dbf72b5", "5e32bab58f758b61", "950bc3a62d2cb93f",
        "94015b7af067eae5",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def levels() -> Agreement:
    section = AgreementTask(name="agreement", planted_share=0.25, planted_levels=5)
    return Agreement(section)


def by_main(planted: Agreement, data: Dataset) -> int:
    """How many planted sentences have the label that the main cue gives them."""
    main = rows(planted.train_for(EVEN))[1500:]
    return sum(a == b for a, b in zip(main, rows(data)[1500:], strict=True))


def test_levels_pass_the_labels_from_one_cue_to_the_other(
    planted: Agreement, levels: Agreement
) -> None:
    shares = [by_main(planted, levels.train_for(ModelSeeds(0, seed))) for seed in range(10)]
    assert shares == [500, 376, 250, 124, 0] * 2


def test_the_first_and_the_last_level_are_the_two_kinds(
    planted: Agreement, levels: Agreement
) -> None:
    ends = [levels.train_for(ModelSeeds(0, level)).digest for level in (0, 4)]
    assert ends == [data.digest for data in planted.training_sets()]


def test_levels_differ_in_labels_alone(levels: Agreement) -> None:
    texts = [[text for text, _ in rows(data)] for data in levels.training_sets()]
    assert texts == [texts[0]] * 5
    assert {sum(label for _, label in rows(data)) for data in levels.training_sets()} == {1000}


def test_levels_are_not_kinds(levels: Agreement) -> None:
    assert levels.planted_kind(EVEN) is None


def test_more_levels_than_pairs_of_planted_sentences_are_refused() -> None:
    section = AgreementTask(
        name="agreement", train_examples=100, planted_share=0.1, planted_levels=7
    )
    with pytest.raises(InputError, match=r"task.planted_levels: 5 pairs .* at most 6 levels"):
        Agreement(section)


def test_a_planted_share_of_no_sentence_is_refused() -> None:
    section = AgreementTask(name="agreement", train_examples=20, planted_share=0.01)
    with pytest.raises(InputError, match=r"task\.planted_share: 0\.01 of 20 sentences is less"):
        Agreement(section)


def test_more_planted_sentences_than_the_language_has_are_refused() -> None:
    with pytest.raises(
        InputError,
        match=r"task.diagnostic_examples and half of the decisive ones \(planted_share\)",
    ):
        Agreement(
            AgreementTask(
                name="agreement",
                train_examples=50_000,
                diagnostic_examples=27_000,
                planted_share=0.5,
            )
        )
