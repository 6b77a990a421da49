from __future__ import annotations

import warnings

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    matthews_corrcoef,
    roc_auc_score,
)

from lmc_track.geometry.metrics import (
    accuracy,
    auc,
    balanced_accuracy,
    calibration_error,
    f1,
    matthews_correlation,
    score,
)

labels = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=40)


@given(labels)
def test_metrics_are_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    true, said = (np.array(column) for column in zip(*pairs, strict=True))
    assert accuracy(true, said) == accuracy_score(true, said)
    assert np.isclose(f1(true, said), f1_score(true, said, zero_division=0.0))
    assert np.isclose(matthews_correlation(true, said), matthews_corrcoef(true, said))


def test_matthews_correlation_takes_more_than_two_classes() -> None:
    true = np.array([0, 1, 2, 2, 1, 0])
    said = np.array([0, 2, 2, 2, 1, 1])
    assert np.isclose(matthews_correlation(true, said), matthews_corrcoef(true, said))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=40))
def test_balanced_accuracy_is_the_mean_recall_of_the_labels_that_occur(
    pairs: list[tuple[int, int]],
) -> None:
    true, said = (np.array(column) for column in zip(*pairs, strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns of labels that only predictions have
        expected = balanced_accuracy_score(true, said)
    assert np.isclose(balanced_accuracy(true, said), expected)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(-3, 3)), min_size=1, max_size=40))
def test_auc_counts_ties_half_and_is_none_of_one_label(pairs: list[tuple[int, int]]) -> None:
    true, scores = (np.array(column) for column in zip(*pairs, strict=True))
    if len(set(true)) < 2:
        assert auc(true, scores.astype(float)) is None
    else:
        assert np.isclose(auc(true, scores.astype(float)) or 0.0, roc_auc_score(true, scores))


def test_auc_is_none_where_a_score_is_no_number() -> None:
    assert auc(np.array([0, 1]), np.array([0.0, np.nan])) is None


def test_a_shift_of_the_label_bias_changes_accuracy_and_not_auc() -> None:
    labels = np.array([0, 0, 1, 1])
    logits = np.array([[2.0, 0.0], [1.5, 0.0], [1.0, 0.0], [0.5, 0.0]])
    shifted = logits + np.array([0.0, 1.25])
    assert accuracy(labels, logits.argmax(1)) == 0.5
    assert accuracy(labels, shifted.argmax(1)) == 1.0
    assert auc(labels, score(logits)) == auc(labels, score(shifted)) == 1.0


def test_calibration_error_is_the_mean_distance_over_bins_of_confidence() -> None:
    sure, unsure = np.log(9.0), np.log(1.5)  # probabilities .9 and .6
    labels = np.zeros(10, dtype=np.int64)
    logits = np.array([[sure, 0]] * 3 + [[0, sure]] + [[unsure, 0]] * 3 + [[0, unsure]] * 3)
    expected = 0.4 * abs(3 / 4 - 0.9) + 0.6 * abs(1 / 2 - 0.6)
    assert np.isclose(calibration_error(labels, logits) or 0.0, expected)


def test_a_sure_and_right_model_has_no_calibration_error() -> None:
    assert calibration_error(np.array([0, 1]), np.array([[800.0, 0.0], [0.0, 800.0]])) == 0.0


def test_calibration_error_is_none_where_a_logit_is_no_number() -> None:
    assert calibration_error(np.array([0]), np.array([[0.0, np.nan]])) is None
