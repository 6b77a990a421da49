from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from lmc_track.analysis.clustering import number_clusters, spectral
from lmc_track.analysis.rule import LEAST_HEADROOM
from support.planted_gaps import HEADROOM, noise, planted

STATISTICS = {
    "n_clusters", "delta", "silhouette", "p_value", "permutations", "mean_gap_within",
    "mean_gap_between", "relative_gap_between", "decision", "k", "choices", "eigengap_k",
    "eigengap_agrees", "p_noise", "noise_difference", "resamples", "stability_examples",
    "stability_examples_low", "stability_models", "stability_models_low",
}  # fmt: skip


def cluster(discovery, held_out, **options):
    options = {"chance_headroom": HEADROOM, "permutations": 199, "resamples": 99, **options}
    return spectral(discovery, held_out, **options)


def test_numbers_fall_with_size():
    assert number_clusters(np.array([4, 7, 7, 4, 7, 2])).tolist() == [1, 0, 0, 1, 0, 2]


def test_clusters_of_one_size_are_numbered_in_study_order():
    assert number_clusters(np.array([9, 1, 5, 1, 9, 5])).tolist() == [0, 1, 2, 1, 0, 2]


@given(st.lists(st.integers(-3, 6), min_size=1, max_size=20))
def test_numbering_keeps_the_clusters_and_orders_them(values):
    numbered = number_clusters(np.array(values))
    assert adjusted_rand_score(values, numbered) == 1
    sizes = np.bincount(numbered)
    assert sizes.min() > 0
    assert (np.diff(sizes) <= 0).all()
    assert np.array_equal(number_clusters(numbered), numbered)


@pytest.mark.parametrize(
    ("sizes", "within", "between"),
    [([9, 3], 0.09, 0.83), ([7, 5], 0.11, 0.66), ([12, 2], 0.17, 0.79), ([6, 5, 5], 0.15, 0.7)],
)
def test_planted_clusters_are_found_and_counted(sizes, within, between):
    discovery, held_out, labels = planted(sizes, within=within, between=between)
    found = cluster(discovery, held_out)
    assert found.n_clusters == len(sizes)
    assert found.labels.tolist() == labels.tolist()


def test_noise_is_one_cluster():
    found = [cluster(*noise(8, seed), permutations=99).n_clusters for seed in range(30)]
    assert sum(n > 1 for n in found) <= 4


def test_clusters_with_small_gaps_between_are_one():
    found = cluster(*planted([6, 6], within=0.01, between=0.1)[:2])
    assert found.n_clusters == 1
    assert found.statistics["p_value"] <= 0.05
    assert found.statistics["decision"].startswith("One cluster: ")


def test_a_rejected_division_can_still_be_read():
    discovery, held_out, labels = planted([6, 6], within=0.01, between=0.1)
    statistics = cluster(discovery, held_out).statistics
    same = labels[:, None] == labels
    assert statistics["mean_gap_between"] == pytest.approx(held_out[~same].mean())
    assert statistics["relative_gap_between"] == pytest.approx(held_out[~same].mean() / HEADROOM)
    assert statistics["silhouette"] > 0.7


def test_reported_gaps_are_held_out_ones():
    discovery, held_out, labels = planted([7, 5])
    statistics = cluster(discovery, 2 * held_out).statistics
    same = labels[:, None] == labels
    upper = np.triu(np.ones_like(same), 1)
    assert statistics["mean_gap_within"] == pytest.approx(2 * held_out[same & upper].mean())


def test_scale_and_memberships_are_blind_to_held_out_gaps():
    discovery, held_out, _ = planted([7, 5])
    one, other = cluster(discovery, held_out), cluster(discovery, held_out**2)
    assert one.statistics["delta"] == other.statistics["delta"]
    assert one.labels.tolist() == other.labels.tolist()


def test_statistics_have_the_names_that_queries_know():
    for sizes in ([7, 5], [2]):
        assert set(cluster(*planted(sizes)[:2]).statistics) == STATISTICS


def test_the_outcome_is_the_same_every_time():
    halves = noise(9, 5)
    assert cluster(*halves).statistics == cluster(*halves).statistics


