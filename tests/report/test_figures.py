"""The figures' data: order, holes, directions, samples, size."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import numpy as np
import polars as pl
import pytest

from lmc_track.metrics import GAP_METRICS
from lmc_track.report.curve_views import CurveGroup, CurveView, curve_views, views_for_page
from lmc_track.report.facts import Facts
from lmc_track.report.matrix_plot import in_cluster_order, matrix_figure, read_merge_tree
from lmc_track.report.matrix_views import MatrixView
from lmc_track.report.page import embedded_json
from lmc_track.report.strip_plot import strip_figure
from lmc_track.report.wording import metric_name
from lmc_track.warehouse.results import Results
from support.drawn import matrix_of, unpacked

Kinds = Callable[[str], Results]
Read = Callable[[str], Facts]


@pytest.fixture
def two(facts_of: Read) -> Facts:
    return facts_of("two clusters")


@pytest.fixture(scope="module")
def losses_view(results_of: Kinds, facts_of: Read) -> CurveView:
    """Validation's loss of the study with two clusters."""
    return curve_views(results_of("two clusters"), facts_of("two clusters"), None)[0]


def test_the_matrix_is_in_cluster_order_whatever_the_tree_is(two: Facts, results_of: Kinds) -> None:
    order = in_cluster_order(two, read_merge_tree(results_of("two clusters"), two))
    assert set(order[:3]) == {"seed-0", "seed-2", "seed-4"}
    assert set(order[3:]) == {"seed-1", "seed-3"}


def test_the_first_view_holds_the_reported_gaps(results_of: Kinds, facts_of: Read) -> None:
    drawn, facts = matrix_of("two clusters", results_of, facts_of), facts_of("two clusters")
    view = drawn["views"][0]
    assert (view["dataset"], view["metric"], view["half"]) == ("validation", "loss", "held-out")
    gaps = {
        frozenset((a, b)): gap
        for a, b, gap in facts.pairs.select("model_a", "model_b", "convexity_gap").iter_rows()
    }
    wanted = [gaps[frozenset(pair)] for pair in combinations(drawn["names"], 2)]
    assert unpacked(view["convexity_gap"]) == pytest.approx(wanted, rel=1e-3, abs=1e-6)


def test_every_data_set_half_and_metric_is_a_view(results_of: Kinds, facts_of: Read) -> None:
    drawn = matrix_of("two clusters", results_of, facts_of)
    frame = results_of("two clusters").query("pair_measures").drop_nulls("convexity_gap")
    wanted = set(frame.select("dataset", "half", "metric").unique().iter_rows())
    named = {(dataset, half, metric_name(metric)) for dataset, half, metric in wanted}
    assert {(v["dataset"], v["half"], v["metric"]) for v in drawn["views"]} == named
    assert {v["metric"] for v in drawn["views"]} == {"loss", "error", "calibrated loss"}
    assert all({"convexity_gap", "barrier_height"} <= v.keys() for v in drawn["views"])


def test_every_pair_leads_to_its_run(results_of: Kinds, facts_of: Read) -> None:
    drawn = matrix_of("two clusters", results_of, facts_of)
    runs = {
        frozenset((a, b)): run
        for a, b, run in facts_of("two clusters")
        .pairs.select("model_a", "model_b", "path_id")
        .iter_rows()
    }
    assert drawn["runs"] == [runs[frozenset(pair)] for pair in combinations(drawn["names"], 2)]


def test_colours_of_small_gaps_span_a_tenth_of_the_way_to_chance(
    results_of: Kinds, facts_of: Read
) -> None:
    facts = facts_of("one cluster")
    pair = facts.pairs.filter(pl.col("relative_gap") > 0).row(0, named=True)
    headroom = pair["convexity_gap"] / pair["relative_gap"]
    largest = facts.pairs["convexity_gap"].max()
    assert isinstance(largest, float)
    assert largest < 0.1 * headroom
    top = matrix_of("one cluster", results_of, facts_of)["views"][0]["top"]
    assert top == pytest.approx(0.1 * headroom, rel=0.05)


