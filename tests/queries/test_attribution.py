"""The attribution of barriers: worked out by hand, and as numpy has it from all predictions.

By hand: m0, m1 and m2, clusters {m0, m1} and {m2}, grid 0, ½, 1; every path's gap is at ½. Examples
of label ``wrong`` have margins ln 3, ln 3, −ln 3 in the models, of ``right`` ln 3 in all. On the
way from m0 to m2 they are −ln 3 and 0, on the way from m1 to m2 0 and 0, from m0 to m1 0 and ln 3.
A margin of ln 3, 0, −ln 3 is a loss of ln 4/3, ln 2, ln 4.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from scipy.special import log_softmax

from lmc_track.analysis.attribution import attribute
from lmc_track.errors import InputError
from lmc_track.steps import attribution
from lmc_track.steps.derivations import DERIVATIONS
from lmc_track.warehouse.rebuild import rebuild
from lmc_track.warehouse.results import Results, open_results
from lmc_track.warehouse.snapshot import Snapshot
from support.handmade_logits import with_margins
from support.handmade_study import handmade_snapshot

LN3 = math.log(3)
MARGINS = {
    "handmade-m0": (LN3, LN3),
    "handmade-m1": (LN3, LN3),
    "handmade-m2": (-LN3, LN3),
    "handmade-0-2-0.5": (-LN3, 0.0),
    "handmade-1-2-0.5": (0.0, 0.0),
    "handmade-0-1-0.5": (0.0, LN3),
}
# What averaging gains where the models disagree; elsewhere it gains nothing.
SAVED = (math.log(4 / 3) + math.log(4)) / 2 - math.log(2)
DEPARTED = {(0, 2): (math.log(2), math.log(3 / 2)), (1, 2): (0.0, math.log(3 / 2))}


def study(
    folder: Path,
    margins: Mapping[str, Sequence[float]] = MARGINS,
    pairs: Sequence[tuple[int, int]] = ((0, 1), (0, 2), (1, 2)),
    **options: Any,
) -> Snapshot:
    options = {"clusterings": [("spectral", [0, 0, 1])], **options}
    snapshot = handmade_snapshot(folder, [0.0] * 3, {p: {0.5: 0.0} for p in pairs}, **options)
    return with_margins(snapshot, margins)


def built(folder: Path, snapshot: Snapshot) -> Results:
    rebuild(folder / "results.duckdb", snapshot, DERIVATIONS)
    return open_results(folder / "results.duckdb")


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("three")
    return built(folder, study(folder))


def label_rows(results: Results, **params: Any) -> dict[str, dict[str, Any]]:
    rows = results.query("barrier_attribution", level="label", **params).to_dicts()
    return {row["label"]: row for row in rows}


def test_departure_and_averaging_of_labels_are_those_worked_out(three: Results) -> None:
    rows = label_rows(three)
    for k, label in enumerate(("wrong", "right")):
        row = rows[label]
        departure = (DEPARTED[0, 2][k] + DEPARTED[1, 2][k]) / 2
        averaging = SAVED if label == "wrong" else 0
        assert row["n_pairs"] == 2
        assert row["mean_departure"] == pytest.approx(departure, abs=1e-6)
        assert row["mean_averaging"] == pytest.approx(averaging, abs=1e-6)
        assert row["mean_excess"] == pytest.approx(departure - averaging, abs=1e-6)
    assert rows["wrong"]["share_positive"] == 0.5
    assert rows["right"]["share_positive"] == 1


def test_labels_and_sentences_have_no_chord(three: Results) -> None:
    rows = three.query("barrier_attribution")
    assert [chord is None for chord in rows["mean_chord"]] == [
        level != "subset" for level in rows["level"]
    ]


def test_shares_are_of_the_sum_over_held_out_examples(three: Results) -> None:
    rows = label_rows(three)
    sizes = {label: row["n_examples"] for label, row in rows.items()}
    assert sum(sizes.values()) == three.query("datasets")["n_held_out"].item()
    total = sum(row["mean_excess"] * row["n_examples"] for row in rows.values())
    for label, row in rows.items():
        assert row["share"] == pytest.approx(row["mean_excess"] * sizes[label] / total)
        assert row["share_of_examples"] == sizes[label] / sum(sizes.values())


def test_the_whole_comes_first_then_labels_then_the_examples_that_carry_most(
    three: Results,
) -> None:
    rows = three.query("barrier_attribution", limit=2)
    assert rows["level"].to_list() == ["subset", "label", "label", "example", "example"]
    assert rows["subset"].to_list() == ["all", "all", "all", None, None]
    assert rows["share"][0] == 1
    everyone = three.query("barrier_attribution", level="example", limit=None)
    assert everyone.height == rows["n_examples"][0]
    assert everyone["mean_excess"].is_sorted(descending=True)
    assert_frame_equal(everyone.head(2), rows.tail(2))
    texts = dict(three.sql("SELECT example_id, text FROM examples").rows())
    assert everyone["text"].to_list() == [texts[k] for k in everyone["example_id"]]


@pytest.mark.parametrize(
    ("clusters", "wrong", "n_pairs"),
    [
        ({}, (DEPARTED[0, 2][0] + DEPARTED[1, 2][0]) / 2, 2),
        ({"cluster_a": 0, "cluster_b": 1}, DEPARTED[0, 2][0] / 2, 2),
        ({"cluster_b": 1}, DEPARTED[0, 2][0] / 2, 2),
        ({"cluster_a": 0, "cluster_b": 0}, math.log(3 / 2), 1),
    ],
)
def test_pairs_are_those_of_the_clusters_asked_for(
    three: Results, clusters: dict[str, int], wrong: float, n_pairs: int
) -> None:
    row = label_rows(three, **clusters)["wrong"]
    assert row["mean_departure"] == pytest.approx(wrong, abs=1e-6)
    assert row["n_pairs"] == n_pairs


def test_a_cluster_of_one_model_has_no_pairs_within(three: Results) -> None:
    assert three.query("barrier_attribution", cluster_a=1, cluster_b=1).is_empty()


def test_a_cluster_that_is_not_there_is_refused(three: Results) -> None:
    with pytest.raises(InputError, match=r"there is no cluster a 7\nthere are: 0, 1"):
        three.query("barrier_attribution", cluster_a=7)


@pytest.mark.parametrize("clusterings", [[], [("spectral", [0, 0, 0])]])
def test_without_clusters_all_pairs_count(tmp_path: Path, clusterings: Any) -> None:
    results = built(tmp_path, study(tmp_path, clusterings=clusterings))
    assert results.query("barrier_attribution")["n_pairs"][0] == 3


def test_a_missing_pair_is_left_out(tmp_path: Path) -> None:
    results = built(tmp_path, study(tmp_path, pairs=((0, 2),)))
    rows = label_rows(results)
    assert rows["wrong"]["n_pairs"] == 1
    assert rows["wrong"]["mean_departure"] == pytest.approx(math.log(2), abs=1e-6)


def test_a_path_without_a_gap_has_nothing_to_attribute(tmp_path: Path) -> None:
    results = built(tmp_path, study(tmp_path, {**MARGINS, "handmade-1-2-0.5": (LN3, LN3)}))
    paths = results.sql("SELECT DISTINCT path_id FROM attributions ORDER BY ALL")
    assert paths["path_id"].to_list() == ["handmade-0-1", "handmade-0-2"]
    assert results.query("barrier_attribution")["n_pairs"][0] == 1


def test_where_nothing_stands_out_there_are_no_shares(tmp_path: Path) -> None:
    """Half of the examples gain on the way what the others lose."""
    lost = {**MARGINS, "handmade-m2": (0.0, LN3), "handmade-0-2-0.5": (LN3, 0.0)}
    results = built(tmp_path, study(tmp_path, lost, pairs=((0, 2),)))
    rows = results.query("barrier_attribution")
    assert rows.height > 0
    assert rows["share"].null_count() == rows.height
    assert rows["mean_excess"].null_count() == 0


def with_value(snapshot: Snapshot, run_id: str, half: str, value: float) -> Snapshot:
    """One example of the half gets the loss and the logits ``value`` from the run."""
    (examples,) = snapshot.examples.values()
    ids = pl.read_parquet(examples).filter(pl.col("half") == half)["example_id"]
    (path,) = [file.path for file in snapshot.predictions if file.run_id == run_id]
    chosen = pl.col("example_id") == ids[0]
    pl.read_parquet(path).with_columns(
        loss=pl.when(chosen).then(value).otherwise("loss").cast(pl.Float32),
        logits=pl.when(chosen).then([value, value]).otherwise("logits").cast(pl.List(pl.Float32)),
    ).write_parquet(path)
    return snapshot


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_held_out_prediction_that_is_not_finite_leaves_its_pair_out(
    tmp_path: Path, value: float
) -> None:
    made = with_value(study(tmp_path), "handmade-0-2-0.5", "held-out", value)
    results = built(tmp_path, made)
    unknown = results.sql("SELECT path_id, excess FROM attributions WHERE departure IS NULL")
    assert unknown.rows() == [("handmade-0-2", None)]
    row = label_rows(results)["right"]
    assert row["n_pairs"] == 1
    assert row["mean_departure"] == pytest.approx(math.log(3 / 2), abs=1e-6)


def test_a_discovery_prediction_that_is_not_finite_leaves_no_gap(tmp_path: Path) -> None:
    made = with_value(study(tmp_path), "handmade-0-2-0.5", "discovery", math.inf)
    results = built(tmp_path, made)
    paths = results.sql("SELECT DISTINCT path_id FROM attributions ORDER BY ALL")
    assert paths["path_id"].to_list() == ["handmade-0-1", "handmade-1-2"]


def test_a_model_with_a_logit_that_is_not_finite_has_no_ensembles_on_its_half(
    tmp_path: Path,
) -> None:
    results = built(tmp_path, with_value(study(tmp_path), "handmade-m2", "held-out", math.nan))
    for half, known in (("held-out", 3), ("all", 3), ("discovery", 9)):
        rows = results.query("ensemble_curves", half=half)
        assert rows.height == 9
        assert rows["ensemble_loss"].count() == known


def test_the_ensembles_curve_is_the_one_worked_out(three: Results) -> None:
    losses = three.query("ensemble_curves", model_a="m0", model_b="m2")
    n = dict(three.sql("SELECT label, count(*) FROM examples GROUP BY ALL").rows())
    assert losses["alpha"].to_list() == [0, 0.5, 1]
    sure = math.log(4 / 3)
    for found, wrong in zip(losses["ensemble_loss"], (sure, math.log(2), math.log(4)), strict=True):
        assert found == pytest.approx((n[0] * wrong + n[1] * sure) / 8, abs=1e-6)
    middle = losses["weights_loss"][1]
    assert middle == pytest.approx((n[0] * math.log(4) + n[1] * math.log(2)) / 8, abs=1e-6)


def test_weights_and_ensembles_meet_at_the_models(results: Results) -> None:
    rows = results.query("ensemble_curves", dataset="main_only", half="held-out")
    assert rows.height == 15 * 11
    ends = rows.filter(pl.col("alpha").is_in([0.0, 1.0]))
    assert ends["weights_loss"].to_numpy() == pytest.approx(ends["ensemble_loss"], abs=1e-6)
    assert_frame_equal(
        rows.select("path_id", "alpha", value="weights_loss"),
        results.query("curves", dataset="main_only", half="held-out").select(
            "path_id", "alpha", "value"
        ),
    )


def test_a_path_without_all_points_still_has_its_ensemble(with_holes: Results) -> None:
    rows = with_holes.query("ensemble_curves", model_a="seed-1", model_b="seed-3")
    lacking = rows.filter(pl.col("weights_loss").is_null())
    assert lacking["alpha"].to_list() == [0.5]
    assert rows["ensemble_loss"].null_count() == 0
    attributed = set(with_holes.sql("SELECT DISTINCT path_id FROM attributions")["path_id"])
    assert not attributed & set(rows["path_id"])


def test_the_mean_excess_is_the_held_out_value_of_the_discovery_contrast(
    results: Results,
) -> None:
    pairs = results.sql(
        """
        WITH held_out AS (
            SELECT path_id, dataset, alpha, value FROM curves
            WHERE half = 'held-out' AND subset = 'all' AND metric = 'loss'
        )
        SELECT b.path_id, b.dataset, b.support,
            l.value AS at_l, z.value AS at_alpha, r.value AS at_r
        FROM barriers b
        JOIN held_out l ON (l.path_id, l.dataset, l.alpha) = (b.path_id, b.dataset, b.support.l)
        JOIN held_out z
            ON (z.path_id, z.dataset, z.alpha) = (b.path_id, b.dataset, b.support.alpha)
        JOIN held_out r ON (r.path_id, r.dataset, r.alpha) = (b.path_id, b.dataset, b.support.r)
        WHERE b.half = 'discovery' AND b.subset = 'all' AND b.metric = 'loss'
            AND b.convexity_gap > 0
        """
    )
    means = results.sql(
        "SELECT path_id, dataset, avg(excess) AS mean FROM attributions GROUP BY ALL"
    )
    both = pairs.unnest("support").join(means, on=["path_id", "dataset"], how="full")
    weight = (both["alpha"] - both["l"]) / (both["r"] - both["l"])
    contrast = both["at_alpha"] - (1 - weight) * both["at_l"] - weight * both["at_r"]
    assert both.height == pairs.height > 30
    assert both["mean"].to_numpy() == pytest.approx(contrast.to_numpy(), abs=1e-6)


def test_the_subsets_are_those_of_numpy(results: Results) -> None:
    rows = results.query("barrier_attribution", dataset="main_only", level="subset")
    assert rows["subset"][0] == "all"
    with results.at_once() as now:
        examples = now.examples("simulated", "main_only")
        (runs,) = [r for r in now.supporting_runs() if r.dataset == "main_only"]
        logits = now.logits("simulated", runs.run_ids, examples)[:, examples.held_out]
        between = now.query("barrier_pairs", dataset="main_only").filter(~pl.col("same_cluster"))
    ids = examples.example_ids[examples.held_out]
    left, point, right = (logits[k] for k in runs.runs.T)
    labels = examples.labels[examples.held_out]
    parts = attribute(left, point, right, labels, runs.weights)
    ends = [-log_softmax(z, axis=-1)[:, np.arange(len(labels)), labels] for z in (left, right)]
    weight = runs.weights[:, None]
    chord = (1 - weight) * ends[0] + weight * ends[1]
    attributed = results.sql("SELECT path_id, set_no FROM storage.supports")
    paths = dict(attributed.select("set_no", "path_id").rows())
    chosen = [paths[k] in set(between["path_id"]) for k in runs.set_nos]
    for row in rows.iter_rows(named=True):
        of = {"all": ids >= 0, "singular": ids % 2 == 0, "plural": ids % 2 == 1}[row["subset"]]
        assert row["n_examples"] == of.sum()
        assert row["n_pairs"] == sum(chosen)
        for name in ("excess", "departure", "averaging"):
            mean = getattr(parts, name)[chosen][:, of].mean()
            assert row[f"mean_{name}"] == pytest.approx(mean, abs=1e-6)
        assert row["mean_chord"] == pytest.approx(chord[chosen][:, of].mean(), abs=1e-6)
        assert 0 <= row["mean_averaging"] <= row["mean_chord"]
        positive = (parts.excess[chosen][:, of] > 0).mean()
        assert row["share_positive"] == pytest.approx(positive)


def test_chunks_of_paths_give_the_same_rows(
    snapshot: Snapshot, results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attribution, "_PREDICTIONS_AT_ONCE", 3 * 60 * 2)
    again = built(tmp_path, snapshot)
    for view in ("attributions", "ensemble_curves"):
        text = f"SELECT * FROM {view} ORDER BY ALL"
        assert_frame_equal(results.sql(text), again.sql(text), check_exact=True)


def test_one_model_has_no_pairs_to_ask_about(tmp_path: Path) -> None:
    results = built(tmp_path, handmade_snapshot(tmp_path, [0.25], {}))
    assert results.query("barrier_attribution").is_empty()
    assert results.query("ensemble_curves").is_empty()


def test_a_set_without_held_out_examples_attributes_nothing(tmp_path: Path) -> None:
    made = study(tmp_path)
    (examples,) = made.examples.values()
    pl.read_parquet(examples).with_columns(half=pl.lit("discovery")).write_parquet(examples)
    results = built(tmp_path, made)
    assert results.query("barrier_attribution").is_empty()
    assert results.query("ensemble_curves", half="held-out")["ensemble_loss"].count() == 0
    assert results.query("ensemble_curves", half="all")["ensemble_loss"].count() == 9


def test_all_losses_equal_leaves_nothing(tmp_path: Path) -> None:
    flat = dict.fromkeys(MARGINS, (0.0, 0.0))
    results = built(tmp_path, study(tmp_path, flat))
    assert results.query("barrier_attribution").is_empty()
    ensemble = results.query("ensemble_curves")["ensemble_loss"].to_numpy()
    assert ensemble == pytest.approx(np.full(9, math.log(2)))
