from __future__ import annotations

import numpy as np
import pytest

from lmc_track.analysis.choices import choices, eigengap_choice
from lmc_track.analysis.partition import affinity, median_gap, spectral_embedding
from support.planted_gaps import planted


def tried(sizes, max_clusters=4, **options):
    discovery, held_out, _ = planted(sizes, **options)
    embedding = spectral_embedding(affinity(discovery, median_gap(discovery))[None])
    return choices(embedding, discovery, held_out, max_clusters), discovery


@pytest.mark.parametrize("sizes", [[6, 6], [5, 5, 5], [5, 5, 5, 5]])
def test_clear_clusters_have_the_greatest_eigengap_and_silhouettes(sizes):
    found, _ = tried(sizes, within=0.05, between=0.9, spread=0.1)
    best = max(found[1:], key=lambda choice: choice.discovery_silhouette)
    assert eigengap_choice(found) == best.k == len(sizes)
    assert best.held_out_silhouette == max(choice.held_out_silhouette for choice in found[1:])
    assert best.sizes == tuple(sizes)


def test_the_gap_after_the_first_eigenvalue_is_the_greatest_even_of_clear_clusters():
    found, _ = tried([6, 6], within=0.05, between=0.9, spread=0.1)
    assert found[0].eigengap > found[1].eigengap


def test_eigenvalues_are_those_of_the_normalised_affinities():
    found, gaps = tried([4, 4])
    affinities = affinity(gaps, median_gap(gaps))
    scale = affinities.sum(1) ** -0.5
    values = np.linalg.eigvalsh(affinities * np.outer(scale, scale))[::-1]
    assert [choice.eigenvalue for choice in found] == pytest.approx(values[:4])
    assert [choice.eigengap for choice in found] == pytest.approx(values[:4] - values[1:5])
    assert found[0].eigenvalue == pytest.approx(1)


def test_one_cluster_has_no_silhouette_and_is_not_the_eigengaps_choice():
    found, _ = tried([5], max_clusters=1)
    assert [choice.k for choice in found] == [1]
    assert (found[0].discovery_silhouette, found[0].sizes) == (None, (5,))
    assert eigengap_choice(found) is None


def test_a_model_apart_makes_a_division_that_cannot_be_used():
    found, _ = tried([7, 1], within=0.1, between=0.9, spread=0.05)
    assert (found[1].sizes, found[1].usable) == ((7, 1), False)
