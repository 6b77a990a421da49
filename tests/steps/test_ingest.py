"""Ingest reads what has changed, and the results are those of reading everything."""

from __future__ import annotations

import threading
from pathlib import Path

import duckdb
import polars as pl
import pytest
from filelock import FileLock
from polars.testing import assert_frame_equal

import lmc_track
from lmc_track.errors import InputError
from lmc_track.progress import Silent
from lmc_track.steps import ingest as ingesting
from lmc_track.steps.ingest import ingest
from lmc_track.tracking import record as reading
from lmc_track.tracking.location import Location
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.store import Store
from lmc_track.tracking.studies import find_study
from lmc_track.tracking.tags import REVISION_TAG
from support.stores import copied_home
from support.studies import run_tiny, runs_of, tables_of


@pytest.fixture
def copied(finished: Location, tmp_path: Path) -> Location:
    """A finished study that a test may change."""
    return copied_home(finished, tmp_path / "copied")


class Told(Silent):
    """Keeps what users would be told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def same_as_anew(location: Location) -> None:
    """The results are those that a new file has."""
    updated = tables_of(location.results_path)
    ingest(location, Silent(), everything=True)
    for name, frame in tables_of(location.results_path).items():
        assert_frame_equal(updated[name], frame, abs_tol=1e-9, rel_tol=1e-9)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many runs each ingest of this test has read whole."""
    counts: list[int] = []
    whole = reading._InDatabase.entries

    def entries(self: reading._InDatabase, run_ids: list[str]) -> list[RunEntry]:
        counts.append(len(run_ids))
        return whole(self, run_ids)

    monkeypatch.setattr(reading._InDatabase, "entries", entries)
    return counts


def test_nothing_is_read_or_written_where_nothing_has_changed(
    copied: Location, read: list[int]
) -> None:
    ingest(copied, Silent())
    before, there = copied.results_path.stat(), len(read)
    report = ingest(copied, Silent())
    assert not report.changed
    assert report.counts["models"] == 4
    assert len(read) == there
    after = copied.results_path.stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)


def test_a_deleted_path_disappears_and_comes_back(copied: Location, read: list[int]) -> None:
    ingest(copied, Silent())
    before = tables_of(copied.results_path)
    index = runs_of(copied)
    path = index.all("path")[0]
    client = Store(copied).client
    client.delete_run(path.run_id)
    ingest(copied, Silent())
    gone = tables_of(copied.results_path)
    assert gone["paths"].height == before["paths"].height - 1
    assert path.run_id not in gone["points"]["path_id"]
    same_as_anew(copied)
    client.restore_run(path.run_id)
    n_points = len(index.all("point"))
    del read[:]
    assert ingest(copied, Silent()).changed
    # The points of the path were not in the file: they are read; the others are not.
    assert sum(read) < n_points + len(index.all("path")) + 20
    for name, frame in tables_of(copied.results_path).items():
        assert_frame_equal(frame, before[name], abs_tol=1e-9, rel_tol=1e-9)


@pytest.mark.full
def test_a_deleted_model_takes_its_paths_and_clusterings_along(copied: Location) -> None:
    ingest(copied, Silent())
    model = runs_of(copied).all("model")[0]
    Store(copied).client.delete_run(model.run_id)
    ingest(copied, Silent())
    tables = tables_of(copied.results_path)
    assert tables["models"].height == 3
    assert tables["paths"].height == 3
    assert tables["clusterings"].is_empty()
    same_as_anew(copied)


