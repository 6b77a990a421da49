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
from lmc_track.report.findings import (
    findings,
    gap_sentence,
    generalization_sentence,
    sentences,
)
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
def test_there_are_five_sentences_of_at_most_two_lines_and_the_evidence(
    facts_of: Read, kind: str
) -> None:
    facts = facts_of(kind)
    found = sentences(facts)
    judged = facts.found is not None and facts.found.method == "verdict"
    assert len(found) == 5 + judged
    for sentence in found:
        assert sentence.endswith(".")
        assert not re.search(r"None|nan|–|  ", sentence), sentence
    assert all(len(sentence) <= 250 for sentence in found[:5])


def test_the_second_sentence_counts_what_was_measured(two: Facts) -> None:
    assert sentences(two)[1] == (
        "5 finetuned models of the task agreement (base: agreement) and 10 interpolated ones on "
        "the straight lines between all 10 pairs, 3 points a path with its ends, were evaluated "
        "on 4 data sets."
    )


def test_who_is_with_whom_comes_first_and_the_evidence_last(two: Facts) -> None:
    found = sentences(two)
    names = {0: [], 1: []}
    for name, cluster in two.cluster_of.items():
        names[cluster].append(name)
    listed = [", ".join(group[:-1]) + f" and {group[-1]}" for group in names.values()]
    assert found[0] == f"Linearly disconnected from each other are {'; '.join(listed)}."
    assert found[-1] == "2 clusters: no form of one cluster explains the gaps."


def test_a_few_models_are_named_apart_from_many(facts_of: Read) -> None:
    facts = facts_of("two clusters")
    models = pl.DataFrame({"name": [f"seed-{k}" for k in range(12)], "cluster": [0] * 10 + [1, 1]})
    assert cluster_sentence(replace(facts, models=models)) == (
        "seed-10 and seed-11 are linearly disconnected from the other 10 models."
    )


def test_gaps_are_the_mean_held_out_ones(two: Facts) -> None:
    held_out = two.pairs["convexity_gap"]
    between = held_out.filter(~two.pairs["same_cluster"]).mean()
    assert isinstance(between, float)
    assert f"{between:.2f} nats between" in sentences(two)[2]
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
    assert found.startswith(
        f"On {top}, the diagnostic with the largest difference, mean held-out accuracy is "
    )


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
    assert "not shown to be separate basins" in sentences(two)[4]


def test_small_clusters_without_a_test_are_named(two: Facts) -> None:
    """Results that were built without tests say what they can of the spread."""
    untested = two.cluster_diagnostics.with_columns(pl.lit(None, pl.Float64).alias("smallest_p"))
    found = sentences(replace(two, cluster_diagnostics=untested))
    assert "cluster 1 is too small" in found[4]
    assert "p =" not in found[3]


def test_too_few_models_for_a_difference_say_so(two: Facts) -> None:
    assert sentences(two)[4].endswith(
        "; 3 against 2 models cannot attain p below .10, so whether they differ cannot be said."
    )
    assert "p =" not in sentences(two)[3]


def test_clusters_are_compared_model_by_model_beside_validation(facts_of: Read) -> None:
    sentence = sentences(facts_of("four against four"))[3]
    assert re.search(
        r"main_only, .* \(p = \.029; all 8 models nearer their own mean\); "
        r".*on validation .* \([4-8] of 8 nearer\)\.$",
        sentence,
    )
    assert "cannot be said" not in sentences(facts_of("four against four"))[4]


def test_a_model_that_does_as_the_other_cluster_is_named(facts_of: Read) -> None:
    facts = facts_of("four against four")
    of_primary = (pl.col("dataset") == facts.primary.dataset) & (pl.col("subset") == "all")
    values = facts.diagnostics.filter(of_primary)
    stray = values.filter(pl.col("cluster") == 0)["model"][0]
    other = values.filter(pl.col("cluster") == 1)["value"][0]
    changed = facts.diagnostics.with_columns(
        value=pl.when(of_primary & (pl.col("model") == stray))
        .then(pl.lit(other))
        .otherwise(pl.col("value"))
    )
    assert (
        f"; 7 of 8 models nearer their own mean, {stray} the other's); "
        in sentences(replace(facts, diagnostics=changed))[3]
    )


def test_a_cluster_of_one_model_shows_nothing(two: Facts) -> None:
    one = two.cluster_diagnostics.with_columns(
        n_models=pl.when(pl.col("cluster") == 1).then(1).otherwise(pl.col("n_models"))
    )
    found = sentences(replace(two, cluster_diagnostics=one))[4]
    assert "a single model has no spread" in found


