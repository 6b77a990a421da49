"""What SQL says of every pair is what the Python definitions say."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.special import stdtr

from lmc_track.analysis.bounds import GapBounds, gap_bounds
from lmc_track.analysis.contrasts import Lines
from lmc_track.analysis.decisions import decide, p_connected, p_separated
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
        }
    )


def assert_same(found: pl.DataFrame, wanted: pl.DataFrame) -> None:
    for name in NUMBERS:
        assert found[name].to_numpy() == pytest.approx(wanted[name].to_numpy(), rel=1e-6, abs=0)
    assert found["decision"].to_list() == wanted["decision"].to_list()


@pytest.fixture(scope="module")
def measured(results: Results) -> GapBounds:
    with results.at_once() as now:
        curves = now.loss_curves("simulated", "validation")
    examples = curves.examples
    found = gap_bounds(curves.alphas, curves.losses, curves.runs, examples.held_out, examples.units)
    assert found is not None
    return found


@pytest.mark.parametrize("tau", [0.0, 0.02, 0.1, 0.5, 3.0])
def test_decisions_are_those_of_python(results: Results, measured: GapBounds, tau: float) -> None:
    found = results.query("gap_decisions", tau=tau)
    assert_same(found, expected(measured, tau))
    assert found["lower"].to_list() == measured.lower.tolist()
    assert found["upper"].to_list() == measured.upper.tolist()


def test_pairs_within_clusters_are_connected_and_others_separated(results: Results) -> None:
    summary = results.query("decision_summary", tau=0.15)
    assert summary.columns == [
        "pairs", "n_pairs", "n_separated", "n_connected", "n_undecided", "n_missing", "tau", "q",
    ]  # fmt: skip
    assert summary.drop("tau", "q").rows() == [
        ("within", 6, 0, 6, 0, 0), ("between", 9, 9, 0, 0, 0), ("all", 15, 9, 6, 0, 0),
    ]  # fmt: skip


def test_the_estimate_is_at_the_discovery_gaps_support(results: Results) -> None:
    """The contrast is the support of the discovery gap, as the view of barriers has it."""
    rows = results.sql(
        "SELECT g.left_alpha, g.alpha, g.right_alpha, b.support FROM gap_bounds g "
        "JOIN barriers b USING (path_id, dataset) "
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
    """Fifteen pairs, one by one: without a contrast, without error, with one line or two."""

    def each(values: st.SearchStrategy[float]) -> np.ndarray:
        return np.array(draw(st.lists(values, min_size=15, max_size=15)), dtype=float)

    estimate, error = each(SIXTEENTHS), each(SIXTEENTHS) / 8
    none = each(st.sampled_from([0, 0, 0, 1])) == 1
    heights = np.stack([each(SIXTEENTHS), each(SIXTEENTHS)], 1)
    errors = np.stack([each(SIXTEENTHS), each(SIXTEENTHS)], 1) / 8
    heights[each(st.integers(0, 1)) == 1, 1] = np.nan
    drawn = np.sort(np.random.default_rng(draw(st.integers(0, 99))).gamma(8, 0.3, (15, 100)))
    return GapBounds(
        paths=np.arange(15),
        contrast=np.where(none[:, None], -1, [[0, 1, 2]]),
        estimate=np.where(none, np.nan, estimate),
        standard_error=np.where(none, np.nan, error),
        lower=each(SIXTEENTHS),
        upper=each(SIXTEENTHS),
        lines=Lines(heights, np.where(np.isnan(heights), np.nan, errors)),
        draws=drawn[:, ::-1].astype(np.float32),
        n_uncertain=each(st.integers(0, 9)).astype(int),
        n_units=draw(st.integers(40, 2000)),
        n_held_out_units=draw(st.integers(20, 900)),
        n_draws=draw(st.sampled_from([100, 1000])),
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
                "estimate": pl.Series(bounds.estimate).fill_nan(None),
                "standard_error": pl.Series(bounds.standard_error).fill_nan(None),
                "lower": bounds.lower,
                "upper": bounds.upper,
                "n_units": [bounds.n_units] * 15,
                "n_held_out_units": [bounds.n_held_out_units] * 15,
                "line_heights": [row[~np.isnan(row)].tolist() for row in bounds.lines.heights],
                "line_errors": [row[~np.isnan(row)].tolist() for row in bounds.lines.errors],
                "n_uncertain": bounds.n_uncertain,
                "max_t": bounds.draws.tolist(),
                "n_draws": [bounds.n_draws] * 15,
            }
        ),
    )
    found = blank.query("gap_decisions", tau=tau, q=q)
    assert_same(found, expected(bounds, tau, q))
    apart = (bounds.lower > tau) & (bounds.upper > tau)
    joined = (bounds.lower <= tau) & (bounds.upper <= tau)
    reading = np.where(apart, "separated", np.where(joined, "connected", "undecided"))
    assert found["reading"].to_list() == reading.tolist()


def test_the_tail_of_student_keeps_its_digits_far_out() -> None:
    t = np.concatenate([np.linspace(-6, 6, 97), np.geomspace(6, 60, 30)])
    with duckdb.connect() as connection:
        view = files("lmc_track.queries.views").joinpath("student_tail.sql")
        connection.execute(view.read_text("utf-8"))
        for df in (1.0, 2.0, 19.0, 255.0, 511.0, 40_000.0):
            rows = connection.execute(
                "SELECT student_tail(t, ?::DOUBLE) FROM (SELECT unnest(?::DOUBLE[]) AS t)",
                [df, t.tolist()],
            ).fetchall()
            wanted = stdtr(df, -t)
            kept = wanted > 1e-290
            assert np.array(rows)[kept, 0] == pytest.approx(wanted[kept], rel=1e-9, abs=0)


def with_tau(tmp_path: Path, study_file: object, settings_of: object | None) -> float | None:
    """The tolerance that three made models are judged by, their headroom being ln 2 − ¼."""
    clusterings = [] if settings_of is None else [("threshold", [0, 0, 0])]
    snapshot = handmade_snapshot(tmp_path, [0.25] * 3, {}, clusterings=clusterings)
    studies = snapshot.studies.with_columns(pl.lit(json.dumps(study_file)).alias("study_file"))
    made = snapshot.clusterings.with_columns(pl.lit(json.dumps(settings_of)).alias("settings"))
    changed = {**vars(snapshot), "studies": studies, "clusterings": made}
    rebuild(tmp_path / "results.duckdb", type(snapshot)(**changed), DERIVATIONS)
    results = open_results(tmp_path / "results.duckdb")
    tau: float | None = results.query("decision_summary")["tau"][0]
    return tau


FILE = {"cluster": {"tau": 0.5, "least_relative_gap": 0.5}}
NO_TAU = {"cluster": {"tau": None, "least_relative_gap": 0.5}}


def test_tau_is_that_of_the_newest_threshold_clustering(tmp_path: Path) -> None:
    assert with_tau(tmp_path, FILE, {"tau": 0.25}) == 0.25


def test_without_a_threshold_clustering_tau_is_the_study_files(tmp_path: Path) -> None:
    assert with_tau(tmp_path, FILE, None) == 0.5


def test_without_any_tau_it_is_a_share_of_the_way_to_chance(tmp_path: Path) -> None:
    tau = with_tau(tmp_path, NO_TAU, None)
    with open_results(tmp_path / "results.duckdb").at_once() as now:
        headroom = now.query("chance_headroom", half="held-out")["headroom"].item()
    assert tau == round(0.5 * headroom, 6)


def test_without_a_tolerance_nothing_is_decided(tmp_path: Path) -> None:
    assert with_tau(tmp_path, {}, None) is None
    found = open_results(tmp_path / "results.duckdb").query("gap_decisions")
    assert found["decision"].null_count() == found.height == 3


def test_pairs_without_bounds_are_missing_and_count_for_nobody(with_holes: Results) -> None:
    """Half of 40 examples are too few, in one half at least."""
    found = with_holes.query("gap_decisions", tau=0.1)
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
    found = open_results(tmp_path / "results.duckdb").query("gap_decisions", tau=0.1)
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
    assert first.height == 60
    assert first.equals(second)