def test_pairs_without_a_gap_are_holes(results_of: Kinds, facts_of: Read) -> None:
    drawn = matrix_of("holes", results_of, facts_of)
    gaps = unpacked(drawn["views"][0]["convexity_gap"])
    lacking = [
        set(pair) for pair, gap in zip(combinations(drawn["names"], 2), gaps, strict=True)
        if np.isnan(gap)
    ]  # fmt: skip
    assert len(lacking) == 2
    assert {"seed-0", "seed-1"} in lacking
    assert {"seed-1", "seed-3"} in lacking


def test_strips_have_one_dot_a_model_and_the_clusters_colours(two: Facts) -> None:
    dots = [t for t in strip_figure(two)["data"] if "text" in t]
    rows = two.diagnostics.filter(pl.col("value").is_not_null())
    assert sum(len(t["x"]) for t in dots) == rows.height
    assert [t["marker"]["color"] for t in dots] == ["--cluster-0", "--cluster-1"]


def test_curves_start_and_end_at_the_models_own_losses(
    results_of: Kinds, losses_view: CurveView
) -> None:
    view = losses_view
    losses = results_of("two clusters").query("models", study="simulated", half="held-out")
    assert (view.dataset, view.metric) == ("validation", "loss")
    for group in view.groups:
        for (start, end), curve in zip(group.pairs, group.values, strict=True):
            assert curve[0] == pytest.approx(losses["validation_loss"][start])
            assert curve[-1] == pytest.approx(losses["validation_loss"][end])


def test_curves_between_clusters_start_in_the_lower_numbered_one(
    losses_view: CurveView, two: Facts
) -> None:
    view = losses_view
    clusters = two.models["cluster"].to_list()
    (between,) = [group for group in view.groups if group.kind == "between"]
    assert {(clusters[a], clusters[b]) for a, b in between.pairs} == {(0, 1)}
    assert len(between.pairs) == 6


def test_incomplete_curves_keep_their_points(results_of: Kinds, facts_of: Read) -> None:
    facts = facts_of("holes")
    view = curve_views(results_of("holes"), facts, None)[0]
    lacking = sum(int(np.isnan(group.values).sum()) for group in view.groups)
    assert sum(len(group.pairs) for group in view.groups) == 9
    assert lacking == 1


def test_a_hundred_models_fit_into_three_megabytes(two: Facts) -> None:
    view = _hundred_models()
    names = [f"seed-{i}" for i in range(100)]
    values = dict.fromkeys(("convexity_gap", "barrier_height"), view.groups[0].values[:, 0])
    matrices = [
        MatrixView(f"set-{k}", half, metric, values, tuple("0" * 32 for _ in view.groups[0].pairs))
        for k in range(4)
        for half in ("all", "discovery", "held-out")
        for metric in GAP_METRICS
    ]
    facts = replace(
        two, models=pl.DataFrame({"name": names, "position": range(100), "cluster": [0] * 100})
    )
    drawn = {
        "matrix": matrix_figure(facts, matrices, []),
        "paths": views_for_page([replace(view, dataset=f"set-{k}") for k in range(8)], facts),
    }
    assert len(embedded_json(drawn)) < 3_000_000


def test_a_sample_is_drawn_of_thousands_of_curves_and_all_are_there(two: Facts) -> None:
    view = _hundred_models()
    first, second = views_for_page([view, replace(view, metric="accuracy")], two)["views"]
    assert first["groups"][0]["step"] == 1
    assert second["groups"][0]["step"] == 13
    assert unpacked(second["groups"][0]["values"]).shape == (4950, 11)


def test_pairs_are_told_once_and_again_only_where_they_differ(two: Facts) -> None:
    view = _hundred_models()
    (group,) = view.groups
    fewer = replace(group, pairs=group.pairs[1:], values=group.values[1:])
    views = [view, replace(view, metric="accuracy"), replace(view, groups=(fewer,))]
    told = [drawn["groups"][0]["pairs"] for drawn in views_for_page(views, two)["views"]]
    assert told == [group.pairs, None, fewer.pairs]


def _hundred_models() -> CurveView:
    random = np.random.default_rng(0)
    pairs = list(combinations(range(100), 2))
    values = random.uniform(0, 1, (len(pairs), 11))
    group = CurveGroup("all", "all pairs", "--within", pairs, values)
    return CurveView("validation", "loss", "loss, nats", 0.69, (group,))


def test_embedded_json_cannot_leave_its_script_element() -> None:
    text = embedded_json({"name": "</script><!-- & \u2028"})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"name": "</script><!-- & \u2028"}
