"""Clusters compared in SQL: by hand, against Python, and with the tests made at ingest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.resources import files

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lmc_track.analysis.association import partial_correlations
from lmc_track.analysis.effects import Contrast, contrast, residuals
from lmc_track.steps.cluster_effects import CLUSTER_STATISTICS
from lmc_track.warehouse.moment import Moment
from lmc_track.warehouse.rebuild import rebuild
from lmc_track.warehouse.results import Results, open_results
from support.handmade_study import handmade_snapshot

ROWS = {("validation", "all"): 1, ("probe", "all"): 2, ("probe", "odd"): 3}
EFFECTS = ("difference", "auc", "r", "adjusted_difference", "adjusted_auc", "adjusted_r")
TESTS = ("p_value", "p_corrected", "adjusted_p_value", "adjusted_p_corrected", "smallest_p")


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Losses on validation 0 1 0 1, on the probe 1 2 3 8; clusters {m0, m1} and {m2, m3}."""
    folder = tmp_path_factory.mktemp("four")
    snapshot = handmade_snapshot(
        folder,
        [0.0, 1.0, 0.0, 1.0],
        {},
        clusterings=[("spectral", [0, 0, 1, 1]), ("threshold", [0, 0, 1, None])],
        diagnostic=[1.0, 2.0, 3.0, 8.0],
    )
    rebuild(folder / "results.duckdb", snapshot, CLUSTER_STATISTICS)
    return open_results(folder / "results.duckdb")


def _row(results: Results, dataset: str, cluster: int, **asked: str) -> dict[str, object]:
    frame = results.query("cluster_diagnostics", half="all", metric="loss", **asked)
    chosen = (pl.col("dataset") == dataset) & (pl.col("subset") == "all")
    return frame.filter(chosen & (pl.col("cluster") == cluster)).row(0, named=True)


def test_a_contrast_worked_out_by_hand(four: Results) -> None:
    """The line on validation rises by 3; residuals are -1 -3 1 3, r of them 2 / sqrt(5)."""
    row = _row(four, "probe", 1)
    assert (row["mean"], row["mean_out"], row["n_models"], row["n_out"]) == (5.5, 1.5, 2, 2)
    assert (row["difference"], row["auc"], row["r"]) == (4, 1, pytest.approx(4 / 29**0.5))
    assert row["adjusted_difference"] == 4
    assert row["adjusted_auc"] == 1
    assert row["adjusted_r"] == pytest.approx(2 / 5**0.5)


def test_validation_has_nothing_left_once_adjusted_for_itself(four: Results) -> None:
    row = _row(four, "validation", 0)
    assert (row["difference"], row["auc"], row["r"]) == (0, 0.5, 0)
    assert [row[name] for name in EFFECTS[3:]] == [None] * 3


def test_a_model_without_a_cluster_takes_no_part(four: Results) -> None:
    row = _row(four, "probe", 1, clustering="threshold")
    assert (row["n_models"], row["n_out"], row["difference"]) == (1, 2, 1.5)
    frame = four.query("cluster_diagnostics", half="all", metric="loss", clustering="threshold")
    outside = frame.filter(pl.col("cluster").is_null())
    assert outside["mean"].to_list() == [1, 8, 8]
    assert outside["difference"].null_count() == outside.height


def test_a_metric_without_tests_has_effects_and_no_p(four: Results) -> None:
    assert [_row(four, "probe", 1)[name] for name in (*TESTS, "verdict")] == [None] * 6


values = st.integers(0, 8).map(lambda k: k / 8) | st.none()


@st.composite
def studies(draw: st.DrawFn) -> tuple[list[list[float | None]], list[int | None]]:
    n = draw(st.integers(2, 9))
    rows = [draw(st.lists(values, min_size=n, max_size=n)) for _ in ROWS]
    return rows, draw(st.lists(st.sampled_from([0, 1, 2, None]), min_size=n, max_size=n))


@pytest.fixture(scope="module")
def macros() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        text = files("lmc_track.queries.views").joinpath("cluster_contrasts.sql").read_text()
        connection.execute(text)
        yield connection


