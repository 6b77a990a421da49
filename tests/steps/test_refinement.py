"""The adaptive grid through a whole study: refined points are points, and enter no matrix."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import lmc_track
from lmc_track.progress import Silent
from lmc_track.steps.run import evaluate_step, ingest_step, interpolate_step
from lmc_track.steps.status import study_status
from lmc_track.tracking.location import Location
from support.stores import empty_home
from support.studies import run_tiny, runs_of, tiny_study

pytestmark = pytest.mark.full

# Seeds this far apart in training have curves that a spline misjudges, so points are added.
SECTIONS = {
    "finetune": {"seeds": "0-2", "learning_rate": 0.05},
    "interpolate": {"points": 4, "refine": 2, "refine_tolerance": 0.001},
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, base_cache: Path) -> Location:
    location = empty_home(tmp_path_factory.mktemp("refined"))
    shutil.copytree(base_cache, location.cache / "base")
    run_tiny(location, **SECTIONS)
    return location


def refined(location: Location) -> list[str]:
    points = runs_of(location).all("point")
    return [point.params["alpha"] for point in points if point.tags["lmc.grid"] == "refined"]


def test_points_are_added_where_the_gap_is_uncertain(home: Location) -> None:
    assert 1 <= len(refined(home)) <= 3 * 2


def test_matrices_stay_on_the_common_grid(home: Location) -> None:
    results = lmc_track.open(home.home)
    assert set(results.query("barrier_pairs")["n_points"]) == {4}
    errors = results.query("grid_error")
    assert 1 <= errors.height <= 3
    assert (errors["missed"] >= 0).all()
    assert errors["n_refined"].sum() == len(refined(home))


def test_the_paths_own_gap_is_that_of_the_common_grid(home: Location) -> None:
    results = lmc_track.open(home.home)
    told = results.query("barrier_pairs").select("path_id", "convexity_gap").rows()
    logged = {run.run_id: run.metrics["convexity_gap/validation"] for run in
              runs_of(home).all("path")}  # fmt: skip
    for path, gap in told:
        assert logged[path] == pytest.approx(gap, abs=1e-6)


def test_nothing_is_looked_at_twice(home: Location) -> None:
    before = refined(home)
    assert interpolate_step(tiny_study(**SECTIONS), home, Silent()) == 0
    assert refined(home) == before


def test_refined_points_are_not_counted_as_planned_ones(home: Location) -> None:
    rows = {row["what"]: row for row in study_status(home, "tiny", disk=False).rows}
    assert rows["point"]["done"] == rows["point"]["planned"] == 6


def test_a_further_data_set_reaches_refined_points(home: Location) -> None:
    sets = ["validation", "main_only", "embedded_only"]
    wider = tiny_study(**SECTIONS, evaluate={"datasets": sets})
    evaluate_step(wider, home, Silent())
    ingest_step(home, Silent())
    errors = lmc_track.open(home.home).query("grid_error", dataset="embedded_only")
    assert errors["n_refined"].sum() == len(refined(home))