@pytest.mark.full
def test_growing_one_seed_at_a_time_equals_one_ingest(
    copied: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However little the study is, what it gains is taken into the file that is there.
    monkeypatch.setattr("lmc_track.steps.ingest_changes._LARGEST_SHARE", 10)
    run_tiny(copied, finetune={"seeds": "0-4"})
    assert tables_of(copied.results_path)["paths"].height == 10
    more = {"evaluate": {"datasets": ["validation", "main_only", "embedded_only"]}}
    run_tiny(copied, finetune={"seeds": "0-4"}, **more)
    same_as_anew(copied)


@pytest.mark.full
def test_a_finer_grid_builds_the_file_anew(
    copied: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lmc_track.steps.ingest_changes._LARGEST_SHARE", 10)
    built: list[Path] = []
    anew = ingesting.rebuild
    monkeypatch.setattr(
        ingesting, "rebuild", lambda path, *rest: built.append(path) or anew(path, *rest)
    )
    ingest(copied, Silent())
    built.clear()
    run_tiny(copied, interpolate={"points": 7})
    assert len(built) == 1
    assert set(tables_of(copied.results_path)["barriers"]["n_points"]) == {7}


@pytest.mark.parametrize(
    "content",
    [None, *(pytest.param(one, marks=pytest.mark.full) for one in (b"", b"not a database"))],
)
def test_a_damaged_file_is_written_anew_with_a_message(
    copied: Location, content: bytes | None
) -> None:
    ingest(copied, Silent())
    before = tables_of(copied.results_path)
    whole = copied.results_path.read_bytes()
    copied.results_path.write_bytes(whole[: len(whole) // 3] if content is None else content)
    told = Told()
    ingest(copied, told)
    assert any(str(copied.results_path) in note and "anew" in note for note in told.notes)
    for name, frame in tables_of(copied.results_path).items():
        assert_frame_equal(frame, before[name])


def test_a_second_ingest_says_that_it_waits(copied: Location) -> None:
    waiting = threading.Event()

    class Waiting(Silent):
        def note(self, text: str) -> None:
            if "Another ingest" in text:
                waiting.set()

    with FileLock(copied.locks / "results.lock"):
        second = threading.Thread(target=ingest, args=(copied, Waiting()))
        second.start()
        assert waiting.wait(60)
        assert second.is_alive()
    second.join(60)
    assert not second.is_alive()
    assert lmc_track.open(copied.home).studies() == ["tiny"]


def test_runs_read_from_tables_are_those_that_the_client_reads(finished: Location) -> None:
    record = find_study(Store(finished), "tiny")
    assert record is not None
    source = reading.finished_runs(record.recorder.store, record.experiment_id)
    outline = source.outline()
    by_client = {run.run_id: run for run in record.index.finished()}
    assert set(outline["run_id"]) == set(by_client)
    in_memory = reading._InMemory(by_client.values()).outline()
    assert_frame_equal(outline.sort("run_id"), in_memory.sort("run_id"))
    for run in source.entries(list(by_client)):
        other = by_client[run.run_id]
        own = {tag: value for tag, value in other.tags.items() if tag in run.tags}
        assert run.tags == own
        assert {tag for tag in other.tags if tag.startswith("lmc.")} <= set(own)
        for name in ("kind", "key", "name", "status", "start_time", "end_time", "artifact_uri",
                     "params", "metrics"):  # fmt: skip
            assert getattr(run, name) == getattr(other, name), name


def test_a_revision_that_somebody_spoiled_in_mlflow_is_passed_over(copied: Location) -> None:
    run = runs_of(copied).all("path")[0]
    Store(copied).client.set_tag(run.run_id, REVISION_TAG, "some text")
    record = find_study(Store(copied), "tiny")
    assert record is not None
    source = reading.finished_runs(record.recorder.store, record.experiment_id)
    in_memory = reading._InMemory(record.index.finished()).outline()
    assert_frame_equal(source.outline().sort("run_id"), in_memory.sort("run_id"))
    assert in_memory.filter(run_id=run.run_id)["revision"].item() == 0


def test_a_home_whose_studies_are_deleted_has_nothing_to_ingest(copied: Location) -> None:
    client = Store(copied).client
    client.delete_experiment(client.get_experiment_by_name("tiny").experiment_id)
    with pytest.raises(InputError, match="no study"):
        ingest(copied, Silent())


@pytest.mark.parametrize("kind", ["log", "view"])
def test_what_a_stranger_did_to_the_results_is_undone(copied: Location, kind: str) -> None:
    path, log = copied.results_path, copied.results_path.with_name("results.duckdb.wal")
    before = tables_of(path)
    with duckdb.connect(str(path)) as stranger:
        if kind == "log":
            stranger.execute("PRAGMA disable_checkpoint_on_shutdown")
        stranger.execute("CREATE VIEW mine AS FROM read_text('/etc/hostname')")
        stranger.execute("UPDATE evaluations SET value = 9.99")
    assert log.exists() == (kind == "log")
    told = Told()
    ingest(copied, told)
    assert [note for note in told.notes if note.endswith("it is written anew.")]
    assert not log.exists()
    after = tables_of(path)
    assert after.keys() == before.keys()
    for name, frame in after.items():
        # A copied home has another address, which the file that is written anew names.
        named = pl.exclude("tracking_uri")
        assert_frame_equal(
            frame.select(named), before[name].select(named), abs_tol=1e-9, rel_tol=1e-9
        )
