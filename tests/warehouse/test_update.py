"""A file brought up to date equals one that is built anew, whatever has changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from lmc_track.errors import WorkError
from lmc_track.steps.derivations import DERIVATIONS
from lmc_track.warehouse import filling
from lmc_track.warehouse.rebuild import rebuild, update
from lmc_track.warehouse.results import open_results
from lmc_track.warehouse.snapshot import Snapshot
from support.simulated_study import merge, simulated_snapshot
from support.studies import tables_of

SETS = ("validation", "main_only")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Two studies, one of them with a plane."""
    folder = tmp_path_factory.mktemp("record")
    common = {"n_points": 5, "n_examples": 90, "datasets": SETS}
    return merge(
        simulated_snapshot(folder, n_models=5, planes=((0, 1, 2),), refined=(0.375,), **common),
        simulated_snapshot(folder, n_models=3, study="other", seed=1, **common),
    )


@pytest.fixture(scope="module")
def built(whole: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pl.DataFrame]:
    path = tmp_path_factory.mktemp("built") / "results.duckdb"
    rebuild(path, whole, DERIVATIONS)
    return contents(path)


def contents(path: Path) -> dict[str, pl.DataFrame]:
    """Every table and view; what is numbered inside the file is left out."""
    return tables_of(path)


def without(snapshot: Snapshot, **gone: pl.Expr) -> Snapshot:
    """``snapshot`` without the rows of these tables, and without what hangs on them."""
    frames = {
        name: getattr(snapshot, name).filter(~gone[name])
        if name in gone
        else getattr(snapshot, name)
        for name in ("models", "paths", "points", "clusterings", "clusters", "co_assignments")
    }
    ids = set(frames["models"]["model_id"])
    frames["paths"] = frames["paths"].filter(
        pl.col("model_a_id").is_in(ids) & pl.col("model_b_id").is_in(ids)
    )
    frames["points"] = frames["points"].filter(
        pl.col("path_id").is_in(frames["paths"]["path_id"].implode())
    )
    lost = snapshot.models.filter(~pl.col("model_id").is_in(ids))["study"].unique()
    frames["clusterings"] = frames["clusterings"].filter(~pl.col("study").is_in(lost.implode()))
    for name in ("clusters", "co_assignments"):
        there = pl.col("clustering_id").is_in(frames["clusterings"]["clustering_id"].implode())
        frames[name] = frames[name].filter(there)
    runs = ids | set(frames["points"]["point_id"])
    files = tuple(file for file in snapshot.predictions if file.run_id in runs)
    return replace(snapshot, predictions=files, **frames)


def since(new: Snapshot, old: Snapshot, again: frozenset[str] = frozenset()) -> Snapshot:
    """``new`` for a file that was made from ``old``; runs ``again`` are read once more."""
    had, has = ({file.run_id for file in one.predictions} for one in (old, new))
    kept = (had & has) - again
    files = tuple(file for file in new.predictions if file.run_id not in kept)
    return replace(new, predictions=files, kept=frozenset(kept), changed=frozenset({"simulated"}))


def path_between(a: int, b: int) -> pl.Expr:
    return (
        (pl.col("study") == "simulated")
        & (pl.col("model_a") == f"seed-{a}")
        & (pl.col("model_b") == f"seed-{b}")
    )


CHANGES: dict[str, Callable[[Snapshot], Snapshot]] = {
    "one path": lambda whole: without(whole, paths=path_between(1, 3)),
    "one point": lambda whole: without(
        whole, points=pl.col("point_id") == whole.points["point_id"][7]
    ),
    "one model": lambda whole: without(
        whole, models=(pl.col("name") == "seed-4") & (pl.col("study") == "simulated")
    ),
    "clusters": lambda whole: without(
        whole,
        clusterings=pl.col("study") == "simulated",
    ),
    "a study": lambda whole: replace(
        without(whole, models=pl.col("study") == "simulated"),
        studies=whole.studies.filter(study="other"),
        datasets=whole.datasets.filter(study="other"),
        planes=whole.planes.clear(),
        plane_points=whole.plane_points.clear(),
    ),
}


