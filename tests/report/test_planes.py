"""Planes in the report."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lmc_track.report.facts import gather
from lmc_track.report.plane_plots import colour_range, planes_figure
from lmc_track.report.plane_views import Plane, read_planes
from lmc_track.report.planes import planes_lede, planes_section, routes_table
from lmc_track.report.section import Section
from lmc_track.warehouse.results import Results

ResultsOf = Callable[[str], Results]


@pytest.fixture(scope="module")
def planes(results_of: ResultsOf) -> list[Plane]:
    results = results_of("planes")
    return read_planes(results, gather(results, "simulated"), None)


@pytest.fixture(scope="module")
def section(results_of: ResultsOf) -> Section:
    results = results_of("planes")
    (made,) = planes_section(results, gather(results, "simulated"), None)
    return made


def of_kind(figure: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [trace for trace in figure["data"] if trace["type"] == kind]


def test_a_study_without_planes_has_no_section(results_of: ResultsOf) -> None:
    results = results_of("two clusters")
    assert list(planes_section(results, gather(results, "simulated"), None)) == []


def test_there_is_a_view_a_data_set_and_metric(section: Section) -> None:
    assert section.plot is not None
    labels = [view["label"] for view in section.plot["views"]]
    assert labels[:2] == ["validation, loss", "validation, accuracy"]
    assert len(labels) == 4 * 2


def test_every_plane_has_a_panel_with_its_values(planes: list[Plane]) -> None:
    view = planes_figure(planes)["views"][0]
    contours = of_kind(view, "contour")
    assert [trace["xaxis"] for trace in contours] == ["x1", "x2"]
    for plane, trace in zip(planes, contours, strict=True):
        assert np.allclose(trace["z"], plane.values["validation", "loss"], rtol=1e-2)


def test_all_planes_have_one_scale_of_colours(planes: list[Plane]) -> None:
    hotter = replace(planes[1], values={k: 3 * v for k, v in planes[1].values.items()})
    view = planes_figure([planes[0], hotter])["views"][0]
    contours = of_kind(view, "contour")
    assert {trace["coloraxis"] for trace in contours} == {"coloraxis"}
    assert contours[0]["contours"] == contours[1]["contours"]
    between = hotter.values["validation", "loss"][hotter.between]
    assert view["layout"]["coloraxis"]["cmax"] >= between.max()


def test_the_scale_spans_what_is_between_the_models(planes: list[Plane]) -> None:
    (plane, *_) = planes
    losses = np.where(plane.between, 0.5, 50.0)
    low, high, step = colour_range([replace(plane, values={("v", "loss"): losses})], "v", "loss")
    assert (low, high) == (0, 0.5)
    assert 10 <= high / step <= 25
    shares = np.where(plane.between, 0.8, 0.1)
    low, high, _ = colour_range([replace(plane, values={("v", "m"): shares})], "v", "m")
    assert (low, high) == (0.8, 1)


def test_axes_have_one_scale(planes: list[Plane]) -> None:
    view = planes_figure(planes)["views"][0]
    for layout in (view["layout"], view["narrow"]):
        assert layout["yaxis"]["scaleanchor"] == "x"
        assert layout["yaxis2"]["scaleanchor"] == "x2"


def test_models_are_marked_where_they_are_in_the_colours_of_their_clusters(
    planes: list[Plane],
) -> None:
    (plane, *_) = planes
    view = planes_figure([plane])["views"][0]
    marks = [t for t in of_kind(view, "scatter") if t["mode"] == "markers"]
    assert [(t["x"][0], t["y"][0]) for t in marks] == [
        pytest.approx(at, abs=1e-3) for at in ((0, 0), (plane.row["x_b"], 0), (5, 8.6603))
    ]
    assert [t["marker"]["color"] for t in marks] == ["--cluster-0", "--cluster-1", "--cluster-0"]
    texts = [note["text"] for note in view["layout"]["annotations"]]
    assert texts == ["seed-0", "seed-1", "seed-2"]


def test_names_of_models_are_shown_as_they_are(planes: list[Plane]) -> None:
    (plane, *_) = planes
    odd = replace(plane, row={**plane.row, "model_a": "<script>alert(1)</script>"})
    assert "<script>" not in json.dumps(planes_figure([odd]))


def test_best_routes_are_drawn_on_losses_only(planes: list[Plane]) -> None:
    loss, accuracy = planes_figure(planes[:1])["views"][:2]
    solid = [
        [t for t in of_kind(v, "scatter") if t["mode"] == "lines" and t["line"]["dash"] == "solid"]
        for v in (loss, accuracy)
    ]
    assert len(solid[0]) == 2 * 3
    assert not solid[1]


def test_the_lede_says_what_a_way_round_saves(planes: list[Plane]) -> None:
    routes = [route for plane in planes for route in plane.routes["validation"]]
    text = planes_lede(planes, routes, "validation")
    assert text.startswith("On two planes through three models each the straight line between ")
    top = max(routes, key=lambda route: route["straight_barrier"])
    assert f"between {top['model_a']} and {top['model_b']} rises most" in text
    assert "models of one cluster and at least" in text


def test_of_a_pair_on_several_planes_the_lowest_route_counts(planes: list[Plane]) -> None:
    pair = {"model_a": "seed-0", "model_b": "seed-2", "same_cluster": True}
    high, low = (
        {**pair, "straight_barrier": 0.9, "route_barrier": barrier} for barrier in (0.8, 0.25)
    )
    text = planes_lede(planes, [high, low], "validation")
    assert "rises 0.900 nats above" in text
    assert text.endswith("the best route over any grid rises 0.250 nats.")


def test_without_paths_the_lede_speaks_of_routes_alone(planes: list[Plane]) -> None:
    routes = [{**route, "straight_barrier": None} for route in planes[0].routes["validation"]]
    text = planes_lede(planes[:1], routes, "validation")
    assert text.startswith("On the plane through seed-0, seed-1 and seed-2 the best route over ")
    assert "straight" not in text.partition(".")[0]


def test_the_table_has_a_row_a_pair(planes: list[Plane]) -> None:
    table = routes_table(planes, "validation")
    first = ["seed-0", "seed-0", "seed-1", "seed-0", "seed-0", "seed-2"]
    assert [row[1].text for row in table.rows] == first


def test_the_queries_name_every_plane(planes: list[Plane], section: Section) -> None:
    for plane in planes:
        assert any(f"plane={plane.row['plane_id']}" in query for query in section.queries)
