"""A study in the MLflow UI, as a stranger sees it in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lmc_track.tracking.location import Location
from lmc_track.tracking.pages import experiment_page, experiments_page, run_page
from support.browser import console_errors, wait_for
from support.stores import empty_home
from support.studies import run_tiny, runs_of
from support.ui import served_ui

pytestmark = pytest.mark.full

NOT_OURS = ("users/current", "AG Grid", "ResizeObserver", "favicon")
"""What MLflow's own pages say on the console, whatever they show."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Location:
    location = empty_home(tmp_path_factory.mktemp("shown"))
    run_tiny(location, study={"name": "tiny", "description": "Two cues & <b>one</b> task."})
    return location


@pytest.fixture(scope="module")
def address(home: Location) -> Iterator[str]:
    with served_ui(home, "tiny") as found:
        yield found


@pytest.fixture
def server(address: str) -> str:
    return address.partition("#")[0]


def text_of(driver: Any) -> str:
    return str(driver.find_element("tag name", "body").text)


def our_errors(driver: Any) -> list[str]:
    return [e for e in console_errors(driver) if not any(theirs in e for theirs in NOT_OURS)]


def run_names(driver: Any) -> list[str]:
    """The runs of the table in the order on the page."""
    rows = driver.find_elements("css selector", ".ag-row[row-index]")
    found = {}
    for row in rows:
        for link in row.find_elements("css selector", "a[href*='/runs/']"):
            found[int(row.get_attribute("row-index"))] = link.text
    return [found[index] for index in sorted(found)]


def experiment_of(address: str) -> str:
    return address.partition("/experiments/")[2].partition("/")[0]


def test_the_address_printed_shows_models_then_paths(
    driver: Any, address: str, home: Location
) -> None:
    index = runs_of(home)
    models = {run.name for run in index.all("model")}
    paths = {run.name for run in index.all("path")}
    driver.get(address)
    wait_for(driver, lambda d: "report tiny" in run_names(d), "the report among the runs")
    names = run_names(driver)
    assert set(names[: len(models)]) == models
    assert set(names[len(models) : len(models) + len(paths)]) == paths
    assert not [name for name in names if name.startswith("alpha")], "points are below their path"
    assert "Two cues &" in text_of(driver)
    assert our_errors(driver) == []


def test_the_view_of_the_rest_has_clusters_and_data(driver: Any, server: str, address: str) -> None:
    driver.get(server + experiment_page(experiment_of(address), "lmc-rest"))
    wait_for(driver, lambda d: "clusters, verdict" in run_names(d), "the clusters among the runs")
    assert "data validation" in run_names(driver)


def test_the_list_of_experiments_has_the_study(driver: Any, server: str) -> None:
    driver.get(server + experiments_page())
    link = wait_for(driver, lambda d: d.find_element("link text", "tiny"), "the study's link")
    assert "/experiments/" in link.get_attribute("href")
    assert "usage data" not in text_of(driver)
    assert our_errors(driver) == []


def test_the_view_of_paths_is_sorted_by_the_gap(
    driver: Any, server: str, address: str, home: Location
) -> None:
    paths = runs_of(home).all("path")
    gaps = {run.name: run.metrics["convexity_gap/validation"] for run in paths}
    driver.get(server + experiment_page(experiment_of(address), "lmc-paths"))
    wait_for(driver, lambda d: set(run_names(d)) == set(gaps), "the paths alone")
    shown = [gaps[name] for name in run_names(driver)]
    assert shown == sorted(gaps.values(), reverse=True)
    assert "convexity_gap/validation" in text_of(driver)
    assert our_errors(driver) == []


def test_the_view_of_models_has_a_column_a_diagnostic(
    driver: Any, server: str, address: str, home: Location
) -> None:
    models = {run.name: run.metrics["accuracy/main_only"] for run in runs_of(home).all("model")}
    driver.get(server + experiment_page(experiment_of(address), "lmc-models"))
    wait_for(driver, lambda d: set(run_names(d)) == set(models), "the models alone")
    shown = [models[name] for name in run_names(driver)]
    assert shown == sorted(models.values(), reverse=True)
    assert "accuracy/main_only" in text_of(driver)


def test_a_paths_page_draws_its_curves(
    driver: Any, server: str, address: str, home: Location
) -> None:
    path = runs_of(home).all("path")[0]
    driver.get(server + run_page(experiment_of(address), path.run_id, "model-metrics"))

    def points(d: Any) -> list[Any]:
        """The markers of the loss and accuracy charts: four alphas each."""
        plots = d.find_elements("css selector", ".js-plotly-plot")
        drawn = [len(p.find_elements("css selector", ".scatterlayer path.point")) for p in plots]
        return [n for n in drawn if n == 4]

    wait_for(driver, points, "a curve of four points")
    assert path.name in text_of(driver)


def test_a_paths_page_leads_to_its_models(
    driver: Any, server: str, address: str, home: Location
) -> None:
    index = runs_of(home)
    path = index.all("path")[0]
    ends = {run.name: run.run_id for run in index.all("model")}
    driver.get(server + run_page(experiment_of(address), path.run_id))
    name = path.params["model_a"]
    link = wait_for(driver, lambda d: d.find_element("link text", name), "a link to the first end")
    assert ends[name] in link.get_attribute("href")
    wait_for(driver, lambda d: f"tiny-{name}" in text_of(d), "the LoggedModel of the first end")
    assert "validation (" in text_of(driver), "the data sets among the run's"
    assert "alpha 0.3333" in text_of(driver), "the points"


def test_the_artifact_view_shows_the_report(
    driver: Any, server: str, address: str, home: Location
) -> None:
    report = runs_of(home).all("report")[0]
    driver.get(server + run_page(experiment_of(address), report.run_id, "artifacts/report.html"))
    frame = wait_for(driver, lambda d: d.find_element("tag name", "iframe"), "the page's frame")
    driver.switch_to.frame(frame)
    wait_for(driver, lambda d: "Findings" in text_of(d), "the report's findings")
    assert "4 finetuned models" in text_of(driver)
    wait_for(driver, lambda d: d.find_elements("css selector", ".js-plotly-plot svg"), "a figure")
    driver.switch_to.default_content()
    assert our_errors(driver) == []
