"""The measures of many models at once are those that the catalogue lists, within its bounds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp

from lmc_track.geometry.metrics import calibration_error
from lmc_track.geometry.part_metrics import Cells, part_metrics
from lmc_track.geometry.temperature import FEWEST_EXAMPLES
from lmc_track.metrics import METRICS


def measured(k: int, n: int = 50, *, fitted_on: int | None = 1) -> dict[str, np.ndarray]:
    """Of three models on all examples, on the first half of them, and on a few."""
    random = np.random.default_rng(k)
    labels = random.integers(0, k, n)
    logits = random.normal(0, 2, (3, n, k)).astype(np.float32)
    losses = logsumexp(logits, axis=2) - logits[:, np.arange(n), labels]
    members = np.array([np.ones(n, bool), np.arange(n) < n // 2, np.arange(n) % 7 == 0])
    cells = Cells.of(labels, members)
    order = cells.order
    return part_metrics(cells, logits[:, order], losses[:, order], fitted_on)


def test_two_labels_have_every_metric_of_the_catalogue() -> None:
    assert measured(2).keys() == METRICS.keys()


def test_three_labels_have_all_but_those_of_label_one_of_two() -> None:
    assert METRICS.keys() - measured(3).keys() == {"auc", "f1"}


@pytest.mark.parametrize("k", [2, 3])
def test_values_are_within_the_bounds_of_the_catalogue(k: int) -> None:
    for name, values in measured(k).items():
        assert values.shape == (3, 3)
        assert METRICS[name].low <= values.min() <= values.max() <= METRICS[name].high, name


def test_too_few_examples_to_fit_on_leave_the_calibrated_loss_out() -> None:
    assert "calibrated_loss" in measured(2, 2 * FEWEST_EXAMPLES)
    assert "calibrated_loss" not in measured(2, 2 * FEWEST_EXAMPLES - 1)
    assert "calibrated_loss" not in measured(2, fitted_on=None)


def test_a_logit_that_is_no_number_leaves_undefined_what_needs_it() -> None:
    labels = np.arange(40) % 2
    logits = np.random.default_rng(0).normal(0, 1, (2, 40, 2))
    logits[0, 3, 1] = np.nan
    members = np.array([np.ones(40, bool), np.arange(40) >= 20])
    cells = Cells.of(labels, members)
    found = part_metrics(cells, logits[:, cells.order], np.ones((2, 40)), 0)
    assert np.isnan(found["calibrated_loss"]).tolist() == [[True, True], [False, False]]
    assert np.isnan(found["calibration_error"]).tolist() == [[True, False], [False, False]]
    expected = calibration_error(labels[20:], logits[0, 20:])
    assert found["calibration_error"][0, 1] == pytest.approx(expected)
