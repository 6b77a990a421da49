"""Sentences over exhibits: each says something that the next study may not show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from lmc_track.report.cluster_effects import sides
from lmc_track.report.cost import cost_lede
from lmc_track.report.facts import Facts
from lmc_track.report.geometry_plots import distance_lede, merge_lede
from lmc_track.report.ledes import (
    clusterings_lede,
    diagnostics_lede,
    grid_error_lede,
    matrix_lede,
    models_lede,
)
from lmc_track.report.spectral import Embedding, embedding_lede
from lmc_track.report.stability import stability_lede
from lmc_track.report.subset_plot import subset_lede
from lmc_track.warehouse.results import Results

Kinds = Callable[[str], Results]
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
        "Nearest to the border of its cluster is m1, 33% as far from its own centroid as from the "
        "next one."
    )


def test_an_embedding_without_centroids_claims_nothing() -> None:
    assert embedding_lede(replace(THREE, centroid_distances={})) == ""


def test_a_model_alone_in_its_cluster_is_not_near_a_border() -> None:
    alone = Embedding(
        ["m0", "m1"], [0, 1], [2], np.array([[0.0], [1.0]]), {"m0": [0.0, 1.0], "m1": [1.0, 0.0]}
    )
    assert embedding_lede(alone) == ""


def test_models_that_are_as_near_to_the_border_have_no_nearest() -> None:
    alike = {"m0": [0.2, 1.0], "m1": [0.2, 1.0], "m2": [0.9, 0.0]}
    assert embedding_lede(replace(THREE, centroid_distances=alike)) == ""


def test_of_one_cluster_the_farthest_model_is_named_if_one_is() -> None:
    one = replace(THREE, clusters=[0, 0, 0], coordinates=np.array([[0.0], [1.0], [5.0]]))
    assert embedding_lede(one) == (
        "m2 lies farthest from the middle of the models, 1.5 times as far as the median model."
    )
    even = replace(
        one, coordinates=np.array([[1.0, 0.0], [-0.5, 3**0.5 / 2], [-0.5, -(3**0.5) / 2]])
    )
    assert embedding_lede(even) == ""


def _gaps(facts: Facts, *values: float) -> Facts:
    rows = facts.pairs.head(len(values)).with_columns(
        pl.Series("convexity_gap", values), same_cluster=pl.lit(None, dtype=pl.Boolean)
    )
    return replace(facts, pairs=rows)


def test_gaps_that_are_alike_have_no_largest(facts_of: Read) -> None:
    facts = facts_of("one cluster")
    assert matrix_lede(_gaps(facts, 0.5, 0.5, 0.5)) == "Each of the 3 gaps is 0.500 nats."
    assert matrix_lede(_gaps(facts, 0.5, 0.5, 0.7)).startswith("The largest of the 3 gaps, 0.700")


def test_points_beyond_the_grid_have_one_effect_where_they_have_one(facts_of: Read) -> None:
    facts = facts_of("two clusters")
    errors = pl.DataFrame({"missed": [0.02], "n_refined": [2]})
    assert grid_error_lede(errors, facts)[0].endswith(
        "on 1 path 2 further points raise the gap by 0.020 nats."
    )
    errors = pl.DataFrame({"missed": [0.02, 0.02, 0.3], "n_refined": [2, 2, 2]})
    assert grid_error_lede(errors, facts)[0].endswith(
        "by 0.020 in the median and 0.300 nats at most."
    )


def _scores(facts: Facts, **values: float) -> Facts:
    rows = pl.DataFrame(
        {"dataset": list(values), "subset": "all", "role": "diagnostic", "model": "m",
         "value": list(values.values())}
    )  # fmt: skip
    return replace(facts, diagnostics=rows)


def test_the_scores_of_one_model_are_compared_only_where_they_differ(facts_of: Read) -> None:
    facts = facts_of("one model")
    assert diagnostics_lede(_scores(facts, x=0.9)) == "The model's accuracy on x is 0.90."
    assert diagnostics_lede(_scores(facts, x=0.9, y=0.9)) == (
        "On each of two data sets the model's accuracy is 0.90."
    )
    assert diagnostics_lede(_scores(facts, x=0.9, y=0.2)) == (
        "Over two data sets the model's accuracy goes from 0.20 (y) to 0.90 (x)."
    )


def test_sets_on_which_clusters_differ_alike_are_counted(facts_of: Read) -> None:
    facts = facts_of("two clusters")
    alike = facts.cluster_diagnostics.with_columns(spread=pl.lit(0.92))
    assert diagnostics_lede(replace(facts, cluster_diagnostics=alike)).startswith(
        "Between the clusters mean accuracy differs by 0.92 on each of four data sets"
    )


def test_accuracies_that_are_written_alike_have_no_range(facts_of: Read) -> None:
    facts = facts_of("two clusters")
    near = facts.models.with_columns(
        validation_accuracy=pl.Series([0.98, 0.98, 0.98, 0.98, 0.9801])
    )
    assert models_lede(replace(facts, models=near)) == (
        "On all of validation every model's accuracy is 0.980."
    )


def test_the_only_other_clustering_does_not_agree_least(facts_of: Read) -> None:
    facts = facts_of("two clusters")
    two = pl.DataFrame(
        {"clustering_id": ["a", "b"], "method": ["verdict", "threshold"], "n_clusters": [2, 3]}
    )
    found = replace(facts, clusterings=two)
    assert clusterings_lede(found, {"b": (4, 10)}) == (
        "The two clusterings on record have 2 and 3 clusters; threshold groups 4 of 10 pairs of "
        "models as the one reported above does."
    )
    three = pl.concat([two, two.tail(1).with_columns(clustering_id=pl.lit("c"))])
    assert clusterings_lede(
        replace(facts, clusterings=three), {"b": (4, 10), "c": (4, 10)}
    ).endswith(
        "; each of the others groups 40% of the pairs of models as the one reported above does."
    )


def test_the_only_subset_with_a_difference_is_named_and_not_ranked(facts_of: Read) -> None:
    facts = facts_of("two clusters")
    frame = facts.cluster_diagnostics
    dataset = facts.primary.dataset
    one = frame.with_columns(spread=pl.when(pl.col("subset") == "plural").then(0.5))
    assert subset_lede(replace(facts, cluster_diagnostics=one)) == (
        f"On plural, a subset of {dataset}, the clusters' mean accuracy differs by 0.50."
    )


def _tree(*taus: float) -> pl.DataFrame:
    n = len(taus)
    return pl.DataFrame({"tau": taus, "n_components": list(range(n, 0, -1))})


@pytest.mark.parametrize(
    ("taus", "said"),
    [
        ((0.3,), "At 0.300 nats all models are joined by chains of pairs."),
        (
            (0.1, 0.3),
            "At 0.300 nats all models are joined by chains of pairs; from 0.100 on there are 2 "
            "components.",
        ),
        ((0.1, 0.2, 0.3), "At 0.300 nats all models are joined by chains of pairs."),
        (
            (0.1, 0.2, 0.5),
            "At 0.500 nats all models are joined by chains of pairs; the longest stretch of τ "
            "without a merge, 0.200 to 0.500 nats, leaves 2 components.",
        ),
    ],
)
def test_a_stretch_is_the_longest_only_of_several(
    facts_of: Read, taus: tuple[float, ...], said: str
) -> None:
    assert merge_lede(facts_of("two clusters"), _tree(*taus)) == said


def test_distances_that_are_alike_are_no_range(facts_of: Read, results_of: Kinds) -> None:
    facts = facts_of("two clusters")
    alike = pl.DataFrame({"l2_distance": [5.0, 5.0]})
    text = distance_lede(results_of("two clusters"), facts, alike)
    assert text.startswith("The weights of two models are 5.00 apart")


def _stability(*own: float) -> pl.DataFrame:
    n = len(own)
    return pl.DataFrame(
        {"model": [f"m{k}" for k in range(n)], "own_by_examples": own,
         "other_by_examples": [0.0] * n, "own_by_models": own, "other_by_models": [0.0] * n}
    )  # fmt: skip


def test_models_that_are_as_stable_have_no_least_stable() -> None:
    assert stability_lede(_stability(1.0, 1.0)) == (
        "Each of 2 models is with models of its own cluster in 100% when examples are resampled "
        "and 100% when models are resampled; no model is as often with another cluster."
    )
    assert stability_lede(_stability(0.5, 1.0)).startswith("The least stable of 2 models, m0,")


def test_one_kind_of_run_is_not_the_whole_and_its_part() -> None:
    models = {"kind": "models", "total_seconds": 120.0, "n_timed": 2}
    paths = {"kind": "paths", "total_seconds": 60.0, "n_timed": 1}
    total = {"kind": "total", "total_seconds": 180.0, "n_timed": 3}
    assert cost_lede(pl.DataFrame([models, {**total, "total_seconds": 120.0}])) == (
        "The runs whose time is on record took 2.0 min for 2 models."
    )
    assert cost_lede(pl.DataFrame([models, paths, total])) == (
        "The runs whose time is on record took 3.0 min: 2.0 min for 2 models and 1.0 min for 1 "
        "path."
    )


def test_clusters_of_one_model_each_have_no_sides(facts_of: Read) -> None:
    values = pl.DataFrame(
        {"dataset": "probe", "subset": "all", "model": ["a", "b", "c"], "cluster": [0, 0, 1],
         "value": [0.0, 0.2, 1.0]}
    )  # fmt: skip
    facts = replace(facts_of("two clusters"), diagnostics=values)
    found = sides(facts, "probe", "all")
    assert found is not None
    assert found.n_models == 2
    singles = values.filter(pl.col("model") != "b")
    assert sides(replace(facts, diagnostics=singles), "probe", "all") is None


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
