"""Parts of the network in the report."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lmc_track.report import module_views as views_module
from lmc_track.report.facts import gather
from lmc_track.report.module_views import (
    ModuleViews,
    module_views,
    modules_figure,
    modules_lede,
    modules_table,
)
from lmc_track.warehouse.results import Results

ResultsOf = Callable[[str], Results]


def views_of(results: Results) -> ModuleViews:
    views = module_views(results, gather(results, "simulated"), None)
    assert views is not None
    return views


def test_a_study_without_such_paths_has_no_views(results_of: ResultsOf) -> None:
    results = results_of("two clusters")
    assert module_views(results, gather(results, "simulated"), None) is None


def test_the_figure_has_a_row_a_part_and_a_column_a_direction(results_of: ResultsOf) -> None:
    views = views_of(results_of("parts"))
    heat = modules_figure(views)["data"][0]
    assert heat["y"] == ["encoder.layer.0", "classifier"]
    assert [len(row) for row in heat["z"]] == [12, 12]
    ticks = modules_figure(views)["layout"]["xaxis"]["ticktext"]
    assert ticks == ["within clusters", "between clusters"]
    shown = {
        (part, name): value
        for part, row in zip(heat["y"], heat["z"], strict=True)
        for name, value in zip(heat["text"][0], row, strict=True)
    }
    for row in views.paths.iter_rows(named=True):
        told = shown[row["modules"], f"{row['model_a']} to {row['model_b']}"]
        assert told == pytest.approx(row["barrier_to_models"], rel=0.01)


def test_too_many_pairs_are_shown_as_means(
    results_of: ResultsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views_module, "_MOST_COLUMNS", 5)
    heat = modules_figure(views_of(results_of("parts")))["data"][0]
    assert heat["text"][0] == [
        "mean from cluster 0 to 0",
        "mean from cluster 1 to 1",
        "mean from cluster 0 to 1",
        "mean from cluster 1 to 0",
    ]


def test_the_lede_names_the_part_that_costs_most(results_of: ResultsOf) -> None:
    views = views_of(results_of("parts"))
    between = views.summary.filter(pairs="between").sort("mean_barrier_to_models")
    text = modules_lede(views)
    assert text.startswith("Of 2 parts of the network moved one at a time between clusters, ")
    assert between["modules"][-1] in text


def test_the_table_tells_pairs_within_from_pairs_between(results_of: ResultsOf) -> None:
    table = modules_table(views_of(results_of("parts")))
    assert [row[1].text for row in table.rows] == ["within clusters"] * 2 + ["between clusters"] * 2
    assert [row[2].text for row in table.rows] == ["4", "4", "8", "8"]


def test_what_the_grid_misses_is_said(results_of: ResultsOf) -> None:
    from lmc_track.report.ledes import grid_error_lede

    results = results_of("parts")
    facts = gather(results, "simulated")
    (sentence,) = grid_error_lede(results.query("grid_error"), facts)
    assert sentence.startswith("The common grid has 3 points; on 6 paths 6 further points raise")
