"""Single examples' losses and logits, as analyses read them from results."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from lmc_track.warehouse.results import Results


def test_curves_average_to_what_sql_says(results: Results) -> None:
    with results.at_once() as now:
        curves = now.loss_curves("simulated", "validation")
    pairs = results.query("barrier_pairs")
    assert list(curves.path_ids) == pairs["path_id"].to_list()
    for half, chosen in (
        ("all", np.full(len(curves.examples.held_out), True)),
        ("held-out", curves.examples.held_out),
        ("discovery", ~curves.examples.held_out),
    ):
        told = results.query("curves", half=half)["value"].to_numpy().reshape(15, 11)
        means = curves.losses[:, chosen].astype(np.float64).mean(1)[curves.runs]
        assert means == pytest.approx(told, abs=1e-9)
    assert curves.alphas.tolist() == [k / 10 for k in range(11)]


def test_a_model_is_one_row_for_all_its_paths(results: Results) -> None:
    with results.at_once() as now:
        curves = now.loss_curves("simulated", "validation")
    assert len(curves.run_ids) == 6 + 15 * 9
    assert len(set(curves.runs[:, [0, -1]].flatten())) == 6


def test_incomplete_paths_are_left_out(with_holes: Results) -> None:
    with with_holes.at_once() as now:
        curves = now.loss_curves("simulated", "validation")
    complete = with_holes.query("barrier_pairs").drop_nulls("convexity_gap")
    assert list(curves.path_ids) == complete["path_id"].to_list()


def test_a_study_without_paths_has_no_curves(built: Callable[..., Results]) -> None:
    with built(n_models=1).at_once() as now:
        curves = now.loss_curves("simulated", "validation")
    assert curves.runs.shape == (0, 0)
    assert curves.losses.shape == (0, 40)


def test_losses_are_those_of_the_logits(results: Results) -> None:
    with results.at_once() as now:
        curves = now.loss_curves("simulated", "main_only")
        logits = now.logits("simulated", curves.run_ids, curves.examples).astype(np.float64)
    labels = curves.examples.labels
    chosen = logits[:, np.arange(len(labels)), labels]
    losses = np.log(np.exp(logits).sum(-1)) - chosen
    assert losses == pytest.approx(curves.losses, abs=1e-5)


def test_texts_are_units_where_there_are_no_groups(results: Results) -> None:
    with results.at_once() as now:
        examples = now.examples("simulated", "validation")
    assert not examples.grouped
    assert sorted(examples.units) == list(range(60))
