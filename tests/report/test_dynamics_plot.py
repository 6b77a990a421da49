"""Training dynamics as a figure."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from lmc_track.report.dynamics import Dynamics
from lmc_track.report.dynamics_plot import dynamics_figure
from lmc_track.report.facts import Facts

ROWS = [
    ("a", 10, 0, False, 0.5, 0.7), ("a", 20, 0, True, 0.4, 0.8),
    ("b", 10, 1, None, 0.6, 0.2), ("b", 20, 1, False, 0.3, None),
]  # fmt: skip
COLUMNS = ["training", "step", "cluster", "moved", "validation_loss", "diagnostic"]


@pytest.fixture
def two(facts_of: Callable[[str], Facts]) -> Facts:
    return facts_of("two clusters")


def dynamics(rows: list[tuple[object, ...]]) -> Dynamics:
    return Dynamics(pl.DataFrame(), pl.DataFrame(rows, schema=COLUMNS, orient="row"))


def test_every_training_is_a_line_in_its_last_clusters_colour(two: Facts) -> None:
    figure = dynamics_figure(dynamics(ROWS), two)
    assert figure is not None
    loss = figure["views"][-1]["data"]
    assert [(t["line"]["color"], t["x"], t["y"]) for t in loss] == [
        ("--cluster-0", [10, 20], [0.5, 0.4]), ("--cluster-1", [10, 20], [0.6, 0.3]),
    ]  # fmt: skip


def test_a_change_of_sides_has_an_open_mark(two: Facts) -> None:
    figure = dynamics_figure(dynamics(ROWS), two)
    assert figure is not None
    assert figure["views"][0]["data"][0]["marker"]["symbol"] == ["circle", "circle-open"]


def test_one_step_is_no_figure(two: Facts) -> None:
    assert dynamics_figure(dynamics(ROWS[::2]), two) is None
