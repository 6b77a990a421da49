"""What single figures show: orders, holes, undecided pairs, means, steps."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import PathCollection, QuadMesh

from lmc_track.report.decisions import Decisions
from lmc_track.report.facts import Facts
from lmc_track.report.figures.catalogue import paper_figures
from lmc_track.report.figures.figure import PaperFigure, Subject
from lmc_track.report.figures.layout import distinct, legend_columns, shortened, text_width
from lmc_track.report.figures.matrix import matrix
from lmc_track.report.figures.style import styled
from lmc_track.report.intervals import mean_interval
from lmc_track.report.linkage import branches, leaf_order, read_merges
from lmc_track.warehouse.results import Results
from support.gap_study import gap_study
from support.paper_study import STUDY, reportable

Kinds = Callable[[str], Results]
Read = Callable[[str], Facts]
Drawn = Callable[[str], dict[str, PaperFigure]]


def cells(figure: PaperFigure) -> np.ndarray:
    """The values of the heat map."""
    (mesh,) = figure.drawing.axes[0].findobj(QuadMesh)
    return np.ma.filled(np.ma.asarray(mesh.get_array(), float), np.nan)


def marks(figure: PaperFigure) -> list[PathCollection]:
    """Crosses on holes, then rings on undecided pairs."""
    return [c for c in figure.drawing.axes[0].collections if isinstance(c, PathCollection)]


def test_the_matrix_has_the_gaps_of_the_pairs_in_the_order_it_says(
    figures_of: Drawn, facts_of: Read
) -> None:
    figure = figures_of("parts")["barrier-matrix"]
    order = figure.counts["order"]
    clusters = [facts_of("parts").cluster_of[name] for name in order]
    assert clusters == sorted(clusters, key=lambda c: c or 0)
    values = cells(figure)
    for a, b, gap in (
        facts_of("parts").pairs.select("model_a", "model_b", "convexity_gap").iter_rows()
    ):
        assert values[order.index(a), order.index(b)] == pytest.approx(gap)
    assert np.array_equal(values, values.T)


def test_holes_are_grey_with_a_cross(figures_of: Drawn) -> None:
    figure = figures_of("holes")["barrier-matrix"]
    crosses, _ = marks(figure)
    assert np.isnan(cells(figure)).sum() == len(crosses.get_offsets()) == 4
    assert "2 pairs were not measured" in figure.caption


def test_undecided_pairs_have_a_ring_on_both_sides(results_of: Kinds, facts_of: Read) -> None:
    facts = facts_of("parts")
    pairs = pl.DataFrame({"model_a": ["seed-0"], "model_b": ["seed-3"], "decision": ["undecided"]})
    decisions = Decisions(pairs, ({"tau": 0.1},))
    with styled():
        figure = next(matrix(Subject(results_of("parts"), facts, decisions=decisions)))
    order = figure.counts["order"]
    i, j = order.index("seed-0"), order.index("seed-3")
    _, rings = marks(figure)
    assert sorted(map(tuple, np.asarray(rings.get_offsets()) - 0.5)) == sorted([(i, j), (j, i)])
    assert "1 pair of which the examples do not decide" in figure.caption


@pytest.mark.full
def test_without_a_clustering_there_is_no_tree_over_the_matrix(figures_of: Drawn) -> None:
    labels = {
        kind: [a.get_ylabel() for a in figures_of(kind)["barrier-matrix"].drawing.axes]
        for kind in ("no clustering", "parts")
    }
    assert "τ, nats" not in labels["no clustering"]
    assert "τ, nats" in labels["parts"]


def test_curves_have_a_column_a_data_set_and_a_row_a_metric(figures_of: Drawn) -> None:
    axes = figures_of("parts")["paths"].drawing.axes
    titles = [a.get_title("left") for a in axes if a.get_title("left")]
    assert titles == ["validation", "train_sample", "embedded_only", "main_only"]
    assert [a.get_ylabel() for a in axes if a.get_ylabel()] == ["loss, nats", "accuracy"]


def test_dots_of_the_scatter_are_where_the_queries_put_them(
    results_of: Kinds, facts_of: Read, figures_of: Drawn
) -> None:
    panel = figures_of("parts")["strategy-scatter"].drawing.axes[0]
    dots = np.concatenate([np.asarray(c.get_offsets()) for c in panel.collections])
    places = dict(results_of("parts").query("embedding").select("model", "axis").iter_rows())
    facts = facts_of("parts")
    rows = facts.diagnostics.filter(
        (pl.col("dataset") == facts.primary.dataset) & (pl.col("subset") == "all")
    )
    expected = [(places[m], value) for m, value in rows.select("model", "value").iter_rows()]
    assert np.allclose(sorted(dots.tolist()), sorted(expected))


def test_steps_of_training_stand_in_their_order() -> None:
    checkpoints = {4 + i: (i, 100) for i in range(4)} | {8 + i: (i, 300) for i in range(4)}
    gaps = {
        (a + 4 * stage, b + 4 * stage): height * ((a < 2) != (b < 2))
        for stage, height in enumerate((1.0, 0.2, 0.5))
        for a, b in combinations(range(4), 2)
    }
    with gap_study() as study:
        moment = reportable(study, 12, gaps, [0, 0, 1, 1] + [None] * 8, checkpoints)
        figures = {figure.name: figure for figure in paper_figures(moment, STUDY)}
    panel = figures["training"].drawing.axes[0]
    lines = {line.get_label(): np.asarray(line.get_ydata()) for line in panel.lines}
    assert lines["between clusters"] == pytest.approx([0.2, 0.5, 1.0])
    assert lines["within clusters"] == pytest.approx([0, 0, 0])
    assert figures["training"].counts["steps"] == [100, 300, 900]


@st.composite
def linkages(draw: st.DrawFn) -> tuple[pl.DataFrame, list[tuple[str, int | None]]]:
    """Merges of some models, by rising tau, as the query names them; and their clusters."""
    n = draw(st.integers(1, 9))
    models = [(f"m{i}", draw(st.sampled_from([0, 1, None]))) for i in range(n)]
    firsts = list(range(n))
    rows = []
    for step in range(draw(st.integers(0, n - 1))):
        a, b = sorted(draw(st.lists(st.sampled_from(firsts), min_size=2, max_size=2, unique=True)))
        firsts.remove(b)
        rows.append((f"m{a}", f"m{b}", 0.1 * (step + 1)))
    schema = {"first_a": pl.String, "first_b": pl.String, "tau": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row"), models


def ordered(merges: pl.DataFrame, models: list[tuple[str, int | None]]) -> list[str]:
    return leaf_order(read_merges(merges), [name for name, _ in models], dict(models))


@given(linkages())
def test_leaves_are_every_model_once_in_cluster_order(
    made: tuple[pl.DataFrame, list[tuple[str, int | None]]],
) -> None:
    merges, models = made
    order = ordered(merges, models)
    ranks = [{0: 0, 1: 1, None: 2}[dict(models)[name]] for name in order]
    assert sorted(order) == sorted(name for name, _ in models)
    assert ranks == sorted(ranks)


@given(linkages())
def test_parts_lie_side_by_side_where_there_is_one_cluster(
    made: tuple[pl.DataFrame, list[tuple[str, int | None]]],
) -> None:
    merges, models = made
    order = ordered(merges, [(name, 0) for name, _ in models])
    parts = {name: [name] for name, _ in models}
    for a, b in merges.select("first_a", "first_b").iter_rows():
        parts[a] = parts[a] + parts.pop(b)
        places = sorted(order.index(name) for name in parts[a])
        assert places == list(range(places[0], places[0] + len(places)))


@given(linkages())
def test_every_merge_is_a_line_from_part_to_part_at_its_tau(
    made: tuple[pl.DataFrame, list[tuple[str, int | None]]],
) -> None:
    merges, models = made
    made_of = branches(read_merges(merges), ordered(merges, models), dict(models))
    lines = [branch.corners for branch in made_of]
    assert [line[1][1] for line in lines] == merges["tau"].to_list()
    for line in lines:
        (xa, ya), (xb, top), (xc, same), (xd, yd) = line
        assert (xa, top, xc) == (xb, same, xd)
        assert max(ya, yd) < top


def test_an_interval_of_the_mean_is_students() -> None:
    # t(.975, 3) = 3.182446
    low, high = mean_interval(0.5, 0.2, 4) or (0.0, 0.0)
    assert (low, high) == pytest.approx((0.5 - 0.3182446, 0.5 + 0.3182446))


def test_two_models_have_no_interval() -> None:
    assert mean_interval(0.5, 0.2, 2) is None
    assert mean_interval(0.5, None, 1) is None


@given(st.text("abcdefgh-_.0123456789", min_size=1, max_size=100), st.floats(0.3, 2.0))
def test_shortened_texts_fit(text: str, width: float) -> None:
    with styled():
        assert text_width(shortened(text, width)) <= width


def test_names_that_differ_in_the_end_stay_apart() -> None:
    with styled():
        names = [f"the-same-long-beginning-of-all-names-{k}" for k in (1, 2)]
        assert len(set(distinct(names, 0.8))) == 2


def test_a_legend_takes_as_many_columns_as_fit() -> None:
    with styled():
        assert legend_columns(["cluster 0", "cluster 1"], 5.4) == 2
        assert legend_columns(["a label that is long " * 3] * 3, 3.2) == 1
