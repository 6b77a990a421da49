"""What the paper's scripts compute, held to plain statements of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product

import numpy as np
import polars as pl
import pytest

from lmc_track.analysis.published import juneja2023
from lmc_track.errors import InputError
from lmc_track.steps.step_places import step_place_rows
from lmc_track.warehouse import storage
from lmc_track.warehouse.moment import Moment
from lmc_track.warehouse.results import Results
from lmc_track.warehouse.tables import EVALUATIONS, STEP_PLACES, frame_schema
from support.gap_study import GapStudy, gap_study
from support.planted_gaps import planted

SCORE = "main_only:plural:loss"


@pytest.fixture(scope="module")
def study() -> Iterator[GapStudy]:
    with gap_study() as opened:
        yield opened


def scores(results: Results, dataset: str, subset: str, metric: str) -> dict[str, float]:
    rows = results.query("diagnostics", dataset=dataset, subset=subset, metric=metric, half="all")
    return dict(rows.select("model", "value").iter_rows())


@pytest.mark.parametrize(
    ("order", "named", "sign"),
    [
        ("validation", ("validation", "all", "accuracy"), 1),
        ("embedded_only:all:accuracy", ("embedded_only", "all", "accuracy"), 1),
        # Of losses the largest is the worst.
        (SCORE, ("main_only", "plural", "loss"), -1),
    ],
)
def test_a_matrix_is_in_order_of_performance_the_worst_first(
    results: Results, order: str, named: tuple[str, str, str], sign: int
) -> None:
    matrix = results.query("barrier_matrix", order=order)
    models = results.query("models")["name"].to_list()
    value = scores(results, *named)
    expected = sorted(models, key=lambda name: sign * value[name])
    assert matrix["model"].to_list() == matrix.columns[2:] == expected


def test_the_primary_diagnostic_is_an_order(results: Results) -> None:
    named = results.query("study_summary")["primary_diagnostic"].item()
    by_name = results.query("barrier_matrix", order=named)
    assert results.query("barrier_matrix", order="diagnostic").equals(by_name)


def test_an_order_by_what_nobody_measured_is_refused_with_what_is_near(results: Results) -> None:
    with pytest.raises(InputError, match=r"did you mean .*main_only:all:accuracy"):
        results.query("barrier_matrix", order="main_only:all:acuracy")


def test_the_groups_are_the_ends_and_the_middle_of_the_order(results: Results) -> None:
    rows = results.query("performance_groups", diagnostic=SCORE, n_models=1)
    value = scores(results, "main_only", "plural", "loss")
    ordered = sorted(value, key=lambda name: -value[name])
    members = dict(rows.select("performance", "model").iter_rows())
    assert members == {"worst": ordered[0], "middle": ordered[3], "best": ordered[-1]}


def test_groups_that_would_overlap_are_smaller(results: Results) -> None:
    rows = results.query("performance_groups", n_models=5)
    assert rows["performance"].to_list() == ["best"] * 2 + ["middle"] * 2 + ["worst"] * 2
    assert rows["model"].n_unique() == 6


def test_group_curves_are_means_over_the_directed_paths(results: Results) -> None:
    rows = results.query("group_curves", diagnostic=SCORE, n_models=2)
    members = results.query("performance_groups", diagnostic=SCORE, n_models=2)
    group: dict[str, list[str]] = {}
    for name, model in members.select("performance", "model").iter_rows():
        group.setdefault(name, []).append(model)
    curves: dict[tuple[str, str], list[float]] = {}
    frame = results.query("curves")
    for (a, b), points in frame.group_by("model_a", "model_b"):
        values = points.sort("alpha")["value"].to_list()
        curves[str(a), str(b)], curves[str(b), str(a)] = values, values[::-1]
    for a, b in [("best", "best"), ("best", "worst"), ("middle", "worst")]:
        pairs = [(i, j) for i, j in product(group[a], group[b]) if i != j]
        expected = np.mean([curves[pair] for pair in pairs], axis=0)
        found = rows.filter(performance_a=a, performance_b=b)
        assert found["mean"].to_list() == pytest.approx(expected.tolist())
        assert found["n_paths"].unique().to_list() == [len({frozenset(pair) for pair in pairs})]


def test_deviations_divide_by_n_and_by_one_less(results: Results) -> None:
    value = np.array(list(scores(results, "main_only", "all", "accuracy").values()))
    row = results.query("diagnostic_summary", half="all").row(
        by_predicate=(pl.col("dataset") == "main_only") & (pl.col("subset") == "all"), named=True
    )
    assert (row["mean"], row["sd_n"]) == pytest.approx((value.mean(), value.std()))
    assert row["sd"] == pytest.approx(value.std(ddof=1))


def test_a_clusters_deviation_is_the_published_one_too(results: Results) -> None:
    rows = results.query("diagnostics", dataset="main_only", subset="all", half="all")
    table = results.query("cluster_diagnostics", half="all").filter(
        dataset="main_only", subset="all"
    )
    for cluster, sd_n in table.select("cluster", "sd_n").iter_rows():
        assert sd_n == pytest.approx(np.std(rows.filter(cluster=cluster)["value"].to_numpy()))


def test_the_distance_area_is_the_papers_area_under_the_curve(results: Results) -> None:
    pairs = results.query("barrier_pairs")
    frame = results.query("curves")
    for a, b, area, distance in pairs.select(
        "model_a", "model_b", "distance_area", "l2_distance"
    ).iter_rows():
        losses = np.array(frame.filter(model_a=a, model_b=b).sort("alpha")["value"])
        above = losses - losses.min()
        step = distance / (len(losses) - 1)
        assert area == pytest.approx(sum(step * (above[:-1] + above[1:]) / 2))


def test_every_measure_can_fill_a_matrix(results: Results) -> None:
    matrix = results.query("barrier_matrix", measure="distance_area", order="study")
    pair = results.query("barrier_pairs").row(0, named=True)
    cell = matrix.filter(model=pair["model_a"])[pair["model_b"]].item()
    assert cell == pair["distance_area"]


def test_the_mean_percentage_of_violations_is_that_over_ordered_triples(study: GapStudy) -> None:
    rng = np.random.default_rng(5)
    gaps = {pair: float(rng.choice([0.0, 0.1, 0.3, 2.0])) for pair in combinations(range(7), 2)}
    whole = {
        **gaps,
        **{(b, a): gap for (a, b), gap in gaps.items()},
        **{(i, i): 0.0 for i in range(7)},
    }
    percents = [
        100 * (whole[i, k] - whole[i, j] - whole[j, k]) / (whole[i, j] + whole[j, k] + 1e-10)
        for i, j, k in product(range(7), repeat=3)
        if whole[i, k] > whole[i, j] + whole[j, k] + 1e-10
    ]
    row = study.of_gaps(7, gaps).query("transitivity").row(0, named=True)
    assert len(percents) == 2 * row["n_violations"] > 0
    assert row["mean_percent"] == pytest.approx(np.mean(percents))


def test_without_a_violation_there_is_no_percentage(study: GapStudy) -> None:
    flat = dict.fromkeys(combinations(range(4), 2), 1.0)
    assert study.of_gaps(4, flat).query("transitivity")["mean_percent"].null_count() == 5


# Trainings m0 … m5; 6 to 11 are their checkpoints of step 100, with other sides.
ENDS = planted([3, 3], within=0.2, between=1.5, seed=1)[0]
EARLY = planted([2, 4], within=0.2, between=1.5, seed=2)[0]


def two_steps(study: GapStudy) -> Moment:
    gaps = {
        (a + shift, b + shift): float(matrix[a, b])
        for shift, matrix in ((0, ENDS), (6, EARLY))
        for a, b in combinations(range(6), 2)
    }
    checkpoints = {6 + i: (i, 100) for i in range(6)}
    now = study.of_gaps(12, gaps, clusterings=[[0, 0, 0, 1, 1, 1]], checkpoints=checkpoints)
    values = [
        {"run_id": f"id{i}", "dataset": "validation", "subset": "all", "half": "all",
         "metric": "accuracy", "precision": "fp32", "value": i / 20, "n_examples": 20}
        for i in range(12)
    ]  # fmt: skip
    storage.insert_rows(
        now.connection, EVALUATIONS, pl.DataFrame(values, schema=frame_schema(EVALUATIONS))
    )
    storage.insert_rows(now.connection, STEP_PLACES, step_place_rows(now))
    return now


def test_every_step_is_clustered_and_embedded_by_its_own_gaps(study: GapStudy) -> None:
    rows = two_steps(study).query("step_embedding", diagnostic="validation:all:accuracy")
    for step, matrix in ((100, EARLY), (900, ENDS)):
        found = juneja2023(matrix)
        axis = found.centroid_distances[:, 0] - found.centroid_distances[:, 1]
        ours = rows.filter(step=step)["axis"].to_numpy()
        assert np.abs(ours) == pytest.approx(np.abs(axis), abs=1e-12)


def test_an_arrow_leads_from_the_step_before(study: GapStudy) -> None:
    rows = two_steps(study).query("step_embedding", diagnostic="validation:all:accuracy")
    third = rows.filter(training="m2")
    # At step 100 the third training is on the side of m3 to m5, at the end on that of m0 and m1.
    assert third["step_cluster"].to_list() == [1, 0]
    assert third["switched"].to_list() == [None, True]
    assert third["axis_before"].to_list() == [None, third["axis"][0]]
    assert third["value_before"].to_list() == [None, 8 / 20]
    others = rows.filter(pl.col("training") != "m2")
    assert others["switched"].drop_nulls().to_list() == [False] * 5


def test_without_tracked_steps_nothing_moves(study: GapStudy) -> None:
    gaps = {(a, b): float(ENDS[a, b]) for a, b in combinations(range(6), 2)}
    assert step_place_rows(study.of_gaps(6, gaps)).is_empty()


def test_a_step_with_a_missing_pair_has_no_places(study: GapStudy) -> None:
    now = two_steps(study)
    now.connection.execute("DELETE FROM storage.barrier_rows WHERE path_id = '6-7'")
    rows = step_place_rows(now)
    assert set(rows["model_id"]) == {f"id{i}" for i in range(6)}