EVERY = ["one path", *(pytest.param(name, marks=pytest.mark.full) for name in list(CHANGES)[1:])]


@pytest.mark.parametrize("change", EVERY)
def test_what_is_new_is_added(
    whole: Snapshot, built: dict[str, pl.DataFrame], tmp_path: Path, change: str
) -> None:
    path = tmp_path / "results.duckdb"
    before = CHANGES[change](whole)
    rebuild(path, before, DERIVATIONS)
    update(path, since(whole, before), DERIVATIONS)
    same(contents(path), built)


@pytest.mark.full
@pytest.mark.parametrize("change", CHANGES)
def test_what_is_gone_disappears(whole: Snapshot, tmp_path: Path, change: str) -> None:
    wanted, path = tmp_path / "wanted.duckdb", tmp_path / "results.duckdb"
    after = CHANGES[change](whole)
    rebuild(wanted, after, DERIVATIONS)
    rebuild(path, whole, DERIVATIONS)
    update(path, since(after, whole), DERIVATIONS)
    same(contents(path), contents(wanted))


@pytest.mark.full
def test_runs_that_are_read_again_are_there_once(
    whole: Snapshot, built: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    path = tmp_path / "results.duckdb"
    rebuild(path, whole, DERIVATIONS)
    again = frozenset({whole.models["model_id"][0], whole.points["point_id"][3]})
    update(path, since(whole, whole, again), DERIVATIONS)
    same(contents(path), built)


def test_a_reader_is_not_disturbed(
    whole: Snapshot, built: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    path = tmp_path / "results.duckdb"
    before = CHANGES["one path"](whole)
    rebuild(path, before, DERIVATIONS)
    with duckdb.connect(str(path), read_only=True) as mine:
        update(path, since(whole, before), DERIVATIONS)
        assert mine.sql("SELECT count(*) FROM paths").fetchall() == [(before.paths.height,)]
    same(contents(path), built)
    assert [file.name for file in tmp_path.iterdir() if "building" in file.name] == []


def test_a_log_beside_the_file_is_not_taken_in(whole: Snapshot, tmp_path: Path) -> None:
    path, log = tmp_path / "results.duckdb", tmp_path / "results.duckdb.wal"
    before = CHANGES["one path"](whole)
    rebuild(path, before, DERIVATIONS)
    content = path.read_bytes()
    with duckdb.connect(str(path)) as killed:
        killed.execute("PRAGMA disable_checkpoint_on_shutdown")
        killed.execute("CREATE TABLE committed AS SELECT 1 AS one")
    assert log.exists()
    with pytest.raises(WorkError, match=r"lies beside the results.*\n.*lmc-track ingest"):
        update(path, since(whole, before), DERIVATIONS)
    assert path.read_bytes() == content
    rebuild(path, whole, DERIVATIONS)
    assert not log.exists()
    assert "committed" not in contents(path)


def test_an_update_leaves_no_log(whole: Snapshot, tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    before = CHANGES["one path"](whole)
    rebuild(path, before, DERIVATIONS)
    update(path, since(whole, before), DERIVATIONS)
    assert [file.name for file in tmp_path.glob("results*")] == ["results.duckdb"]


def test_a_failed_update_leaves_the_file_as_it_was(
    whole: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "results.duckdb"
    before = CHANGES["one path"](whole)
    rebuild(path, before, DERIVATIONS)
    there = contents(path)

    def fail(*_: object) -> None:
        raise duckdb.OutOfMemoryException("not enough memory")

    monkeypatch.setattr(filling, "_compute", fail)
    with pytest.raises(WorkError, match="as it was"):
        update(path, since(whole, before), DERIVATIONS)
    same(contents(path), there)
    assert open_results(path).studies() == ["other", "simulated"]


def same(one: dict[str, pl.DataFrame], two: dict[str, pl.DataFrame]) -> None:
    assert one.keys() == two.keys()
    for name, frame in one.items():
        assert_frame_equal(frame, two[name], abs_tol=1e-9, rel_tol=1e-9)
