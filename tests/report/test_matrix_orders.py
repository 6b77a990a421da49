"""The matrix in order of performance, on the page."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from lmc_track.report.facts import Facts
from lmc_track.report.matrix_orders import MatrixOrder, matrix_orders
from lmc_track.report.matrix_plot import matrix_figure
from lmc_track.warehouse.results import Results
from support.drawn import matrix_of

Kinds = Callable[[str], Results]
Read = Callable[[str], Facts]


def test_validation_comes_first_then_the_primary_diagnostic(
    results_of: Kinds, facts_of: Read
) -> None:
    facts = facts_of("two clusters")
    orders = matrix_orders(results_of("two clusters"), facts, None)
    primary = ":".join((facts.primary.dataset, facts.primary.subset, facts.primary.metric))
    asked = [order.asked for order in orders]
    assert primary in asked[:2]
    assert len(set(asked)) == len(asked)
    assert all(set(order.names) == set(facts.models["name"]) for order in orders)


def test_the_worst_model_is_first_and_its_score_stands_beside_it(
    results_of: Kinds, facts_of: Read
) -> None:
    for order in matrix_orders(results_of("two clusters"), facts_of("two clusters"), None):
        scores = [order.values[name] for name in order.names]
        assert scores == sorted(scores)


def test_models_that_were_not_evaluated_are_last(results_of: Kinds, facts_of: Read) -> None:
    orders = matrix_orders(results_of("holes"), facts_of("holes"), None)
    primary = next(order for order in orders if order.asked.startswith("main_only"))
    assert primary.names[-1] == "seed-2"
    assert "seed-2" not in primary.values


def test_an_order_moves_models_and_their_clusters_and_has_no_tree(
    results_of: Kinds, facts_of: Read
) -> None:
    facts = facts_of("two clusters")
    names = [*reversed(facts.models["name"].to_list())]
    values = {name: k / 10 for k, name in enumerate(names)}
    order = MatrixOrder("x:all:accuracy", "x accuracy", tuple(names), values)
    first = matrix_of("two clusters", results_of, facts_of)
    drawn = matrix_figure(facts, [], [], None, [order])
    shown = drawn["orders"][1]
    assert [drawn["names"][k] for k in shown["at"]] == names
    assert shown["data"] == []
    assert "yaxis2" not in shown["layout"]
    assert "yaxis2" in first["orders"][0]["layout"]
    assert shown["layout"]["xaxis"]["ticktext"] == names
    assert shown["layout"]["yaxis"]["ticktext"][1] == f"{names[1]}  0.100"
    # Clusters alternate: a strip above and beside every model, and no line through the matrix.
    kinds = [shape["type"] for shape in shown["layout"]["shapes"]]
    assert kinds == ["rect"] * 2 * len(names)


def test_what_all_score_alike_orders_nothing(results_of: Kinds, facts_of: Read) -> None:
    facts = facts_of("two clusters")
    orders = matrix_orders(results_of("two clusters"), facts, None)
    values = facts.diagnostics.filter(pl.col("subset") == "all")
    for order in orders:
        dataset = order.asked.split(":")[0]
        assert values.filter(pl.col("dataset") == dataset)["value"].n_unique() > 1
