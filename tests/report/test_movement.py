"""Movement in training, on the page and on paper."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import polars as pl
import pytest

from lmc_track.report.facts import gather
from lmc_track.report.figures.catalogue import paper_figures
from lmc_track.report.movement import movement_sections
from lmc_track.steps.step_places import step_place_rows
from lmc_track.warehouse import storage
from lmc_track.warehouse.moment import Moment
from lmc_track.warehouse.tables import EVALUATIONS, STEP_PLACES, frame_schema
from support.gap_study import gap_study
from support.paper_study import STUDY, reportable
from support.planted_gaps import planted

# m2 is with m3, m4 and m5 at step 100, and with m0 and m1 at the end.
ENDS = planted([3, 3], within=0.2, between=1.5, seed=1)[0]
EARLY = planted([2, 4], within=0.2, between=1.5, seed=2)[0]


@pytest.fixture(scope="module")
def moment() -> Iterator[Moment]:
    gaps = {
        (a + shift, b + shift): float(matrix[a, b])
        for shift, matrix in ((0, ENDS), (6, EARLY))
        for a, b in combinations(range(6), 2)
    }
    checkpoints = {6 + i: (i, 100) for i in range(6)}
    clusters = [0, 0, 0, 1, 1, 1] + [None] * 6
    values = [
        {"run_id": f"id{i}", "dataset": "validation", "subset": "all", "half": half,
         "metric": "accuracy", "precision": "fp32", "value": i / 20, "n_examples": 20}
        for i in range(12)
        for half in ("all", "held-out")
    ]  # fmt: skip
    with gap_study() as study:
        made = reportable(study, 12, gaps, clusters, checkpoints)
        frame = pl.DataFrame(values, schema=frame_schema(EVALUATIONS))
        storage.insert_rows(study.connection, EVALUATIONS, frame)
        storage.insert_rows(study.connection, STEP_PLACES, step_place_rows(made))
        yield made


def test_the_lede_names_who_changes_clusters_and_when(moment: Moment) -> None:
    (section,) = movement_sections(moment, gather(moment, STUDY), None)
    assert section.lede == (
        "Clustered anew at step 100 and step 900, 1 of 6 trainings changes clusters on the way: "
        "m2 (step 900)."
    )


def test_an_arrow_for_each_training_leads_to_its_last_place(moment: Moment) -> None:
    (section,) = movement_sections(moment, gather(moment, STUDY), None)
    assert section.plot is not None
    arrows = section.plot["layout"]["annotations"]
    assert len(arrows) == 6
    assert [arrow["arrowcolor"] for arrow in arrows].count("--between") == 1
    marks = {
        (x, y)
        for trace in section.plot["data"]
        for x, y in zip(trace["x"], trace["y"], strict=True)
    }
    for arrow in arrows:
        assert (arrow["x"], arrow["y"]) in marks
        assert (arrow["ax"], arrow["ay"]) in marks


def test_the_same_is_a_figure_for_a_paper(moment: Moment) -> None:
    figures = {figure.name: figure for figure in paper_figures(moment, STUDY)}
    assert figures["movement"].counts == {"steps": [100, 900], "n_trainings": 6, "n_switching": 1}
    assert len(figures["movement"].drawing.axes[0].texts) == 6


def test_a_study_without_tracked_steps_has_no_such_section(moment: Moment) -> None:
    with gap_study() as study:
        gaps = {(a, b): float(ENDS[a, b]) for a, b in combinations(range(6), 2)}
        alone = reportable(study, 6, gaps, [0, 0, 0, 1, 1, 1])
        assert list(movement_sections(alone, gather(alone, STUDY), None)) == []