@given(st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_another_order_of_the_models_gives_the_same_clusters(seed):
    discovery, held_out, _ = planted([6, 5, 3], seed=seed % 5)
    order = np.random.default_rng(seed).permutation(14)
    plain = cluster(discovery, held_out, permutations=99)
    shuffled = cluster(
        discovery[np.ix_(order, order)], held_out[np.ix_(order, order)], permutations=99
    )
    assert adjusted_rand_score(plain.labels[order], shuffled.labels) == 1
    for name in ("delta", "silhouette", "mean_gap_within", "mean_gap_between"):
        assert shuffled.statistics[name] == pytest.approx(plain.statistics[name])


@given(st.floats(1e-3, 1e3))
@settings(max_examples=20, deadline=None)
def test_another_unit_of_gaps_gives_the_same_clusters(unit):
    discovery, held_out, _ = planted([6, 5])
    found = cluster(
        unit * discovery,
        unit * held_out,
        chance_headroom=unit * HEADROOM,
        least_headroom=unit * LEAST_HEADROOM,
        permutations=99,
    )
    plain = cluster(discovery, held_out, permutations=99)
    assert found.labels.tolist() == plain.labels.tolist()
    assert found.statistics["p_value"] == plain.statistics["p_value"]


@pytest.mark.parametrize("n", [1, 2, 3])
def test_too_few_models_are_one_cluster(n):
    found = cluster(*planted([n])[:2])
    assert found.labels.tolist() == [0] * n
    assert "too few to divide" in found.statistics["decision"]
    assert found.statistics["silhouette"] is None


def test_two_pairs_of_models_are_too_few_to_be_significant():
    # Of the 15 ways to place two small gaps among six pairs, 3 make two clusters of two.
    gaps = np.full((4, 4), 0.9)
    gaps[0, 1] = gaps[1, 0] = gaps[2, 3] = gaps[3, 2] = 0.01
    np.fill_diagonal(gaps, 0)
    found = cluster(gaps, gaps)
    assert found.n_clusters == 1
    assert found.statistics["p_value"] == pytest.approx(0.2, abs=0.08)


def test_zero_gaps_are_one_cluster():
    found = cluster(np.zeros((6, 6)), np.zeros((6, 6)))
    assert found.n_clusters == 1
    assert "all gaps between the models are zero" in found.statistics["decision"]


def test_one_model_apart_is_not_a_second_cluster():
    found = cluster(*planted([7, 1], spread=0.05)[:2], max_clusters=2)
    assert found.n_clusters == 1
    assert "no division has two clusters of two models" in found.statistics["decision"]


def test_at_most_one_cluster_can_be_asked_for():
    found = cluster(*planted([5, 5])[:2], max_clusters=1)
    assert found.n_clusters == 1
    assert "no more than one" in found.statistics["decision"]


def test_models_no_better_than_chance_are_one_cluster():
    found = cluster(*planted([6, 6])[:2], chance_headroom=0.0)
    assert found.n_clusters == 1
    assert found.statistics["relative_gap_between"] is None


def test_models_are_nearest_the_centroid_of_their_own_cluster():
    discovery, held_out, labels = planted([6, 5, 3], within=0.05)
    found = cluster(discovery, held_out)
    assert found.embedding.shape == (14, 3)
    assert found.centroid_distances.argmin(1).tolist() == found.labels.tolist() == labels.tolist()
    middle = found.embedding[labels == 1].mean(0)
    expected = np.linalg.norm(found.embedding - middle, axis=1)
    assert found.centroid_distances[:, 1] == pytest.approx(expected)


def test_one_cluster_is_embedded_as_its_best_division_and_has_one_centroid():
    found = cluster(*planted([6, 6], within=0.01, between=0.1)[:2])
    assert found.n_clusters == 1
    assert found.embedding.shape == (12, found.statistics["k"])
    expected = np.linalg.norm(found.embedding - found.embedding.mean(0), axis=1)
    assert found.centroid_distances == pytest.approx(expected[:, None])
    assert found.statistics["stability_models"] == 1


def test_the_first_coordinate_is_the_same_for_all_models():
    """Rows of D^−½ u: the first eigenvector is D^½ 1, and says nothing."""
    places = cluster(*planted([6, 5])[:2]).embedding
    assert places[:, 0] == pytest.approx(np.full(11, places[0, 0]))
    assert (np.abs(places).max(0) == places.max(0)).all()


def test_the_same_models_are_together_in_resamples_of_the_models():
    discovery, held_out, labels = planted([6, 5], within=0.05)
    found = cluster(discovery, held_out)
    assert np.array_equal(found.together_by_models == 1, labels[:, None] == labels)
    assert found.together_by_examples is None


def test_k_is_chosen_by_the_silhouette_and_the_eigengaps_own_is_beside_it():
    statistics = cluster(*planted([6, 5, 5])[:2]).statistics
    best = max(statistics["choices"][1:], key=lambda choice: choice["discovery_silhouette"])
    assert statistics["k"] == best["k"] == 3
    assert statistics["eigengap_agrees"] == (statistics["eigengap_k"] == 3)


def test_what_cannot_be_divided_has_no_embedding():
    for gaps in (np.zeros((6, 6)), planted([3])[0]):
        found = cluster(gaps, gaps)
        assert found.embedding is found.centroid_distances is found.together_by_models is None
        assert found.statistics["choices"] == []


def test_settings_are_those_given():
    found = cluster(*planted([5, 5])[:2], permutations=99, max_clusters=3, seed=7)
    assert found.settings == {
        "max_clusters": 3,
        "permutations": 99,
        "resamples": 99,
        "significance": 0.05,
        "least_relative_gap": 0.5,
        "least_headroom": 0.05,
        "seed": 7,
    }


def test_pairs_without_a_gap_are_counted_over_both_halves():
    discovery, held_out, _ = planted([4, 4])
    discovery[0, 1] = discovery[1, 0] = np.nan
    held_out[0, 1] = held_out[1, 0] = held_out[2, 5] = held_out[5, 2] = np.nan
    with pytest.raises(ValueError, match="2 of 28 pairs of models have no gap"):
        cluster(discovery, held_out)


@pytest.mark.parametrize(
    ("gaps", "message"),
    [
        (np.zeros((0, 0)), "no models"),
        (np.zeros((3, 4)), "square"),
        (np.array([[0.0, 1.0], [2.0, 0.0]]), "symmetric"),
        (np.array([[1.0, 1.0], [1.0, 0.0]]), "0 between a model and itself"),
        (np.array([[0.0, -1.0], [-1.0, 0.0]]), "at least 0"),
        (np.array([[0.0, np.inf], [np.inf, 0.0]]), "finite"),
    ],
)
def test_what_is_no_matrix_of_gaps_is_refused(gaps, message):
    with pytest.raises(ValueError, match=message):
        spectral(gaps, gaps, chance_headroom=HEADROOM)


def test_halves_must_have_the_same_models():
    with pytest.raises(ValueError, match="same models"):
        cluster(np.zeros((5, 5)), np.zeros((4, 4)))


def test_neither_mlflow_nor_duckdb_nor_torch_is_imported():
    code = (
        "import sys; import lmc_track.analysis.clustering; "
        "print(sorted({'mlflow', 'duckdb', 'torch', 'sklearn'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]"