@settings(deadline=None, max_examples=60)
@given(studies())
def test_sql_and_python_agree(
    macros: duckdb.DuckDBPyConnection,
    study: tuple[list[list[float | None]], list[int | None]],
) -> None:
    rows, clusters = study
    long = [
        (place, dataset, subset, f"m{j}", clusters[j], value)
        for ((dataset, subset), place), row in zip(ROWS.items(), rows, strict=True)
        for j, value in enumerate(row)
    ]
    names = ("place", "dataset", "subset", "model_id", "cluster", "value")
    types = dict(zip(names, (pl.Int32, pl.String, pl.String, pl.String, pl.Int32, pl.Float64),
                     strict=True))  # fmt: skip
    macros.register("given_values", pl.DataFrame(long, schema=types, orient="row"))
    found = {
        row[:2]: row[2:]
        for row in macros.sql(
            f"SELECT place, cluster, n_in, n_out, {', '.join(EFFECTS)} "
            "FROM cluster_contrasts('given_values')"
        ).fetchall()
    }
    kept = [j for j, cluster in enumerate(clusters) if cluster is not None]
    matrix = np.array(rows, dtype=np.float64)[:, kept].reshape(len(rows), len(kept))
    labels = np.array([clusters[j] for j in kept])
    for cluster in set(labels.tolist()):
        inside = labels == cluster
        raw = contrast(matrix, inside)
        partial = partial_correlations(matrix, inside[:, None].astype(float), matrix[0])
        left = replace(contrast(residuals(matrix, matrix[0]), inside), r=partial[:, 0])
        for i, place in enumerate(ROWS.values()):
            if (place, cluster) not in found:
                assert not np.isfinite(matrix[i]).any() or raw.n_in[i] == 0
                continue
            expected = [raw.n_in[i], raw.n_out[i], *_numbers(raw, i), *_numbers(left, i)]
            got = [np.nan if x is None else x for x in found[place, cluster]]
            assert got == pytest.approx(expected, abs=1e-9, nan_ok=True)


def _numbers(found: Contrast, row: int) -> list[float]:
    return [float(found.difference[row]), float(found.auc[row]), float(found.r[row])]


def test_the_table_made_at_ingest_has_the_same_effects(results: Results) -> None:
    """And p values are shown beside those that SQL computes."""
    shown = results.query("cluster_diagnostics")
    made = results.sql("SELECT * FROM cluster_effects WHERE metric = 'accuracy'")
    key = ["dataset", "subset", "cluster"]
    both = shown.join(made, on=key, suffix="_made")
    assert both.height == shown.height == made.height == 16
    for name in (*EFFECTS, *TESTS, "is_primary"):
        numbers = zip(both[name].to_list(), both[f"{name}_made"].to_list(), strict=True)
        for sql, python in numbers:
            assert sql == (None if python is None else pytest.approx(python, abs=1e-9))
    assert set(made["half"]) == {"held-out"}


def test_tests_are_not_shown_beside_other_numbers(results: Results) -> None:
    for asked in ({"half": "discovery"}, {"metric": "loss"}):
        assert results.query("cluster_diagnostics", **asked)["p_value"].null_count() == 16


def test_three_against_three_cannot_be_said(results: Results) -> None:
    frame = results.query("cluster_effects")
    assert set(frame["cluster"]) == {1}
    assert frame["r"].abs().to_list() == sorted(frame["r"].abs().to_list(), reverse=True)
    assert frame["smallest_p"].to_list() == pytest.approx([0.1] * 8)
    assert set(frame["verdict"]) == {"cannot be said: 3 against 3 models cannot attain p below 0.1"}


def test_directions_against_the_primary_diagnostic_are_shown(results: Results) -> None:
    frame = results.query("cluster_effects").filter(pl.col("subset") == "all")
    reversed_ = dict(frame.select("dataset", "reversed").iter_rows())
    assert (reversed_["main_only"], reversed_["embedded_only"]) == (False, True)
    assert frame.filter("is_primary")["dataset"].to_list() == ["main_only"]


@pytest.mark.parametrize(
    ("n_in", "n_out", "smallest", "p", "says"),
    [
        (4, 4, 0.029, 0.029, "differs"),
        (4, 4, 0.029, 0.2, "not shown to differ"),
        (4, 4, 0.029, None, "all models are equal"),
        (1, 30, 1 / 31, 1 / 31, "cannot be said: a single model has no spread"),
        (2, 3, 0.1, 0.1, "cannot be said: 2 against 3 models cannot attain p below 0.1"),
        (2, 3, None, None, None),
    ],
)
def test_verdicts(
    macros: duckdb.DuckDBPyConnection,
    n_in: int,
    n_out: int,
    smallest: float | None,
    p: float | None,
    says: str | None,
) -> None:
    found = macros.execute("SELECT effect_verdict(?, ?, ?, ?)", [n_in, n_out, smallest, p])
    assert found.fetchall() == [(says,)]


