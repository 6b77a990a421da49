"""The five sentences, for every kind of study."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import polars as pl
import pytest

from lmc_track.errors import InputError
from lmc_track.report.clusters import cluster_sentence
from lmc_track.report.facts import Facts, Primary
from lmc_track.report.findings import findings, sentences
from lmc_track.report.intervals import interval
from lmc_track.report.wording import gap
from lmc_track.warehouse.results import Results

Kinds = Callable[[str], Results]
Read = Callable[[str], Facts]
KINDS = [
    "two clusters", "one cluster", "no clustering", "holes", "one model", "four against four",
    "three clusters",
]  # fmt: skip


@pytest.fixture
def two(facts_of: Read) -> Facts:
    return facts_of("two clusters")


@pytest.mark.parametrize("kind", KINDS)
def test_there_are_five_sentences_of_at_most_two_lines(facts_of: Read, kind: str) -> None:
    found = sentences(facts_of(kind))
    assert len(found) == 5
    for sentence in found:
        assert sentence.endswith(".")
        assert not re.search(r"None|nan|–|  ", sentence), sentence
        assert len(sentence) <= 250


def test_the_first_sentence_counts_what_was_measured(two: Facts) -> None:
    assert sentences(two)[0] == (
        "5 finetuned models of the task agreement (base: agreement) and 10 interpolated ones on "
        "the straight lines between all 10 pairs, 3 points a path with its ends, were evaluated "
        "on 4 data sets."
    )


def test_several_clusters_are_reported_with_their_evidence(two: Facts) -> None:
    assert sentences(two)[1] == (
        "Spectral clustering of the discovery gaps finds two clusters, of 3 and 2 models: "
        "held-out silhouette 0.90, p = .001 against 999 permuted gap matrices."
    )


def test_gaps_are_the_mean_held_out_ones(two: Facts) -> None:
    held_out = two.pairs["convexity_gap"]
    between = held_out.filter(~two.pairs["same_cluster"]).mean()
    assert isinstance(between, float)
    assert f"{between:.2f} nats (" in sentences(two)[2]
    assert sentences(two)[2].startswith("On held-out examples of validation")


def test_clusters_are_compared_on_the_diagnostic_that_was_named_beforehand(two: Facts) -> None:
    name = two.primary.dataset
    assert sentences(two)[3].startswith(
        f"On the primary diagnostic, {name}, mean held-out accuracy is "
    )
    of_set = two.cluster_diagnostics.filter(pl.col("dataset") == name)
    subset = next(part for part in of_set["subset"].to_list() if part != "all")
    other = replace(two, primary=Primary(name, subset, "accuracy"))
    assert f"diagnostic, {name} · {subset}, mean" in sentences(other)[3]


def test_without_the_primary_diagnostic_the_set_that_differs_most_is_named(two: Facts) -> None:
    wholes = two.cluster_diagnostics.filter(
        (pl.col("role") == "diagnostic") & (pl.col("subset") == "all")
    )
    top = wholes.sort("spread", descending=True)["dataset"][0]
    found = sentences(replace(two, primary=Primary("absent", "all", "accuracy")))[3]
    assert found.startswith(f"On {top}, where they differ most, mean held-out accuracy is ")


def test_models_of_one_cluster_are_compared_by_their_range(facts_of: Read) -> None:
    one = facts_of("one cluster")
    known = one.diagnostics.filter(
        (pl.col("dataset") == one.primary.dataset) & (pl.col("subset") == "all")
    )["value"]
    low, high = known.min(), known.max()
    assert f", held-out accuracy is from {low:.2f} to {high:.2f} (mean " in sentences(one)[3]


def test_a_task_with_another_metric_is_compared_by_it(results_of: Kinds, two: Facts) -> None:
    frames = {
        name: results_of("two clusters").query(
            name, study="simulated", half="held-out", metric="matthews_correlation"
        )
        for name in ("diagnostics", "cluster_diagnostics")
    }
    primary = Primary(two.primary.dataset, "all", "matthews_correlation")
    assert (
        "mean held-out Matthews correlation is"
        in sentences(replace(two, primary=primary, **frames))[3]
    )


def test_disconnected_models_are_not_called_basins_of_their_own(two: Facts) -> None:
    assert "not called separate basins" in sentences(two)[4]


def test_small_clusters_without_a_test_are_named(two: Facts) -> None:
    """Results that were built without tests say what they can of the spread."""
    untested = two.cluster_diagnostics.with_columns(pl.lit(None, pl.Float64).alias("smallest_p"))
    found = sentences(replace(two, cluster_diagnostics=untested))
    assert "cluster 1 is too small" in found[4]
    assert "AUC" not in found[3]


def test_too_few_models_for_a_difference_say_so(two: Facts) -> None:
    assert sentences(two)[4].endswith(
        "; 3 against 2 models cannot attain p below .10, so whether they differ cannot be said."
    )
    assert "p =" not in sentences(two)[3]


def test_clusters_are_told_apart_beside_what_validation_tells(facts_of: Read) -> None:
    sentence = sentences(facts_of("four against four"))[3]
    assert re.search(r"main_only, .*AUC 1\.00, p = \.029\); .*on validation .* \(AUC 0\.\d\d\)\.$",
                     sentence)  # fmt: skip
    assert "cannot be said" not in sentences(facts_of("four against four"))[4]


def test_a_cluster_of_one_model_shows_nothing(two: Facts) -> None:
    one = two.cluster_diagnostics.with_columns(
        n_models=pl.when(pl.col("cluster") == 1).then(1).otherwise(pl.col("n_models"))
    )
    found = sentences(replace(two, cluster_diagnostics=one))[4]
    assert "one model is no cluster to speak of" in found


def test_one_cluster_says_why(facts_of: Read) -> None:
    sentence = sentences(facts_of("one cluster"))[1]
    assert sentence == (
        "Spectral clustering leaves one cluster of 4 models: its best division could well be "
        "chance (p = .60 against 999 permuted gap matrices)."
    )


def test_one_cluster_for_small_gaps_names_the_least_that_counts(facts_of: Read) -> None:
    facts = facts_of("one cluster")
    assert facts.found is not None
    found = replace(
        facts.found,
        settings={"significance": 0.05, "least_relative_gap": 0.25},
        statistics={"p_value": 0.01, "relative_gap_between": 0.031},
    )
    assert "are 3.1% of the way to chance, and less than 25% does not count" in cluster_sentence(
        replace(facts, found=found)
    )


def test_one_cluster_of_another_kind_keeps_the_recorded_reason(facts_of: Read) -> None:
    facts = facts_of("one cluster")
    assert facts.found is not None
    found = replace(
        facts.found, settings={}, statistics={"decision": "One cluster: all gaps are zero."}
    )
    sentence = cluster_sentence(replace(facts, found=found))
    assert sentence.endswith("one cluster of 4 models: all gaps are zero.")


def test_one_cluster_gives_the_range_of_gaps(facts_of: Read) -> None:
    found = sentences(facts_of("one cluster"))
    assert "the convexity gaps of the 6 pairs range from" in found[2]
    assert found[3].startswith("On the primary diagnostic, main_only, held-out accuracy is from")


def test_without_a_clustering_nothing_is_said_of_clusters(facts_of: Read) -> None:
    found = sentences(facts_of("no clustering"))
    assert found[1].startswith("No clustering has been made yet, so the 6 pairs")
    assert not re.search(r"cluster \d|within clusters", " ".join(found))


def test_holes_are_counted(facts_of: Read) -> None:
    found = sentences(facts_of("holes"))
    assert "between 8 of 10 pairs" in found[0]
    assert "2 pairs are not measured and left out" in found[4]


def test_one_model_is_described_without_pairs(facts_of: Read) -> None:
    found = sentences(facts_of("one model"))
    assert found[1] == "A single model cannot be divided into clusters."
    assert found[3].startswith("Its held-out accuracy is")


def test_the_published_procedure_is_said_to_make_two_always(two: Facts) -> None:
    assert two.found is not None
    facts = replace(two, found=replace(two.found, method="juneja2023", half="all"))
    assert "which always makes two clusters, gives two clusters, of 3 and 2" in sentences(facts)[1]
    assert "saw the held-out examples too" in sentences(facts)[4]


def test_threshold_components_name_their_largest_gap(two: Facts) -> None:
    assert two.found is not None
    found = replace(
        two.found,
        method="threshold",
        settings={"tau": 0.15},
        statistics={"largest_internal_gap": 0.2},
    )
    assert cluster_sentence(replace(two, found=found)) == (
        "Joining models by chains of loss gaps of at most 0.150 nats gives two clusters, of 3 "
        "and 2 models; the largest gap inside one of them is 0.200 nats."
    )


def test_results_without_halves_are_said_to_have_none(two: Facts) -> None:
    found = sentences(replace(two, half="all"))
    assert found[2].startswith("On all examples of validation")
    assert "held-out" not in found[3]


def test_an_unknown_study_is_refused(results_of: Kinds) -> None:
    with pytest.raises(InputError):
        findings(results_of("one model"), "simulatd")


def test_gaps_of_models_that_gained_nothing_have_no_share_of_the_way_to_chance(two: Facts) -> None:
    gaps = {name: {**row, "mean_relative": None} for name, row in two.gaps.items()}
    sentence = sentences(replace(two, gaps=gaps))[2]
    assert "way to chance" not in sentence
    assert ") between; the largest within is" in sentence


def test_mean_gaps_have_their_intervals_over_models(two: Facts) -> None:
    row = two.gaps["between"]
    low, high = interval(row["mean"], row["standard_error"], 5) or (0.0, 0.0)
    assert low < row["mean"] < high
    assert f"({gap(low)} to {gap(high)}) between" in sentences(two)[2]
