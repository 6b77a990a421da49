"""What SQL says of every pair is what the Python definitions say."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import entropy

from lmc_track.analysis.bounds import TAILS, GapBounds, error_gap_bounds, gap_bounds
from lmc_track.analysis.decisions import decide, examples_needed, p_connected, p_separated
from lmc_track.steps.derivations import DERIVATIONS
from lmc_track.warehouse.moment import Moment
from lmc_track.warehouse.rebuild import rebuild
from lmc_track.warehouse.results import Results, open_results
from lmc_track.warehouse.storage import insert_rows
from lmc_track.warehouse.tables import GAP_BOUNDS
from support.handmade_study import handmade_snapshot
from support.simulated_study import simulated_snapshot

NUMBERS = ("p_separated", "p_connected", "p", "p_adjusted")


def expected(bounds: GapBounds, tau: float, q: float = 0.05) -> pl.DataFrame:
    said = decide(bounds, tau, q)
    return pl.DataFrame(
        {
            "p_separated": p_separated(bounds, tau),
            "p_connected": p_connected(bounds, tau),
            "p": said.p,
            "p_adjusted": said.p_adjusted,
            "decision": said.decision,
            "n_needed": np.where(
                said.decision == "undecided", examples_needed(bounds, tau, q), np.nan
            ),
        }
    ).with_columns(pl.col("n_needed").fill_nan(None))


def assert_same(found: pl.DataFrame, wanted: pl.DataFrame) -> None:
    for name in NUMBERS:
        assert found[name].to_numpy() == pytest.approx(wanted[name].to_numpy(), rel=1e-6, abs=0)
    assert found["decision"].to_list() == wanted["decision"].to_list()
    needed, expected_ones = found["n_needed"], wanted["n_needed"]
    assert needed.is_null().to_list() == expected_ones.is_null().to_list()
    # One more or fewer is rounding.
    assert needed.drop_nulls().to_list() == pytest.approx(
        expected_ones.drop_nulls().to_list(), rel=1e-9, abs=1
    )


@pytest.fixture(scope="module")
def measured(results: Results) -> dict[str, GapBounds]:
    with results.at_once() as now:
        curves = now.loss_curves("simulated", "validation")
        errors = now.errors("simulated", curves.run_ids, curves.examples)
    drawn = curves.examples.held_out, curves.examples.units
    loss = gap_bounds(curves.alphas, curves.losses, curves.runs, *drawn)
    error = error_gap_bounds(curves.alphas, errors, curves.runs, *drawn)
    assert loss is not None
    assert error is not None
    return {"loss": loss, "error": error}


@pytest.mark.parametrize("metric", ["loss", "error"])
@pytest.mark.parametrize("tau", [0.0, 0.02, 0.1, 0.5, 3.0])
def test_decisions_are_those_of_python(
    results: Results, measured: dict[str, GapBounds], metric: str, tau: float
) -> None:
    found = results.query("gap_decisions", metric=metric, tau=tau)
    assert_same(found, expected(measured[metric], tau))
    assert found["lower"].to_list() == measured[metric].lower.tolist()
    assert found["upper"].to_list() == measured[metric].upper.tolist()


def test_mean_errors_of_examples_are_the_evaluations(results: Results) -> None:
    with results.at_once() as now:
        curves = now.loss_curves("simulated", "validation")
        errors = now.errors("simulated", curves.run_ids, curves.examples)
    rows = results.sql(
        "SELECT run_id, value FROM evaluations WHERE dataset = 'validation' AND subset = 'all' "
        "AND half = 'all' AND metric = 'error'"
    )
    values = dict(rows.iter_rows())
    assert errors.mean(1) == pytest.approx([values[run] for run in curves.run_ids])


def test_decisions_are_on_the_error_at_two_points(results: Results) -> None:
    found = results.query("gap_decisions")
    assert found["tau"].unique().to_list() == [0.02]
    assert found.equals(results.query("gap_decisions", metric="error", tau=0.02))


def test_pairs_within_clusters_are_connected_and_others_separated(results: Results) -> None:
    summary = results.query("decision_summary", metric="loss", tau=0.15)
    assert summary.columns == [
        "pairs", "n_pairs", "n_separated", "n_connected", "n_undecided", "n_missing",
        "n_examples", "n_needed_half", "n_needed", "tau", "q",
    ]  # fmt: skip
    assert summary.select(summary.columns[:6]).rows() == [
        ("within", 6, 0, 6, 0, 0), ("between", 9, 9, 0, 0, 0), ("all", 15, 9, 6, 0, 0),
    ]  # fmt: skip


def test_the_estimate_is_at_the_discovery_gaps_support(results: Results) -> None:
    """The contrast is the support of the discovery gap, as the view of barriers has it."""
    rows = results.sql(
        "SELECT g.left_alpha, g.alpha, g.right_alpha, b.support FROM gap_bounds g "
        "JOIN barriers b USING (path_id, dataset, metric) "
        "WHERE subset = 'all' AND half = 'discovery' AND metric = 'loss'"
    )
    assert rows.height == 15 * 4
    for left, alpha, right, support in rows.iter_rows():
        assert support == (None if alpha is None else {"l": left, "alpha": alpha, "r": right})


@pytest.fixture(scope="module")
def blank(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moment]:
    """Six models whose bounds are to be filled in."""
    path = tmp_path_factory.mktemp("blank") / "results.duckdb"
    shutil.copy(results.path, path)
    with duckdb.connect(str(path)) as connection:
        yield Moment(path, connection)


SIXTEENTHS = st.integers(0, 16).map(lambda whole: whole / 16)


@st.composite
def made_bounds(draw: st.DrawFn) -> GapBounds:
    """Fifteen pairs, one by one: with a contrast or without, of losses or of counts."""

    def each(values: st.SearchStrategy[float]) -> np.ndarray:
        return np.array(draw(st.lists(values, min_size=15, max_size=15)), dtype=float)

    estimate, height = each(SIXTEENTHS), each(SIXTEENTHS)
    none = each(st.sampled_from([0, 0, 0, 1])) == 1
    random = np.random.default_rng(draw(st.integers(0, 99)))
    lowers, uppers = np.cumsum(random.gamma(1, 0.005, (2, 15, len(TAILS))), axis=2)
    return GapBounds(
        paths=np.arange(15),
        contrast=np.where(none[:, None], -1, [[0, 1, 2]]),
        estimate=np.where(none, np.nan, estimate),
        standard_error=np.where(none, np.nan, 0.125),
        lower=each(SIXTEENTHS),
        upper=each(SIXTEENTHS),
        lowers=np.where(none[:, None], np.nan, estimate[:, None] - lowers),
        uppers=height[:, None] + uppers + 0.125,
        height=height,
        variance=each(SIXTEENTHS),
        jump=draw(st.sampled_from([0.0, 1.0, 2.5])),
        n_examples=draw(st.integers(40, 2000)),
        n_units=40,
        n_held_out_units=20,
        level=0.95,
    )


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(made_bounds(), SIXTEENTHS, st.sampled_from([0.01, 0.05, 0.5]))
def test_decisions_on_any_bounds_are_those_of_python(
    blank: Moment, bounds: GapBounds, tau: float, q: float
) -> None:
    paths = blank.query("barrier_pairs")["path_id"]
    blank.connection.execute("DELETE FROM gap_bounds")
    insert_rows(
        blank.connection,
        GAP_BOUNDS,
        pl.DataFrame(
            {
                "path_id": paths,
                "dataset": ["validation"] * 15,
                "metric": ["error"] * 15,
                "estimate": pl.Series(bounds.estimate).fill_nan(None),
                "standard_error": pl.Series(bounds.standard_error).fill_nan(None),
                "lower": bounds.lower,
                "upper": bounds.upper,
                "n_units": [bounds.n_units] * 15,
                "n_held_out_units": [bounds.n_held_out_units] * 15,
                "n_examples": [bounds.n_examples] * 15,
                "lowers": [None if np.isnan(row).any() else row.tolist() for row in bounds.lowers],
                "uppers": bounds.uppers.tolist(),
                "height": bounds.height,
                "variance": bounds.variance,
                "jump": [bounds.jump] * 15,
            }
        ),
    )
    found = blank.query("gap_decisions", tau=tau, q=q)
    assert_same(found, expected(bounds, tau, q))
    apart = (bounds.lower > tau) & (bounds.upper > tau)
    joined = (bounds.lower <= tau) & (bounds.upper <= tau)
    reading = np.where(apart, "separated", np.where(joined, "connected", "undecided"))
    assert found["reading"].to_list() == reading.tolist()


def with_tau(
    tmp_path: Path, study_file: object, settings_of: object | None, metric: str
) -> float | None:
    """The tolerance that three made models are judged by."""
    clusterings = [] if settings_of is None else [("threshold", [0, 0, 0])]
    snapshot = handmade_snapshot(tmp_path, [0.25] * 3, {}, clusterings=clusterings)
    studies = snapshot.studies.with_columns(pl.lit(json.dumps(study_file)).alias("study_file"))
    made = snapshot.clusterings.with_columns(pl.lit(json.dumps(settings_of)).alias("settings"))
    changed = {**vars(snapshot), "studies": studies, "clusterings": made}
    rebuild(tmp_path / "results.duckdb", type(snapshot)(**changed), DERIVATIONS)
    results = open_results(tmp_path / "results.duckdb")
    tau: float | None = results.query("decision_summary", metric=metric)["tau"][0]
    return tau


FILE = {"cluster": {"tau": 0.5, "tau_error": 0.04}}


BY_ERROR, BY_LOSS = {"tau": 0.03, "metric": "error"}, {"tau": 0.25}


@pytest.mark.parametrize(
    ("clustered", "metric", "tau"),
    [
        (BY_ERROR, "error", 0.03),
        (BY_ERROR, "loss", 0.5),
        (BY_LOSS, "loss", 0.25),
        (BY_LOSS, "error", 0.04),
    ],
)
def test_tau_is_that_of_the_newest_threshold_clustering_of_its_metric(
    tmp_path: Path, clustered: object, metric: str, tau: float
) -> None:
    assert with_tau(tmp_path, FILE, clustered, metric) == tau


@pytest.mark.parametrize(("metric", "tau"), [("loss", 0.5), ("error", 0.04)])
def test_without_a_threshold_clustering_tau_is_the_study_files(
    tmp_path: Path, metric: str, tau: float
) -> None:
    assert with_tau(tmp_path, FILE, None, metric) == tau


def test_without_any_tau_two_points_of_error_may_be_lost(tmp_path: Path) -> None:
    assert with_tau(tmp_path, {}, None, "error") == 0.02


def test_without_a_tau_the_loss_may_rise_as_two_points_of_error_make_it(tmp_path: Path) -> None:
    tau = with_tau(tmp_path, {}, None, "loss")
    error = open_results(tmp_path / "results.duckdb").sql(
        "SELECT avg(value) FROM evaluations JOIN models ON model_id = run_id "
        "WHERE dataset = 'validation' AND subset = 'all' AND half = 'held-out' "
        "AND metric = 'error'"
    )
    start = min(error.item(), 0.48)
    assert tau == pytest.approx(
        entropy([start + 0.02, 0.98 - start]) - entropy([start, 1 - start]), abs=1e-6
    )


def test_pairs_without_bounds_are_missing_and_count_for_nobody(with_holes: Results) -> None:
    """Half of 40 examples are too few, in one half at least."""
    found = with_holes.query("gap_decisions", tau=0.1, metric="loss")
    assert found.height == 15
    incomplete = found.filter(pl.col("gap").is_null())
    assert incomplete.height == 2
    for name in (*NUMBERS, "lower", "upper", "reading", "decision"):
        assert incomplete[name].null_count() == 2


def test_a_loss_that_is_not_finite_leaves_its_paths_undecidable(tmp_path: Path) -> None:
    snapshot = simulated_snapshot(
        tmp_path, n_models=3, n_points=3, n_examples=80, datasets=("validation",)
    )
    file = next(f for f in snapshot.predictions if f.run_id in set(snapshot.points["point_id"]))
    frame = pl.read_parquet(file.path)
    infinite = pl.when(pl.col("example_id") == 3).then(float("inf"))
    broken = frame.with_columns(infinite.otherwise(pl.col("loss")).alias("loss"))
    broken.cast(frame.schema).write_parquet(file.path)
    rebuild(tmp_path / "results.duckdb", snapshot, DERIVATIONS)
    results = open_results(tmp_path / "results.duckdb")
    found = results.query("gap_decisions", tau=0.1, metric="loss")
    assert found["decision"].is_null().to_list() == [True, False, False]


@pytest.mark.parametrize("n_models", [0, 1, 2])
def test_few_models_have_few_pairs(built: Callable[..., Results], n_models: int) -> None:
    results = built(n_models=n_models, n_examples=80, clusters=0)
    assert results.query("gap_decisions", tau=0.1).height == n_models // 2
    assert results.query("decision_summary", tau=0.1).height == n_models // 2


def test_two_ingests_give_the_same_bounds(results: Results, tmp_path: Path) -> None:
    first = results.sql("SELECT * FROM gap_bounds ORDER BY ALL")
    again = simulated_snapshot(tmp_path, n_examples=60)
    rebuild(tmp_path / "results.duckdb", again, DERIVATIONS)
    second = open_results(tmp_path / "results.duckdb").sql("SELECT * FROM gap_bounds ORDER BY ALL")
    assert first.height == 2 * 60
    assert first.equals(second)
