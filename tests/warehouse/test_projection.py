"""A set with labels of its own: everything that is read from logits is of the projected ones."""

from __future__ import annotations

from typing import Literal

import numpy as np
import polars as pl
import pytest

from lmc_track.geometry.metrics import auc, balanced_accuracy, calibration_error, f1, score
from lmc_track.geometry.temperature import calibrated_losses
from lmc_track.steps.derivations import DERIVATIONS
from lmc_track.warehouse.rebuild import rebuild
from lmc_track.warehouse.results import Results, open_results
from support.projected_study import SET, projected_snapshot, projection

How = Literal["max", "logsumexp"]


@pytest.fixture(scope="module", params=["max", "logsumexp"])
def how(request: pytest.FixtureRequest) -> How:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def results(how: How, tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("projected")
    path = folder / "results.duckdb"
    rebuild(path, projected_snapshot(folder, how), DERIVATIONS)
    return open_results(path)


def said(results: Results, how: How) -> pl.DataFrame:
    """Every model's predictions on the set, with the projected logits as an array column."""
    frame = results.sql(
        "SELECT m.name, p.*, e.half FROM predictions p JOIN models m ON m.model_id = p.run_id "
        f"JOIN datasets d ON d.dataset = p.dataset AND d.dataset = '{SET}' "
        "JOIN examples e ON e.data_digest = d.data_digest AND e.example_id = p.example_id "
        "ORDER BY m.position, p.example_id"
    )
    own = projection(how)(np.stack(frame["logits"].to_list()))
    return frame.with_columns(own=pl.Series(own))


def test_predictions_are_raw(results: Results) -> None:
    lengths = results.sql(f"SELECT DISTINCT len(logits) n FROM predictions WHERE dataset = '{SET}'")
    assert lengths["n"].to_list() == [3]


@pytest.mark.parametrize("half", ["all", "discovery", "held-out"])
def test_evaluations_are_of_the_projected_logits(results: Results, how: How, half: str) -> None:
    stored = results.sql(
        f"SELECT m.name, metric, value FROM evaluations e JOIN models m ON m.model_id = e.run_id "
        f"WHERE dataset = '{SET}' AND subset = 'all' AND half = '{half}'"
    )
    for (name,), part in said(results, how).group_by("name"):
        kept = part if half == "all" else part.filter(pl.col("half") == half)
        own, labels = kept["own"].to_numpy(), kept["label"].to_numpy()
        guesses = own.argmax(1)
        found = dict(stored.filter(name=name).select("metric", "value").rows())
        assert found["accuracy"] == pytest.approx((guesses == labels).mean())
        assert found["balanced_accuracy"] == pytest.approx(balanced_accuracy(labels, guesses))
        assert found["f1"] == pytest.approx(f1(labels, guesses))
        assert found["calibration_error"] == pytest.approx(calibration_error(labels, own))
        losses = calibrated_losses(
            part["label"].to_numpy(),
            np.stack(part["own"].to_list())[None],
            (part["half"] == "discovery").to_numpy(),
        )[0]
        of_half = np.full(len(part), True) if half == "all" else (part["half"] == half).to_numpy()
        assert found["calibrated_loss"] == pytest.approx(losses[of_half].mean())
        assert found["auc"] == pytest.approx(auc(labels, score(own)), abs=1e-12)


def test_the_query_of_disagreement_counts_projected_answers(results: Results, how: How) -> None:
    found = results.query("disagreement", dataset=SET, half="all", limit=None)
    right = {}
    for (example,), part in said(results, how).group_by("example_id"):
        guesses = part["own"].to_numpy().argmax(1)
        right[example] = [int((guesses == k).sum()) for k in range(2)]
    assert dict(found.select("example_id", "n_predicted").rows()) == right


def test_examples_are_labelled_by_the_names_of_the_set(results: Results) -> None:
    assert set(results.query("disagreement", dataset=SET, limit=None)["label"]) == {"yes", "no"}


def test_similarity_is_of_projected_answers(results: Results, how: How) -> None:
    found = results.query("similarity", dataset=SET, half="all")
    guesses = {
        name: part.sort("example_id")["own"].to_numpy().argmax(1)
        for (name,), part in said(results, how).group_by("name")
    }
    for a, b, agreement in found.select("model_a", "model_b", "agreement").rows():
        assert agreement == pytest.approx((guesses[a] == guesses[b]).mean())


def test_averaged_logits_are_projected_first(results: Results) -> None:
    """At the ends the ensemble is one model, whose loss is that of its projected logits."""
    ends = results.sql(
        "SELECT c.loss, e.value FROM ensemble_curves c JOIN paths p USING (path_id) "
        "JOIN evaluations e ON e.dataset = c.dataset AND e.half = c.half AND e.metric = 'loss' "
        "AND e.subset = 'all' "
        "AND e.run_id = CASE c.alpha WHEN 0 THEN p.model_a_id WHEN 1 THEN p.model_b_id END "
        f"WHERE c.dataset = '{SET}'"
    )
    assert ends.height > 0
    assert ends["loss"].to_numpy() == pytest.approx(ends["value"].to_numpy(), abs=1e-6)


def test_departure_and_averaging_add_up_to_the_excess_of_the_losses(results: Results) -> None:
    gaps = results.sql(
        "SELECT b.path_id, avg(a.excess) AS excess FROM attributions a JOIN barriers b "
        "ON b.path_id = a.path_id AND b.dataset = a.dataset AND b.subset = 'all' "
        f"AND b.half = 'discovery' AND b.metric = 'loss' WHERE a.dataset = '{SET}' GROUP BY ALL"
    )
    heights = results.sql(
        "SELECT path_id, max(value) FILTER (alpha = 0.5) - "
        "(max(value) FILTER (alpha = 0) + max(value) FILTER (alpha = 1)) / 2 AS height "
        f"FROM curves WHERE dataset = '{SET}' AND subset = 'all' AND half = 'held-out' "
        "AND metric = 'loss' GROUP BY path_id"
    )
    both = gaps.join(heights, on="path_id")
    assert both.height > 0
    assert both["excess"].to_numpy() == pytest.approx(both["height"].to_numpy(), abs=1e-5)


def test_the_sql_projection_is_pythons_on_extreme_logits(how: How) -> None:
    import duckdb

    from lmc_track.warehouse.rebuild import create_empty

    inf, nan = float("inf"), float("nan")
    rows = [[0.0, 1.0, 2.0], [-inf, 0.0, -inf], [inf, 0.0, 1.0], [800.0, -800.0, 799.0],
            [nan, 0.0, 1.0], [-inf, -inf, -inf]]  # fmt: skip
    with duckdb.connect(":memory:") as connection:
        create_empty(connection)
        found = [
            connection.execute(
                "SELECT projected_logits(?::FLOAT[], ?, [[1], [0, 2]])", [row, how]
            ).fetchall()[0][0]
            for row in rows
        ]
    np.testing.assert_allclose(found, projection(how)(np.array(rows)), rtol=1e-15)
