"""Which models failed: loss that is not finite or exploded, and answers at chance."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from lmc_track.analysis.failed import EXPLODED, chance_p, expected_accuracy, failure

Labels = NDArray[np.int64]


def labels(*counts: int) -> Labels:
    """So many of label 0, 1, …"""
    return np.repeat(np.arange(len(counts)), counts)


def answers(true: Labels, right: int) -> Labels:
    """Answers to labels of two kinds of which so many are right, as equally as can be by label."""
    said = 1 - true
    order = np.argsort(np.arange(len(true)) % (len(true) // 2), kind="stable")
    said[order[:right]] = true[order[:right]]
    return said


def test_a_model_that_says_one_thing_to_everything_is_at_chance() -> None:
    true = labels(50, 50)
    assert failure(true, np.zeros(100, np.int64), 0.69, 2) == "accuracy 0.50, which is chance"


def test_saying_the_majority_label_is_chance_on_an_uneven_set() -> None:
    true = labels(30, 70)
    assert failure(true, np.ones(100, np.int64), 0.61, 2) == "accuracy 0.70, which is chance"


@pytest.mark.parametrize(("n", "right"), [(400, 228), (1_000, 540), (10_000, 5_150)])
def test_a_hard_task_slightly_above_chance_is_no_failure(n: int, right: int) -> None:
    true = labels(n // 2, n // 2)
    assert failure(true, answers(true, right), 0.69, 2) is None


def test_less_right_than_the_majority_answer_is_no_failure_where_classes_are_told_apart() -> None:
    true = labels(300, 700)
    said = true.copy()
    said[:100] = 1
    said[300:520] = 0  # accuracy .68, the majority answer has .70
    assert np.mean(said == true) < 0.7
    assert failure(true, said, 0.6, 2) is None


@pytest.mark.parametrize("n_labels", [2, 3, 7])
def test_guesses_are_at_chance_about_as_often_as_the_level_says(n_labels: int) -> None:
    random = np.random.default_rng(0)
    shares = random.dirichlet(np.full(n_labels, 5.0))
    true = random.choice(n_labels, 600, p=shares)
    found = [
        failure(true, random.choice(n_labels, 600, p=shares), 1.0, n_labels) for _ in range(400)
    ]
    assert 0.91 < np.mean([one is not None for one in found]) < 0.98


@pytest.mark.parametrize("n_labels", [2, 3, 4])
def test_mean_and_p_are_those_of_random_deals(n_labels: int) -> None:
    random = np.random.default_rng(n_labels)
    true, said = random.integers(0, n_labels, 200), random.integers(0, n_labels, 200)
    deals = [np.sum(true == random.permutation(said)) for _ in range(4_000)]
    assert np.mean(deals) / 200 == pytest.approx(expected_accuracy(true, said), abs=0.003)
    above = np.mean(np.array(deals) >= np.sum(true == said))
    assert chance_p(true, said) == pytest.approx(above, abs=0.03)


def test_so_few_examples_that_nothing_could_be_shown_fail_nobody() -> None:
    true = labels(2, 2)
    assert failure(true, true, 0.1, 2) is None
    assert failure(true, 1 - true, 0.1, 2) is None


def test_examples_of_one_label_say_nothing_of_chance() -> None:
    assert failure(labels(0, 50), labels(0, 50), 0.1, 2) is None


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_is_a_failure_whatever_the_answers(loss: float) -> None:
    true = labels(50, 50)
    assert failure(true, true, loss, 2) == "its validation loss is not finite"
    assert failure(true, true, 0.1, 2, training_loss=loss) == "its training loss is not finite"


def test_a_loss_many_times_that_of_guessing_has_exploded() -> None:
    true = labels(50, 50)
    limit = EXPLODED * math.log(2)
    assert failure(true, true, limit * 0.99, 2) is None
    assert failure(true, true, limit * 1.01, 2, None) == (
        "its validation loss exploded to 7 nats (0.69 is the loss of guessing)"
    )
    assert "training loss exploded" in str(failure(true, true, 0.1, 2, limit * 2))
