"""Contrasts of clusters and correlations of axes: their numbers, and the size of their tests."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lmc_track.analysis.association import associations, midranks
from lmc_track.analysis.effects import (
    axis_effects,
    cluster_axes,
    cluster_effects,
    contrast,
    residuals,
)

Floats = NDArray[np.float64]
FOUR_FOUR = np.repeat([0, 1], 4)
# Accuracies: fractions that are often equal.
accuracies = st.integers(0, 20).map(lambda k: k / 20)


@st.composite
def two_groups(draw: st.DrawFn) -> tuple[Floats, NDArray[np.bool_]]:
    n_in, n_out = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    values = draw(st.lists(accuracies, min_size=n_in + n_out, max_size=n_in + n_out))
    return np.array([values]), np.arange(n_in + n_out) < n_in


@settings(deadline=None, max_examples=60)
@given(two_groups())
def test_contrasts_are_those_of_scipy_and_scikit_learn(
    case: tuple[Floats, NDArray[np.bool_]],
) -> None:
    from scipy.stats import pointbiserialr
    from sklearn.metrics import roc_auc_score

    values, inside = case
    found = contrast(values, inside)
    assert found.auc[0] == pytest.approx(roc_auc_score(inside, values[0]))
    assert found.difference[0] == pytest.approx(
        values[0, inside].mean() - values[0, ~inside].mean()
    )
    if np.ptp(values) > 0:
        assert found.r[0] == pytest.approx(pointbiserialr(inside, values[0])[0])
    else:
        assert np.isnan(found.r[0])


@settings(deadline=None, max_examples=30)
@given(st.permutations(range(8)))
def test_p_of_ranks_is_the_exact_one_of_mann_and_whitney(order: list[int]) -> None:
    from scipy.stats import mannwhitneyu

    values = np.array([order], dtype=np.float64)
    found = associations(values, FOUR_FOUR[:, None].astype(float), labels=FOUR_FOUR)
    expected = mannwhitneyu(values[0, :4], values[0, 4:], method="exact").pvalue
    assert found.p_value[0, 0] == pytest.approx(expected)


def test_four_against_four_attain_the_smallest_p_and_no_smaller() -> None:
    values = np.array([[1.0, 2, 3, 4, 11, 12, 13, 14]])
    effect = cluster_effects(values, FOUR_FOUR, np.arange(8) % 3 / 3, draws=199)[1]
    assert effect.raw.auc[0] == 1
    assert effect.p_value[0] == effect.p_corrected[0] == effect.smallest_p[0] == 2 / 70
    # Residuals can be dealt in 8! orders; memberships still cannot say more.
    assert effect.adjusted_p_value[0] >= 2 / 70
    assert (effect.n_deals[0], effect.exact[0]) == (70, True)


def test_two_clusters_are_one_contrast_seen_from_both_sides() -> None:
    values = np.random.default_rng(0).random((3, 8))
    one, other = cluster_effects(values, FOUR_FOUR, values[0], draws=99)
    assert one.raw.difference.tolist() == pytest.approx((-other.raw.difference).tolist())
    assert one.raw.auc.tolist() == pytest.approx((1 - other.raw.auc).tolist())
    assert one.p_corrected.tolist() == other.p_corrected.tolist()


def test_more_clusters_are_each_compared_with_the_rest() -> None:
    labels = np.repeat([0, 1, 2], 3)
    values = np.array([[0.1, 0.2, 0.1, 0.1, 0.2, 0.15, 0.9, 0.8, 0.95]])
    effects = cluster_effects(values, labels, draws=199)
    assert [effect.raw.n_out[0] for effect in effects] == [6, 6, 6]
    assert effects[2].raw.auc[0] == 1
    # 1,680 assignments of three clusters; 20 of each 1,680 put the same three models in one.
    assert effects[2].p_value[0] == pytest.approx(1 / 84)
    assert np.isnan(effects[2].adjusted_p_value[0])


def test_among_several_clusters_one_model_is_compared_and_not_tested() -> None:
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 2])
    values = np.array([[0.1, 0.2, 0.15, 0.1, 0.9, 0.8, 0.85, 0.5]])
    effects = cluster_effects(values, labels, draws=99)
    assert [np.isnan(effect.p_value[0]) for effect in effects] == [False, False, True]
    assert effects[2].raw.auc[0] == pytest.approx(4 / 7)
    assert effects[1].p_value[0] == pytest.approx(effects[1].smallest_p[0]) == 1 / 56


def test_models_each_apart_are_not_tested() -> None:
    effects = cluster_effects(np.random.default_rng(0).random((2, 5)), np.arange(5), draws=99)
    assert np.isnan([effect.p_value for effect in effects]).all()


def test_equal_models_have_no_r_and_no_p() -> None:
    values = np.array([[0.5] * 8, [1.0, 2, 3, 4, 11, 12, 13, 14]])
    effect = cluster_effects(values, FOUR_FOUR, draws=99)[0]
    assert (effect.raw.difference[0], effect.raw.auc[0]) == (0, 0.5)
    assert np.isnan([effect.raw.r[0], effect.p_value[0], effect.p_corrected[0]]).all()
    assert effect.p_corrected[1] == 2 / 70


def test_one_cluster_or_no_model_has_no_contrast() -> None:
    assert cluster_effects(np.ones((2, 3)), np.zeros(3, dtype=np.int64)) == []
    assert cluster_effects(np.ones((2, 0)), np.zeros(0, dtype=np.int64)) == []


def test_a_cluster_without_a_value_is_not_compared() -> None:
    values = np.array([[0.1, 0.2, 0.3, 0.4, np.nan, np.nan, np.nan, np.nan]])
    effect = cluster_effects(values, FOUR_FOUR, draws=99)[0]
    assert (effect.raw.n_in[0], effect.raw.n_out[0]) == (4, 0)
    found = [effect.raw.difference[0], effect.raw.auc[0], effect.p_value[0], effect.smallest_p[0]]
    assert np.isnan(found).all()


def test_a_row_takes_the_models_that_have_a_value() -> None:
    """Its own numbers and p are those of a study of these models; the family still covers it."""
    values = np.random.default_rng(3).random((3, 8))
    values[1] = [0.1, np.nan, 0.2, 0.3, 0.9, 0.8, 0.7, 0.6]
    kept = np.isfinite(values[1])
    effect = cluster_effects(values, FOUR_FOUR, draws=499)[1]
    alone = cluster_effects(values[1:2, kept], FOUR_FOUR[kept], draws=499)[1]
    assert effect.raw.n_out.tolist() == [4, 3, 4]
    assert effect.p_value[1] == alone.p_value[0] == effect.smallest_p[1] == 1 / 35
    assert (effect.p_corrected >= effect.p_value).all()


def test_residuals_are_those_of_a_least_squares_line() -> None:
    random = np.random.default_rng(1)
    x, y = random.random(9), random.random((2, 9))
    y[1, 4] = np.nan
    found = residuals(y, x)
    for row, left in zip(y, found, strict=True):
        known = np.isfinite(row)
        line = np.polyfit(x[known], row[known], 1)
        assert left[known] == pytest.approx(row[known] - np.polyval(line, x[known]))
        assert np.isnan(left[~known]).all()


def test_what_lies_on_the_line_leaves_nothing() -> None:
    x = np.array([0.1, 0.7, 0.4, 0.9])
    assert np.isnan(residuals(np.array([0.3 * x + 0.1]), x)).all()
    assert np.isnan(residuals(np.array([[0.2, 0.9]]), np.array([0.1, 0.5]))).all()


def test_equal_validation_takes_nothing_away() -> None:
    values = np.array([[0.1, 0.4, 0.2, 0.3, 0.6, 0.7, 0.9, 0.8]])
    effect = cluster_effects(values, FOUR_FOUR, np.ones(8), draws=99)[1]
    assert effect.adjusted.r[0] == pytest.approx(effect.raw.r[0])
    assert effect.adjusted_p_value[0] == effect.p_value[0] == 2 / 70


def test_p_of_the_adjusted_r_is_that_of_the_regression_with_both() -> None:
    """Freedman and Lane by the book, with scikit-learn's regressions, in every order."""
    from itertools import permutations

    from sklearn.linear_model import LinearRegression

    random = np.random.default_rng(5)
    v, y = random.random((6, 1)), random.random(6)
    g = np.array([0, 0, 0, 1, 1, 1])
    both = np.column_stack([v, g])
    line = LinearRegression().fit(v, y).predict(v)

    def t(values: Floats) -> float:
        fit = LinearRegression().fit(both, values)
        return abs(float(fit.coef_[1])) / float(np.sum((values - fit.predict(both)) ** 2)) ** 0.5

    reached = [t(line + (y - line)[list(o)]) >= t(y) - 1e-9 for o in permutations(range(6))]
    found = associations(y[None], g[:, None].astype(float), labels=g, covariate=v[:, 0])
    assert found.p_value[0, 0] == pytest.approx(np.mean(reached))


