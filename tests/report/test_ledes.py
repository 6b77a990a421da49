"""Sentences over exhibits: each says something that the next study may not show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl

from lmc_track.report.cluster_effects import sides
from lmc_track.report.facts import Facts
from lmc_track.report.spectral import Embedding, embedding_lede
from lmc_track.report.subset_plot import subset_lede

Read = Callable[[str], Facts]

THREE = Embedding(
    ["m0", "m1", "m2"],
    [0, 0, 1],
    [2],
    np.array([[0.0], [0.4], [1.0]]),
    {"m0": [0.2, 1.0], "m1": [0.2, 0.6], "m2": [0.9, 0.0]},
)


def test_the_embedding_names_the_model_nearest_to_the_border() -> None:
    assert embedding_lede(THREE) == (
        "The clusters were found in this embedding, so it is not separate evidence for them; "
        "nearest to the border is m1, 33% as far from its own centroid as from the next one."
    )


def test_an_embedding_without_centroids_claims_nothing() -> None:
    assert embedding_lede(replace(THREE, centroid_distances={})) == (
        "The clusters were found in this embedding, so it is not separate evidence for them."
    )


def test_subsets_that_differ_alike_have_no_most_and_no_least(facts_of: Read) -> None:
    facts = facts_of("two clusters")
    alike = facts.cluster_diagnostics.with_columns(spread=pl.lit(0.92))
    assert subset_lede(replace(facts, cluster_diagnostics=alike)).endswith("differs by 0.92.")
    apart = facts.cluster_diagnostics.with_columns(
        spread=pl.when(pl.col("subset") == "plural").then(0.1).otherwise(0.92)
    )
    assert subset_lede(replace(facts, cluster_diagnostics=apart)).endswith(
        "differs by 0.10 (plural) to 0.92 (singular)."
    )


def test_a_model_halfway_between_two_means_is_no_exception(facts_of: Read) -> None:
    facts = facts_of("two clusters")
    values = pl.DataFrame(
        {
            "dataset": "probe",
            "subset": "all",
            "model": ["a", "b", "c", "d", "e"],
            "cluster": [0, 0, 0, 1, 1],
            "value": [0.0, 0.5, 0.25, 0.5, 1.0],
        }
    )
    found = sides(replace(facts, diagnostics=values), "probe", "all")
    assert found is not None
    # Means .25 and .75: b and d are as near to either.
    assert (found.exceptions, found.n_own, found.n_models) == ([], 5, 5)


def test_equal_means_have_no_sides(facts_of: Read) -> None:
    facts = facts_of("two clusters")
    equal = facts.diagnostics.with_columns(value=pl.lit(1.0))
    assert sides(replace(facts, diagnostics=equal), "validation", "all") is None
