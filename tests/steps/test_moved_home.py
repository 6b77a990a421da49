"""A home that was moved, copied or sent is read at once, and goes on once it is taken up."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from lmc_track.progress import Silent
from lmc_track.steps.gc import collect, what_can_go
from lmc_track.tracking.location import Location, locate
from lmc_track.tracking.rerooting import take_up
from lmc_track.tracking.store import Store
from support.programs import Lmc
from support.stores import addresses, copied_home
from support.studies import measured, run_tiny, runs_of


def at(folder: Path) -> Location:
    return locate(str(folder), environ={})


def digests(folder: Path) -> dict[Path, str]:
    """Every file in ``folder`` but for what SQLite keeps beside its own."""
    return {
        file: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.name.endswith(("-wal", "-shm"))
    }


@pytest.fixture
def home(finished: Location, tmp_path: Path) -> Location:
    """A finished study's home, which has always been where it is."""
    return copied_home(finished, tmp_path / "was here")


@pytest.fixture
def moved(home: Location, tmp_path: Path) -> Location:
    return at(home.home.rename(tmp_path / "my home #2, 100%"))


@pytest.mark.parametrize(
    "words",
    [("query", "paths"), ("sql", "FROM models"), ("report", "tiny"), ("status",), ("doctor",)],
    ids=lambda words: words[0],
)
def test_what_reads_works_at_once_and_changes_no_address(
    moved: Location, words: tuple[str, ...], in_process: Lmc
) -> None:
    before, artifacts = addresses(moved), digests(moved.own_artifacts)
    done = in_process(*words, "--home", str(moved.home))
    assert done.out
    # Of what is read through MLflow, where things are is said; a doctor finds fault with it.
    assert done.code == (1 if words == ("doctor",) else 0), done.err
    if words[0] not in ("query", "sql"):
        assert "lmc-track move --home" in done.printed
    assert addresses(moved) == before
    assert digests(moved.own_artifacts) == artifacts


@pytest.mark.parametrize(
    "words",
    [("run", "tiny"), ("cluster", "tiny"), ("describe", "tiny", "x"), ("ui",)],
    ids=lambda words: words[0],
)
def test_what_writes_offers_to_take_it_up(
    moved: Location, words: tuple[str, ...], in_process: Lmc
) -> None:
    before = digests(moved.own_artifacts)
    done = in_process(*words, "--home", str(moved.home))
    assert done.code == 2
    assert f"lmc-track move --home '{moved.home}'" in done.err
    assert "delete" not in done.err
    assert digests(moved.own_artifacts) == before


def test_a_home_that_was_sent_goes_on_elsewhere(
    home: Location, tmp_path: Path, in_process: Lmc
) -> None:
    before = measured(home)
    archive = shutil.make_archive(str(tmp_path / "sent"), "zip", home.home)
    shutil.rmtree(home.home)
    shutil.unpack_archive(archive, tmp_path / "unpacked here")
    there = at(tmp_path / "unpacked here")
    assert in_process("move", "--home", str(there.home)).code == 0
    outcome = run_tiny(there)
    assert (outcome.models, outcome.paths) == (0, 0)
    after = measured(there)
    for name, frame in before.items():
        assert_frame_equal(frame, after[name])
    assert all(one.startswith(f"{there.artifact_root}/") for one in addresses(there))
    assert what_can_go(there).found == []
    more = run_tiny(there, finetune={"seeds": "0-4"})
    assert (more.models, more.paths) == (1, 4)


def test_a_copy_leaves_the_original_alone_and_the_original_it(
    home: Location, tmp_path: Path, in_process: Lmc
) -> None:
    copy = at(Path(shutil.copytree(home.home, tmp_path / "copy")))
    before = digests(home.home)
    refused = in_process("run", "tiny", "--home", str(copy.home))
    assert refused.code == 2
    assert "is a copy" in refused.err
    assert in_process("query", "paths", "--home", str(copy.home)).code == 0
    assert digests(home.home) == before

    take_up(copy, copy=True)
    run = runs_of(copy).all("path")[0]
    Store(copy).client.delete_run(run.run_id)
    assert collect(copy, what_can_go(copy).found, 0.0, Silent()).failures == []
    assert digests(home.own_artifacts) == digests_below(home, before)

    mine = digests(copy.own_artifacts)
    for entry in runs_of(home).all("model"):
        Store(home).client.delete_run(entry.run_id)
    assert collect(home, what_can_go(home).found, 0.0, Silent()).failures == []
    assert digests(copy.own_artifacts) == mine


def digests_below(home: Location, files: dict[Path, str]) -> dict[Path, str]:
    return {file: one for file, one in files.items() if file.is_relative_to(home.own_artifacts)}


def test_results_of_an_earlier_version_are_read_in_a_moved_home(
    home: Location, tmp_path: Path, in_process: Lmc
) -> None:
    import duckdb

    connection = duckdb.connect(str(home.results_path))
    connection.execute("UPDATE schema_version SET tracking_uri = ?", [home.tracking_uri])
    connection.close()
    moved = at(home.home.rename(tmp_path / "new"))
    assert in_process("query", "paths", "--home", str(moved.home)).code == 0
    other = ("--tracking-uri", f"sqlite:///{tmp_path}/other.db")
    refused = in_process("query", "paths", "--home", str(moved.home), *other)
    assert refused.code == 2
    assert "holds the results of the tracking store" in refused.err