def test_the_axis_leads_from_cluster_0_to_cluster_1(results: Results) -> None:
    frame = results.query("axis_effects")
    members = results.sql("SELECT model_id, centroid_distances AS d FROM clusters")
    axis = {model: d[0] - d[1] for model, d in members.iter_rows()}
    scores = results.query("diagnostics", dataset="main_only", subset="all")
    places = [axis[model] for model in scores["model_id"]]
    row = frame.filter((pl.col("dataset") == "main_only") & (pl.col("subset") == "all"))
    expected = np.corrcoef(places, scores["value"].to_numpy())[0, 1]
    assert row["pearson"].item() == pytest.approx(expected)
    assert (row["axis"].item(), row["cluster"].item()) == ("centroid_distances", 1)
    assert row["smallest_p"].item() == pytest.approx(1 / 720)


def test_gaps_are_tested_against_diagnostics_and_weights(results: Results) -> None:
    frame = results.query("mantel_tests")
    assert frame.height == 9
    weights = frame.filter(pl.col("distance") == "l2_distance").row(0, named=True)
    pairs = results.query("barrier_pairs", half="held-out")
    expected = np.corrcoef(pairs["convexity_gap"], pairs["l2_distance"])[0, 1]
    assert weights["r"] == pytest.approx(expected)
    assert (weights["n_pairs"], weights["p_corrected"]) == (15, None)
    assert results.query("mantel_tests", metric="loss").height == 1


def test_missing_pairs_and_models_are_left_out(with_holes: Results) -> None:
    frame = with_holes.query("mantel_tests").filter(pl.col("subset") == "all")
    n_pairs = {
        row[:2]: row[2] for row in frame.select("distance", "dataset", "n_pairs").iter_rows()
    }
    assert n_pairs["diagnostic", "validation"] == 13
    assert n_pairs["diagnostic", "main_only"] < 13
    effects = with_holes.query("cluster_effects").filter(pl.col("subset") == "all")
    sizes = {row[0]: row[1:] for row in effects.select("dataset", "n_in", "n_out").iter_rows()}
    assert (sizes["validation"], sizes["main_only"]) == ((3, 3), (3, 2))


@pytest.mark.parametrize("options", [{"n_models": 0, "clusters": 0}, {"n_models": 1, "clusters": 1},
                                     {"n_models": 2, "clusters": 2}])  # fmt: skip
def test_too_few_models_for_a_test_are_no_error(
    built: Callable[..., Results], options: dict[str, int]
) -> None:
    results = built(n_points=3, **options)
    verdicts = results.query("cluster_effects")["verdict"].to_list()
    assert all(str(verdict).startswith("cannot be said") for verdict in verdicts)
    assert len(verdicts) == (8 if options["n_models"] == 2 else 0)
    assert results.query("mantel_tests")["p_value"].count() == 0


def test_results_without_halves_are_compared_on_all_examples(
    built: Callable[..., Results],
) -> None:
    """As imported ones are: values only, of whole sets, and neither paths nor predictions."""
    results = built(n_models=4, n_points=3)
    with duckdb.connect(str(results.path)) as connection:
        connection.execute(
            "DELETE FROM evaluations WHERE half <> 'all' OR metric <> 'accuracy';"
            "DELETE FROM storage.barrier_rows; DELETE FROM storage.prediction_rows"
        )
        moment = Moment(results.path, connection)
        clusters, axes, distances = (each.rows(moment) for each in CLUSTER_STATISTICS)
    assert set(clusters["half"]) == {"all"}
    assert clusters["auc"].null_count() == 0
    assert axes.height == 8
    assert distances.is_empty()


def test_the_study_names_what_is_primary(results: Results) -> None:
    named = results.query("study_summary")["primary_diagnostic"].item()
    row = results.query("cluster_effects").filter("is_primary").row(0, named=True)
    assert ":".join([row["dataset"], row["subset"], row["metric"]]) == named