def _partial_by_regressions(y: Floats, x: Floats, covariate: Floats) -> float:
    """The correlation of what least squares leave of ``y`` and of ``x`` on the covariate."""
    line = np.column_stack([np.ones_like(covariate), covariate])
    left = [v - line @ np.linalg.lstsq(line, v, rcond=None)[0] for v in (y, x)]
    return float(np.corrcoef(*left)[0, 1])


def test_adjusted_r_is_the_partial_correlation_of_value_and_membership() -> None:
    """By two regressions, and by the formula on three correlations (Fisher 1924)."""
    random = np.random.default_rng(17)
    labels = np.repeat([0, 1, 2], [5, 4, 3])
    validation = random.random(12) + 0.3 * labels
    values = random.random((2, 12)) + 0.5 * validation + 0.2 * (labels == 1)
    values[1, [2, 7]] = np.nan
    for cluster, effect in enumerate(cluster_effects(values, labels, validation, draws=99)):
        for i, row in enumerate(values):
            known = np.isfinite(row)
            y, v = row[known], validation[known]
            x = (labels[known] == cluster).astype(float)
            expected = _partial_by_regressions(y, x, v)
            assert effect.adjusted.r[i] == pytest.approx(expected, abs=1e-12)
            (_, xy, yv), (_, _, xv), _ = np.corrcoef([y, x, v])
            formula = (xy - yv * xv) / np.sqrt((1 - yv**2) * (1 - xv**2))
            assert expected == pytest.approx(formula, abs=1e-12)


