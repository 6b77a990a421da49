from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lmc_track.analysis.label_order import (
    fit_order,
    in_order,
    names_labels,
    order_by_names,
)

GLUE = ("entailment", "neutral", "contradiction")


def test_the_order_comes_from_names_whatever_their_case_and_signs() -> None:
    assert order_by_names(("CONTRADICTION", "entailment", " Neutral"), GLUE) == (1, 2, 0)
    assert order_by_names(("Not-Duplicate", "duplicate"), ("not_duplicate", "duplicate")) == (0, 1)


@pytest.mark.parametrize(
    "names", [("a", "b", "c"), ("neutral", "neutral", "entailment"), ("entailment", "neutral")]
)
def test_names_that_are_not_the_labels_give_no_order(names: tuple[str, ...]) -> None:
    assert order_by_names(names, GLUE) is None


def test_numbered_labels_name_nothing() -> None:
    assert not names_labels(("LABEL_0", "LABEL_1"))
    assert not names_labels(("0", "1"))
    assert names_labels(GLUE)


@given(st.permutations(range(4)))
def test_labels_in_an_outputs_order_give_that_order_back(order: list[int]) -> None:
    labels = ("a", "b", "c", "d")
    assert order_by_names(in_order(labels, order), labels) == tuple(order)


@given(st.data())
def test_the_best_order_is_the_best_of_all(data: st.DataObject) -> None:
    size = data.draw(st.integers(3, 30))
    index = st.lists(st.integers(0, 2), min_size=size, max_size=size)
    labels, outputs = np.array(data.draw(index)), np.array(data.draw(index))
    found = fit_order(labels, outputs, 3, (0, 1, 2))
    every = [
        fit_order(labels, outputs, 3, order).balanced_accuracy
        for order in itertools.permutations(range(3))
    ]
    assert found.best_balanced_accuracy == pytest.approx(max(a for a in every if a is not None))


@given(st.permutations(range(3)), st.permutations(range(3)))
def test_another_order_is_refuted_by_a_good_classifier(true: list[int], told: list[int]) -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 40)
    outputs = np.where(rng.random(120) < 0.9, np.array(true)[labels], rng.integers(0, 3, 120))
    fit = fit_order(labels, outputs, 3, told)
    assert fit.best == tuple(true)
    assert fit.refuted == (true != told)


def test_a_guessing_classifier_refutes_no_order() -> None:
    rng = np.random.default_rng(1)
    labels, outputs = rng.integers(0, 3, 300), rng.integers(0, 3, 300)
    refuted = [
        fit_order(labels, outputs, 3, order).refuted for order in itertools.permutations(range(3))
    ]
    assert not any(refuted)


def test_a_handful_of_examples_refutes_no_order() -> None:
    assert not fit_order(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]), 2, (0, 1)).refuted


def test_a_label_that_the_sample_lacks_does_not_count() -> None:
    labels = np.repeat([0, 2], 30)
    fit = fit_order(labels, labels, 3, (0, 1, 2))
    assert fit.balanced_accuracy == 1.0
    assert not fit.refuted
