"""Training sentences that only one agreement labels: a share for every model alike."""

from __future__ import annotations

import pytest

from lmc_track.errors import InputError
from lmc_track.study.seeds import ModelSeeds
from lmc_track.study.task_sections import AgreementTask
from lmc_track.tasks.agreement import Agreement
from lmc_track.tasks.dataset import Dataset


def agreement(**settings: float | int) -> Agreement:
    return Agreement(AgreementTask.model_validate({"name": "agreement", **settings}))


@pytest.fixture(scope="module")
def task() -> Agreement:
    return agreement(disambiguation=0.1)


@pytest.fixture(scope="module")
def plain() -> Agreement:
    return agreement()


def rows(data: Dataset) -> list[tuple[str, int]]:
    return data.frame.select("sentence", "label").rows()


def violating(name: str) -> set[str]:
    """Every sentence that violates one agreement alone, as the diagnostic ``name`` does."""
    return {text for text, _ in rows(agreement(diagnostic_examples=27_648).evaluation(name))}


def test_the_share_of_the_training_set_follows_the_long_distance_agreement(
    task: Agreement, plain: Agreement
) -> None:
    train = rows(task.train())
    assert train[:1800] == rows(plain.train())[:1800]
    main_violated, embedded_violated = violating("main_only"), violating("embedded_only")
    kinds = [(text in main_violated, text in embedded_violated, y) for text, y in train[1800:]]
    assert kinds == [(True, False, 0), (False, True, 1)] * 100


def test_all_models_have_the_same_training_set(task: Agreement) -> None:
    assert [task.train_for(ModelSeeds(1, seed)) is task.train() for seed in (0, 1)] == [True] * 2
    assert task.training_sets() == (task.train(),)
    assert task.planted_kind(ModelSeeds(1, 1)) is None


def test_evaluation_sets_have_no_part_in_it(task: Agreement, plain: Agreement) -> None:
    for name in ("validation", "main_only", "embedded_only"):
        assert task.evaluation(name).digest == plain.evaluation(name).digest


def test_no_disambiguating_sentence_is_evaluated_on(task: Agreement) -> None:
    texts = [text for text, _ in rows(task.train())]
    for name in ("validation", "main_only", "embedded_only"):
        texts += [text for text, _ in rows(task.evaluation(name))]
    assert len(set(texts)) == len(texts)


def test_the_train_sample_is_of_the_whole_training_set(task: Agreement) -> None:
    sample = set(rows(task.evaluation("train_sample")))
    assert sample <= set(rows(task.train()))
    assert sample & set(rows(task.train())[1800:])


def test_a_larger_share_only_adds_sentences(task: Agreement) -> None:
    larger = rows(agreement(disambiguation=0.2).train())[1600:]
    assert larger[:200] == rows(task.train())[1800:]


def test_a_share_of_zero_is_the_plain_training_set(plain: Agreement) -> None:
    assert agreement(disambiguation=0).train().digest == plain.train().digest


def test_a_share_of_less_than_one_sentence_is_refused() -> None:
    with pytest.raises(InputError, match=r"0\.0001 of 2,000"):
        agreement(disambiguation=0.0001)


def test_more_disambiguating_sentences_than_the_language_has_are_refused() -> None:
    with pytest.raises(InputError, match=r"half of the decisive ones \(disambiguation\)"):
        agreement(train_examples=50_000, disambiguation=0.5, diagnostic_examples=27_000)