def test_the_adjusted_correlation_of_an_axis_is_the_partial_one() -> None:
    random = np.random.default_rng(18)
    validation = random.random(9)
    axis = validation + random.random(9)
    values = random.random((1, 9)) + validation
    (effect,) = axis_effects(values, axis[:, None], validation, draws=99)
    expected = _partial_by_regressions(values[0], axis, validation)
    assert effect.adjusted_pearson[0] == pytest.approx(expected, abs=1e-12)


def test_the_adjusted_p_ranks_rows_as_their_adjusted_r_does() -> None:
    """Of rows of the same models, in every order: a larger |r| never has the larger p."""
    random = np.random.default_rng(19)
    labels = np.array([0, 0, 0, 1, 1, 1, 1])
    validation = random.random(7) + labels
    values = random.random((30, 7)) + validation
    effect = cluster_effects(values, labels, validation)[1]
    pairs = sorted(zip(np.abs(effect.adjusted.r), effect.adjusted_p_value, strict=True))
    far = [p for r, p in pairs if r > 0.8]
    near = [p for r, p in pairs if r < 0.3]
    assert far
    assert near
    assert max(far) < min(near)


def test_a_membership_that_validation_gives_away_has_no_adjusted_r() -> None:
    values = np.random.default_rng(20).random((1, 8))
    effect = cluster_effects(values, FOUR_FOUR, FOUR_FOUR.astype(float), draws=99)[1]
    assert np.isnan([effect.adjusted.r[0], effect.adjusted_p_value[0]]).all()


# Simulations: seeds are fixed; bounds are three standard errors above what is claimed.
_TRIALS = 300
_BOUND = 0.05 + 3 * (0.05 * 0.95 / _TRIALS) ** 0.5


def _correlated(random: np.random.Generator, rows: int, n: int) -> Floats:
    """Subsets of one set are alike: rows share half of their variance."""
    values: Floats = random.normal(size=(rows, n)) + random.normal(size=(1, n))
    return values


def test_the_family_errs_in_one_study_of_twenty() -> None:
    random = np.random.default_rng(11)
    labels = np.repeat([0, 1], [5, 4])
    members = labels[:, None].astype(float)
    wrong = by_itself = 0
    p_values = []
    for _ in range(_TRIALS):
        found = associations(_correlated(random, 8, 9), members, labels=labels)
        wrong += bool((found.p_corrected <= 0.05).any())
        by_itself += bool((found.p_value <= 0.05).any())
        p_values.append(found.p_value[0, 0])
    assert wrong / _TRIALS <= _BOUND
    assert by_itself / _TRIALS > 0.1
    for level in (0.1, 0.25, 0.5, 0.75):
        share = np.mean(np.array(p_values) <= level)
        assert abs(share - level) < 3 * (level * (1 - level) / _TRIALS) ** 0.5 + 1 / 126


