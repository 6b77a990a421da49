"""What every figure keeps: paper size, readable text, embedded fonts, the same bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from lmc_track.report.facts import Facts
from lmc_track.report.figures.catalogue import FAMILIES, left_out, paper_figures
from lmc_track.report.figures.figure import FORMATS, PaperFigure
from lmc_track.report.figures.style import COLUMN, TEXT, light_theme, of_cluster, styled
from lmc_track.report.palette import CLUSTER_COLOURS, cluster_colour
from lmc_track.warehouse.results import Results
from support.gap_study import gap_study
from support.paper_study import STUDY, reportable
from support.renamed import Renamed

Kinds = Callable[[str], Results]
Read = Callable[[str], Facts]
Drawn = Callable[[str], dict[str, PaperFigure]]
KINDS = ["no clustering", "holes", "one model", "parts"]
MEASURED = {
    "barrier-matrix", "barrier-matrix-by-main_only-all-accuracy",
    "barrier-matrix-by-validation-all-accuracy", "paths", "diagnostics", "subsets", "distances",
    "merge-tree",
}  # fmt: skip


def texts(figure: PaperFigure) -> list[tuple[Text, Bbox]]:
    """Every text that is seen, and the space that it takes."""
    drawing = figure.drawing
    renderer: Any = FigureCanvasAgg(drawing).get_renderer()
    with styled():
        drawing.draw_without_rendering()
        shown = [t for t in seen(drawing) if t.get_visible() and t.get_text().strip()]
        return [(t, t.get_window_extent(renderer)) for t in shown]


def seen(drawing: Figure) -> Iterator[Text]:
    """Titles, labels, legends, and labels of the ticks that are within their axes."""
    yield from drawing.texts
    for legend in drawing.legends:
        yield from legend.get_texts()
    for axes in drawing.axes:
        if not (axes.get_visible() and axes.axison):
            continue
        yield from (axes.title, axes._left_title, axes._right_title)
        for axis in (axes.xaxis, axes.yaxis):
            yield from (axis.label, axis.get_offset_text())
            low, high = sorted(axis.get_view_interval())
            room = 1e-6 * (high - low)
            for tick in axis.get_major_ticks():
                if low - room <= tick.get_loc() <= high + room:
                    yield tick.label1


def assert_readable(figure: PaperFigure) -> None:
    """No text is cut off, lies on another, or is too small or too large for a paper."""
    found = texts(figure)
    page = figure.drawing.bbox
    for text, box in found:
        assert 7 <= text.get_fontsize() <= 9, text
        assert box.x0 >= page.x0 - 1, (figure.name, text)
        assert box.y0 >= page.y0 - 1, (figure.name, text)
        assert box.x1 <= page.x1 + 1, (figure.name, text)
        assert box.y1 <= page.y1 + 1, (figure.name, text)
    for (one, a), (other, b) in combinations(found, 2):
        width = min(a.x1, b.x1) - max(a.x0, b.x0)
        height = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert width <= 2 or height <= 2, (figure.name, one, other)


@pytest.mark.parametrize("kind", KINDS)
def test_texts_neither_overlap_nor_are_cut(figures_of: Drawn, kind: str) -> None:
    for figure in figures_of(kind).values():
        assert_readable(figure)


@pytest.mark.full
def test_long_names_neither_overlap_nor_are_cut(results_of: Kinds) -> None:
    long = "a-name-that-is-longer-than-any-that-fits-into-the-margin-of-a-figure-of-some-paper"
    names = {f"seed-{i}": f"{long}-{i}" for i in range(9)} | {
        name: f"{long}.{name}"
        for name in ("main_only", "embedded_only", "encoder.layer.0", "plural", "singular")
    }
    with results_of("parts").at_once() as now:
        for figure in paper_figures(Renamed(now, names), "simulated"):
            assert_readable(figure)


def many_gaps(n: int) -> dict[tuple[int, int], float]:
    """Small within two clusters, large between them, no two alike."""
    random = np.random.default_rng(0)
    return {
        (a, b): float(random.uniform(0.0, 0.4) + 0.3 * (a % 2 != b % 2))
        for a, b in combinations(range(n), 2)
    }


@pytest.fixture(scope="module")
def hundred() -> Iterator[Mapping[str, PaperFigure]]:
    with gap_study() as study:
        moment = reportable(study, 100, many_gaps(100), [i % 2 for i in range(100)])
        yield {figure.name: figure for figure in paper_figures(moment, STUDY)}


@pytest.mark.full
def test_a_hundred_models_have_room(hundred: Mapping[str, PaperFigure]) -> None:
    assert set(hundred) == {"barrier-matrix", "distances", "merge-tree"}
    for figure in hundred.values():
        assert_readable(figure)


def test_a_hundred_models_make_small_files(hundred: Mapping[str, PaperFigure]) -> None:
    for figure in hundred.values():
        assert len(figure.rendered("svg")) < 1_500_000
        assert len(figure.rendered("pdf")) < 500_000


@pytest.mark.parametrize("kind", KINDS)
def test_figures_have_the_width_of_a_column_or_of_the_text(figures_of: Drawn, kind: str) -> None:
    assert {figure.size[0] for figure in figures_of(kind).values()} <= {COLUMN, TEXT}
    assert all(figure.size[1] <= 9 for figure in figures_of(kind).values())


@pytest.mark.parametrize(
    ("kind", "more"), [("parts", {"strategy-scatter", "modules"}), ("no clustering", set())]
)
def test_what_a_study_has_data_for_is_drawn(figures_of: Drawn, kind: str, more: set[str]) -> None:
    assert set(figures_of(kind)) == MEASURED | more


def test_one_model_has_no_figures_of_pairs(figures_of: Drawn) -> None:
    assert set(figures_of("one model")) == {"diagnostics", "subsets"}


def test_what_is_left_out_is_known(figures_of: Drawn) -> None:
    drawn = list(figures_of("no clustering").values())
    assert left_out(drawn) == [
        "performance-groups",
        "strategy-scatter",
        "modules",
        "training",
        "movement",
    ]
    assert left_out([]) == list(FAMILIES)


@pytest.mark.full
def test_the_same_results_give_the_same_bytes(results_of: Kinds, figures_of: Drawn) -> None:
    again = {figure.name: figure for figure in paper_figures(results_of("parts"), "simulated")}
    for name, figure in figures_of("parts").items():
        assert again[name].rendered("svg") == figure.rendered("svg"), name


def test_a_file_does_not_depend_on_which_was_written_before(figures_of: Drawn) -> None:
    figure = figures_of("no clustering")["paths"]
    first = {kind: figure.rendered(kind) for kind in FORMATS}
    assert {kind: figure.rendered(kind) for kind in reversed(FORMATS)} == first


def test_fonts_are_embedded_as_outlines_that_can_be_edited(figures_of: Drawn) -> None:
    for figure in figures_of("parts").values():
        pdf = figure.rendered("pdf")
        assert b"/FontFile2" in pdf
        assert b"/Type3" not in pdf


def test_text_of_an_svg_is_text_and_falls_back_to_what_a_reader_has(figures_of: Drawn) -> None:
    svg = figures_of("parts")["barrier-matrix"].rendered("svg").decode()
    assert re.search(r"<text [^>]*>seed-3</text>", svg)
    assert set(re.findall(r"font-family: ([^;\"]*)", svg)) == {
        "'DejaVu Sans', 'Verdana', 'Arial', 'Helvetica', sans-serif"
    }


def test_files_hold_no_dates(figures_of: Drawn) -> None:
    figure = figures_of("one model")["diagnostics"]
    assert b"CreationDate" not in figure.rendered("pdf")
    assert b"<dc:date>" not in figure.rendered("svg")
    assert b"tIME" not in figure.rendered("png")


def test_pictures_have_300_dots_an_inch(figures_of: Drawn) -> None:
    figure = figures_of("one model")["diagnostics"]
    png = figure.rendered("png")
    width, height = (int.from_bytes(png[at : at + 4]) for at in (16, 20))
    assert (width, height) == tuple(int(300 * side + 0.01) for side in figure.size)


def test_clusters_have_the_colours_of_the_page() -> None:
    theme = light_theme()
    shown = [of_cluster(k) for k in range(CLUSTER_COLOURS)]
    assert shown == [theme[cluster_colour(k)] for k in range(CLUSTER_COLOURS)]
    assert len(set(shown)) == CLUSTER_COLOURS
    assert all(re.fullmatch("#[0-9a-f]{6}", value) for value in theme.values())


@pytest.mark.parametrize("kind", ["parts", "no clustering"])
def test_captions_name_examples_models_and_grid(figures_of: Drawn, kind: str) -> None:
    figures = figures_of(kind)
    n = figures["barrier-matrix"].counts["n_models"]
    matrix = figures["barrier-matrix"].caption
    assert f"every two of {n} models" in matrix
    assert re.search(r"\d+ held-out examples of validation; 3 points a path", matrix)
    assert all(re.search("held-out|discovery", f.caption) for f in figures.values())


def test_settings_of_a_readers_own_are_taken(results_of: Kinds) -> None:
    (figure, *_) = paper_figures(
        results_of("one model"), "simulated", style={"axes.labelsize": 8.5}
    )
    assert 8.5 in {text.get_fontsize() for text, _ in texts(figure)}
