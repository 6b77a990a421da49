from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

from lmc_track.geometry.metrics import accuracy, f1, matthews_correlation

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