def test_one_cluster_says_why_and_what_so_many_models_could_show(facts_of: Read) -> None:
    facts = facts_of("one cluster")
    assert facts.found is not None
    statistics = {**facts.found.statistics, "n_models": 16}
    sentence = sentences(replace(facts, found=replace(facts.found, statistics=statistics)))[-1]
    assert sentence.startswith("One cluster: one cloud of models explains the gaps. ")
    assert "16 models" in sentence
    assert "minority of 12%" in sentence


def test_gaps_that_are_alike_are_no_range(facts_of: Read) -> None:
    facts = facts_of("one cluster")
    row = {**facts.gaps["all"], "mean": 0.5, "min": 0.5, "max": 0.5}
    assert gap_sentence(replace(facts, gaps={"all": row})) == (
        f"On held-out examples of validation each of the convexity gaps of "
        f"{facts.measured.height} pairs is 0.500 nats."
    )


def test_the_only_gap_within_is_its_mean_and_not_the_largest(two: Facts) -> None:
    within = {**two.gaps["within"], "mean": 0.1, "min": 0.1, "max": 0.1, "standard_error": None}
    between = {**two.gaps["between"], "mean": 0.6, "min": 0.5, "max": 0.7, "standard_error": None}
    text = gap_sentence(replace(two, gaps={"within": within, "between": between}))
    assert text.endswith("and 0.600 nats between; the smallest between is 0.500.")


def test_models_that_score_alike_have_no_range(facts_of: Read) -> None:
    facts = facts_of("one cluster")
    alike = facts.diagnostics.with_columns(value=pl.lit(0.75))
    text = generalization_sentence(replace(facts, diagnostics=alike))
    assert "is 0.75 of every model" in text
    assert "from 0.75" not in text
    assert "mean" not in text


def test_the_only_diagnostic_does_not_differ_most(two: Facts) -> None:
    frame = two.cluster_diagnostics.filter(pl.col("dataset").is_in(["validation", "main_only"]))
    lone = replace(
        two, primary=replace(two.primary, dataset="elsewhere"), cluster_diagnostics=frame
    )
    text = generalization_sentence(lone)
    assert text.startswith("On main_only, mean")


def test_one_cluster_gives_the_range_of_gaps(facts_of: Read) -> None:
    found = sentences(facts_of("one cluster"))
    assert "the convexity gaps of the 6 pairs range from" in found[2]
    assert found[3].startswith("On the primary diagnostic, main_only, held-out accuracy is from")


def test_without_a_clustering_nothing_is_said_of_clusters(facts_of: Read) -> None:
    found = sentences(facts_of("no clustering"))
    assert found[0].startswith("No clustering has been made yet, so the 6 pairs")
    assert not re.search(r"cluster \d|within clusters", " ".join(found))


def test_holes_are_counted(facts_of: Read) -> None:
    found = sentences(facts_of("holes"))
    assert "between 8 of 10 pairs" in found[1]
    assert "2 pairs are not measured and left out" in found[4]


def test_one_model_is_described_without_pairs(facts_of: Read) -> None:
    found = sentences(facts_of("one model"))
    assert found[0] == "A single model cannot be divided into clusters."
    assert found[3].startswith("Its held-out accuracy is")


def test_the_published_procedure_is_said_to_make_two_always(two: Facts) -> None:
    assert two.found is not None
    facts = replace(two, found=replace(two.found, method="juneja2023", half="all"))
    assert "which always makes two clusters, gives two clusters, of 3 and 2" in sentences(facts)[0]
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


@pytest.mark.parametrize("kind", KINDS)
def test_gaps_are_in_nats_alone(facts_of: Read, kind: str) -> None:
    assert "way to chance" not in sentences(facts_of(kind))[2]


def test_mean_gaps_have_their_intervals_over_models(facts_of: Read) -> None:
    facts = facts_of("four against four")
    row = facts.gaps["between"]
    low, high = interval(row["mean"], row["standard_error"], 3) or (0.0, 0.0)
    assert 0 < low < row["mean"] < high
    assert f"(95% interval {gap(low)} to {gap(high)}) between" in sentences(facts)[2]


def test_two_models_in_the_smaller_cluster_give_no_interval_between(two: Facts) -> None:
    assert re.search(r"within clusters and [\d.]+ nats between; ", sentences(two)[2])
