"""The figures' data: order, holes, directions, samples, size."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import numpy as np
import polars as pl
import pytest

from lmc_track.report.curve_views import CurveGroup, CurveView, curve_views, views_for_page
from lmc_track.report.facts import Facts
from lmc_track.report.matrix_plot import in_cluster_order, matrix_figure
from lmc_track.report.page import embedded_json
from lmc_track.report.strip_plot import strip_figure
from lmc_track.warehouse.results import Results

Kinds = Callable[[str], Results]
Read = Callable[[str], Facts]


@pytest.fixture
def two(facts_of: Read) -> Facts:
    return facts_of("two clusters")


@pytest.fixture(scope="module")
def losses_view(results_of: Kinds, facts_of: Read) -> CurveView:
    """Validation's loss of the study with two clusters."""
    return curve_views(results_of("two clusters"), facts_of("two clusters"), None)[0]


def test_the_matrix_is_in_cluster_order(two: Facts) -> None:
    assert in_cluster_order(two) == ["seed-0", "seed-2", "seed-4", "seed-1", "seed-3"]


def test_the_matrix_is_symmetric_with_the_gaps_of_the_pairs(two: Facts) -> None:
    heat = matrix_figure(two)["data"][0]
    matrix = np.array(heat["z"], dtype=float)
    pair = two.pairs.filter((pl.col("model_a") == "seed-1") & (pl.col("model_b") == "seed-4"))
    assert np.array_equal(matrix, matrix.T)
    assert np.array_equal(np.diag(matrix), np.zeros(5))
    i, j = heat["x"].index("seed-1"), heat["x"].index("seed-4")
    assert matrix[i, j] == pytest.approx(pair["convexity_gap"][0], rel=1e-3)


def test_the_colour_scale_says_what_it_measures(two: Facts) -> None:
    heat = matrix_figure(two)["data"][0]
    assert heat["colorbar"]["title"]["text"] == "convexity gap, nats"
    assert heat["colorscale"] == "Cividis"


def test_colours_of_small_gaps_span_a_tenth_of_the_way_to_chance(facts_of: Read) -> None:
    facts = facts_of("one cluster")
    pair = facts.pairs.filter(pl.col("relative_gap") > 0).row(0, named=True)
    headroom = pair["convexity_gap"] / pair["relative_gap"]
    largest = facts.pairs["convexity_gap"].max()
    assert isinstance(largest, float)
    assert largest < 0.1 * headroom
    assert matrix_figure(facts)["data"][0]["zmax"] == pytest.approx(0.1 * headroom, rel=0.05)


def test_pairs_without_a_gap_are_marked(facts_of: Read) -> None:
    heat, crosses = matrix_figure(facts_of("holes"))["data"]
    assert sorted(zip(crosses["x"], crosses["y"], strict=True)) == [
        ("seed-0", "seed-1"), ("seed-1", "seed-0"), ("seed-1", "seed-3"), ("seed-3", "seed-1"),
    ]  # fmt: skip
    i, j = heat["x"].index("seed-0"), heat["x"].index("seed-1")
    assert heat["z"][i][j] is None


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
    facts, view = _hundred_models(two)
    others = [replace(view, metric="accuracy")] * 9
    drawn = {"matrix": matrix_figure(facts), "paths": views_for_page([view, *others], facts)}
    first, second = drawn["paths"]["views"][:2]
    assert len(embedded_json(drawn)) < 3_000_000
    assert len(first["groups"][0]["values"]) == 4950
    assert len(second["groups"][0]["values"]) <= 400
    assert second["groups"][0]["n_pairs"] == 4950
    assert second["groups"][0]["median"] == first["groups"][0]["median"]


def _hundred_models(facts: Facts) -> tuple[Facts, CurveView]:
    random = np.random.default_rng(0)
    pairs = list(combinations(range(100), 2))
    names = [f"seed-{i}" for i in range(100)]
    gaps = random.uniform(0, 1, len(pairs))
    many = replace(
        facts,
        models=pl.DataFrame({"name": names, "position": range(100), "cluster": [0] * 100}),
        pairs=pl.DataFrame(
            {
                "model_a": [names[a] for a, _ in pairs],
                "model_b": [names[b] for _, b in pairs],
                "convexity_gap": gaps,
                "barrier_height": gaps,
                "relative_gap": gaps,
            }
        ),
    )
    values = random.uniform(0, 1, (len(pairs), 11))
    group = CurveGroup("all", "all pairs", "--within", pairs, values)
    return many, CurveView("validation", "loss", "loss, nats", 0.69, (group,))


def test_embedded_json_cannot_leave_its_script_element() -> None:
    text = embedded_json({"name": "</script><!-- & \u2028"})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"name": "</script><!-- & \u2028"}
