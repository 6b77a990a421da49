"""Paths along which a part of the network moves, worked out by hand.

Losses of the models .25, .25, .75; the whole path from m0 to m2 is 1 above its chord in the
middle. Clusters {m0, m1} and {m2}.
"""

from __future__ import annotations

import polars as pl
import pytest

from lmc_track.warehouse.rebuild import rebuild
from lmc_track.warehouse.results import Results, open_results
from support.handmade_study import handmade_snapshot


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("parts")
    snapshot = handmade_snapshot(
        folder,
        [0.25, 0.25, 0.75],
        {(0, 1): {0.5: 0.375}, (0, 2): {0.5: 1.5}},
        clusterings=[("spectral", [0, 0, 1])],
        parts={
            (0, 2, "encoder.layer.10"): {0.5: 1.0, 1.0: 1.25},
            (2, 0, "encoder.layer.10"): {0.5: 0.5, 1.0: 0.25},
            (0, 1, "encoder.layer.2"): {0.5: 0.125, 1.0: 0.25},
            (0, 2, "encoder.layer.2"): {0.5: 0.5},
            (0, 1, "classifier"): {0.5: 0.25, 1.0: 0.5},
        },
    )
    rebuild(folder / "results.duckdb", snapshot)
    return open_results(folder / "results.duckdb")


def of(rows: pl.DataFrame, modules: str, a: str, b: str) -> dict[str, object]:
    return rows.filter(modules=modules, model_a=a, model_b=b).row(0, named=True)


def test_the_barrier_is_above_the_two_models_and_not_above_the_paths_own_end(
    parts: Results,
) -> None:
    row = of(parts.query("module_paths"), "encoder.layer.10", "m0", "m2")
    assert row["barrier_to_models"] == 0.5  # .5 above the models' chord at ½ and at 1
    assert row["rise"] == 1.0
    assert row["convexity_gap"] == 0.25
    assert row["whole_gap"] == 1.0


def test_the_two_directions_are_two_networks(parts: Results) -> None:
    row = of(parts.query("module_paths"), "encoder.layer.10", "m2", "m0")
    assert row["barrier_to_models"] == 0.0
    assert row["rise"] == -0.5
    assert row["whole_gap"] == 1.0
    assert row["same_cluster"] is False


def test_a_path_without_its_far_end_has_no_measures(parts: Results) -> None:
    row = of(parts.query("module_paths"), "encoder.layer.2", "m0", "m2")
    assert row["barrier_to_models"] is None
    assert row["convexity_gap"] is None
    assert row["rise"] is None


def test_layers_come_in_the_order_of_their_numbers(parts: Results) -> None:
    modules = parts.query("module_paths")["modules"].unique(maintain_order=True)
    assert modules.to_list() == ["encoder.layer.2", "encoder.layer.10", "classifier"]


def test_parts_are_summed_up_within_and_between(parts: Results) -> None:
    summary = parts.query("module_summary")
    row = summary.filter(modules="encoder.layer.10", pairs="between").row(0, named=True)
    assert (row["n_paths"], row["mean_barrier_to_models"], row["mean_rise"]) == (2, 0.25, 0.25)
    layer = summary.filter(modules="encoder.layer.2", pairs="all").row(0, named=True)
    assert (layer["n_paths"], layer["n_missing"]) == (2, 1)
    assert summary.filter(modules="encoder.layer.10", pairs="within").is_empty()


def test_other_results_do_not_see_them(parts: Results) -> None:
    assert parts.query("study_summary")["n_paths"].item() == 2
    assert parts.query("barrier_pairs").height == 3
    assert parts.query("holes").filter(kind="points").is_empty()


def test_one_kind_of_path_can_be_asked_for(parts: Results) -> None:
    pairs = parts.query("barrier_pairs", modules="encoder.layer.10")
    assert of_pair(pairs, "m0", "m2") == 0.25


def of_pair(pairs: pl.DataFrame, a: str, b: str) -> float:
    value: float = pairs.filter(model_a=a, model_b=b)["convexity_gap"].item()
    return value
