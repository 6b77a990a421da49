"""Files of figures: all of them or none, beside what is there already."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lmc_track.errors import InputError
from lmc_track.progress import Silent
from lmc_track.report.facts import Facts, gather
from lmc_track.report.figures.catalogue import drawn_figures
from lmc_track.report.figures.figure import PaperFigure
from lmc_track.steps.report_files import check_folder, write_figures, write_pictures
from lmc_track.warehouse.results import Results

Made = tuple[Facts, list[PaperFigure]]


@pytest.fixture(scope="module")
def made(results: Results) -> Made:
    """Two figures of a study."""
    with results.at_once() as now:
        facts = gather(now, "simulated")
        drawn = {figure.name: figure for figure in drawn_figures(now, facts)}
    return facts, [drawn[name] for name in ("subsets", "strategy-scatter")]


def test_every_figure_is_written_in_three_forms_with_an_index(made: Made, tmp_path: Path) -> None:
    write_figures(tmp_path / "new" / "folder", *made, Silent())
    assert {path.name for path in (tmp_path / "new" / "folder").iterdir()} == {
        "subsets.pdf", "subsets.svg", "subsets.png",
        "strategy-scatter.pdf", "strategy-scatter.svg", "strategy-scatter.png", "figures.json",
    }  # fmt: skip


def test_the_index_has_what_a_caption_needs(made: Made, tmp_path: Path) -> None:
    write_figures(tmp_path, *made, Silent())
    index = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert index["half"] == "held-out"
    assert index["alphas"] == list(made[0].summary["alphas"])
    first = index["figures"][0]
    assert first["caption"] == made[1][0].caption
    assert (first["n_models"], first["metric"]) == (6, "accuracy")
    assert all((tmp_path / name).is_file() for f in index["figures"] for name in f["files"])


def test_other_files_of_a_folder_stay(made: Made, tmp_path: Path) -> None:
    (tmp_path / "mine.tex").write_text("kept")
    (tmp_path / "subsets.png").write_text("of an earlier time")
    write_pictures(tmp_path, made[1], Silent())
    assert (tmp_path / "mine.tex").read_text() == "kept"
    assert (tmp_path / "subsets.png").read_bytes() == made[1][0].rendered("png")


def test_nothing_is_written_where_one_file_cannot_be(made: Made, tmp_path: Path) -> None:
    (tmp_path / "strategy-scatter.png").mkdir()
    with pytest.raises(InputError, match=r"strategy-scatter\.png in it is a folder"):
        write_pictures(tmp_path, made[1], Silent())
    assert [path.name for path in tmp_path.iterdir()] == ["strategy-scatter.png"]


def test_a_file_in_the_way_is_found_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(InputError, match="taken is not a folder"):
        check_folder(tmp_path / "taken" / "figures")