def test_the_family_keeps_its_size_with_missing_models() -> None:
    random = np.random.default_rng(12)
    labels = np.arange(12) % 2
    members = labels[:, None].astype(float)
    wrong = 0
    for trial in range(_TRIALS):
        values = _correlated(random, 6, 12)
        values[:3, :2], values[3, 6] = np.nan, np.nan
        found = associations(values, members, labels=labels, draws=199, seed=trial)
        wrong += bool((found.p_corrected <= 0.05).any())
    assert wrong / _TRIALS <= _BOUND


def test_a_subset_that_differs_is_found_and_alone() -> None:
    random = np.random.default_rng(13)
    labels = np.arange(20) % 2
    found_it = others = 0
    for trial in range(60):
        values = _correlated(random, 8, 20)
        values[5] += 4 * labels
        found = associations(
            values, labels[:, None].astype(float), labels=labels, draws=199, seed=trial
        ).p_corrected[:, 0]
        found_it += found[5] <= 0.05
        others += bool((np.delete(found, 5) <= 0.05).any())
    assert found_it >= 50
    assert others <= 8


def test_what_validation_explains_is_not_found_once_adjusted() -> None:
    """The clusters differ on validation, and the diagnostic follows validation alone."""
    random = np.random.default_rng(14)
    labels = np.arange(20) % 2
    members = labels[:, None].astype(float)
    raw = adjusted = 0
    for trial in range(_TRIALS):
        validation = 2 * labels + random.normal(size=20)
        values = validation[None] + 0.5 * random.normal(size=(1, 20))
        given_nothing = associations(values, members, labels=labels, draws=199, seed=trial)
        given_validation = associations(
            values, members, labels=labels, covariate=validation, draws=199, seed=trial
        )
        raw += given_nothing.p_value[0, 0] <= 0.05
        adjusted += given_validation.p_value[0, 0] <= 0.05
    assert raw / _TRIALS > 0.8
    assert adjusted / _TRIALS <= _BOUND


def test_axis_correlations_are_scipys() -> None:
    from scipy.stats import pearsonr, spearmanr

    random = np.random.default_rng(2)
    axis = random.random((9, 1))
    values = np.round(random.random((3, 9)), 1)
    values[2, [1, 5]] = np.nan
    (effect,) = axis_effects(values, axis, random.random(9), draws=99)
    for i, row in enumerate(values):
        known = np.isfinite(row)
        assert effect.n_models[i] == known.sum()
        assert effect.pearson[i] == pytest.approx(pearsonr(row[known], axis[known, 0])[0])
        assert effect.spearman[i] == pytest.approx(spearmanr(row[known], axis[known, 0])[0])
        assert effect.p_corrected[i] >= effect.p_value[i] >= effect.smallest_p[i]


def test_few_models_have_every_order_tried() -> None:
    values = np.array([[1.0, 2, 3, 4, 9]])
    (effect,) = axis_effects(values, np.array([[1.0], [2], [3], [4], [6]]))
    assert (effect.n_deals[0], effect.exact[0]) == (120, True)
    assert effect.p_value[0] == effect.smallest_p[0] == 1 / 120
    # Turned round, the ranks are as far from chance.
    assert effect.spearman_p_value[0] == 2 / 120


def test_of_two_clusters_the_axis_is_the_difference_of_the_distances() -> None:
    distances = np.array([[0.1, 1.0], [0.9, 0.2]])
    assert cluster_axes(distances) == pytest.approx(np.array([[-0.9], [0.7]]))


def test_of_more_clusters_each_has_an_axis_from_the_nearest_other() -> None:
    distances = np.array([[0.1, 1.0, 0.5]])
    assert cluster_axes(distances) == pytest.approx(np.array([[0.4, -0.9, -0.4]]))


def test_equal_values_share_their_ranks() -> None:
    ranks = midranks(np.array([[3.0, 1, 3, np.nan, 2]]))
    assert ranks[0, [0, 1, 2, 4]].tolist() == [3.5, 1, 3.5, 2]
    assert np.isnan(ranks[0, 3])
