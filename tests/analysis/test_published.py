from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy.sparse.csgraph import laplacian
from sklearn.cluster import SpectralClustering, k_means
from sklearn.manifold import spectral_embedding

from lmc_track.analysis.clustering import number_clusters
from lmc_track.analysis.published import juneja2023, numbered_alike
from support.planted_gaps import noise, planted

STUDIES = [
    planted([6, 6], within=0.5, between=2.0, seed=1)[0],
    planted([9, 3], within=0.09, between=0.83, seed=2)[0],
    planted([88, 12], within=0.004, between=0.07, seed=3)[0],
    noise(16, 4)[0],
    noise(3, 5)[0],
]


def published_axis(gaps):
    """‖w − c₁‖ − ‖w − c₂‖ by the calls of the paper's code, as scikit-learn 1.0 took them."""
    affinities = np.exp(-(gaps**2) / (2.0 * 1.0**2))
    places = spectral_embedding(affinities, n_components=2, random_state=42, drop_first=False)
    centres, _, _ = k_means(places, 2, random_state=42, n_init=10)
    first, second = ([np.linalg.norm(place - centre) for place in places] for centre in centres)
    return np.array(first) - np.array(second)


def defined_axis(gaps, labels):
    """The same from its definition: no affinity to oneself in the degrees, means as centroids."""
    matrix, roots = laplacian(np.exp(-(gaps**2) / 2), normed=True, return_diag=True)
    places = np.linalg.eigh(matrix)[1][:, :2] / roots[:, None]
    first, second = (np.linalg.norm(places - places[labels == c].mean(0), axis=1) for c in (0, 1))
    return first - second


def axis(found):
    return found.centroid_distances[:, 0] - found.centroid_distances[:, 1]


@pytest.mark.parametrize("gaps", STUDIES)
def test_the_axis_is_that_of_the_papers_code(gaps):
    expected = published_axis(gaps)
    ours = axis(juneja2023(gaps))
    # Which centroid comes first is an accident of k-means.
    sign = np.sign(ours @ expected)
    assert np.abs(ours - sign * expected).max() < 1e-12


@pytest.mark.parametrize("gaps", STUDIES)
def test_the_axis_leaves_a_models_affinity_to_itself_out_of_the_degrees(gaps):
    found = juneja2023(gaps)
    assert axis(found) == pytest.approx(defined_axis(gaps, (axis(found) > 0).astype(int)), abs=1e-9)


@pytest.mark.parametrize("gaps", STUDIES)
def test_the_clusters_are_those_of_the_papers_code(gaps):
    model = SpectralClustering(n_clusters=2, affinity="precomputed", random_state=42)
    expected = model.fit_predict(np.exp(-(gaps**2) / 2))
    found = juneja2023(gaps)
    assert found.labels.tolist() == number_clusters(expected).tolist()
    assert found.settings == {"delta": 1.0, "n_clusters": 2, "seed": 42}


def test_centroids_are_numbered_as_the_clusters():
    gaps, _, labels = planted([4, 6], within=0.5, between=2.0, seed=1)
    found = juneja2023(gaps)
    assert found.labels.tolist() == (1 - labels).tolist()
    assert found.centroid_distances.argmin(1).tolist() == found.labels.tolist()


def test_mean_gaps_are_those_within_and_between_the_clusters():
    gaps, _, labels = planted([5, 3], within=0.5, between=2.0, seed=1)
    same = labels[:, None] == labels
    statistics = juneja2023(gaps).statistics
    assert statistics["mean_gap_between"] == pytest.approx(gaps[~same].mean())
    assert statistics["mean_gap_within"] == pytest.approx(gaps[same].sum() / (20 + 6))


def test_two_clusters_are_made_of_noise():
    assert juneja2023(noise(9, 2)[0]).n_clusters == 2


def test_models_without_any_gap_are_one_cluster_without_an_embedding():
    found = juneja2023(np.zeros((5, 5)))
    assert found.n_clusters == 1
    assert found.embedding is found.centroid_distances is None


@pytest.mark.parametrize(("n", "labels"), [(1, [0]), (2, [0, 1]), (3, None)])
def test_few_models_are_taken(n, labels):
    found = juneja2023(planted([n])[0])
    assert len(found.labels) == n
    assert labels is None or found.labels.tolist() == labels


def test_two_models_lie_on_opposite_sides():
    low, high = axis(juneja2023(np.array([[0.0, 0.3], [0.3, 0.0]])))
    assert low == pytest.approx(-high)
    assert high > 0


def test_a_missing_gap_is_refused():
    gaps = planted([4, 4])[0]
    gaps[0, 1] = gaps[1, 0] = np.nan
    with pytest.raises(ValueError, match="1 of 28 pairs"):
        juneja2023(gaps)


def test_sides_of_successive_steps_are_numbered_alike():
    # The smaller side of the first step grows into the larger one of the second.
    names = [f"seed-{k}" for k in range(7)]
    early = juneja2023(planted([3, 4], within=0.5, between=2.0, seed=1)[0])
    late = juneja2023(planted([4, 3], within=0.5, between=2.0, seed=1)[0])
    assert (early.labels[0], late.labels[0]) == (1, 0)
    first, last = numbered_alike([(names, early), (names, late)])
    assert first.labels.tolist() == [0, 0, 0, 1, 1, 1, 1]
    assert axis(first) == pytest.approx(-axis(early))
    assert last is late


def test_steps_without_a_training_in_common_keep_their_numbers():
    found = juneja2023(planted([3, 4], within=0.5, between=2.0, seed=1)[0])
    first, last = numbered_alike([(list("abcdefg"), found), (list("hijklmn"), found)])
    assert first is last is found


def test_scikit_learn_is_imported_only_when_needed():
    code = (
        "import sys; import lmc_track.analysis.published; "
        "print(sorted({'mlflow', 'duckdb', 'torch', 'sklearn'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120
    )
    assert result.stdout.strip() == "[]"
