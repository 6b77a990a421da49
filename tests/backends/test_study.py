"""A study is the same in every back end; each resumes it and lets go of what was deleted."""

from __future__ import annotations

import json
import shlex
import shutil
import urllib.request
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from polars.testing import assert_frame_equal

from lmc_track.errors import WorkError
from lmc_track.progress import Silent
from lmc_track.steps.commands import ui_command
from lmc_track.steps.doctor import examine
from lmc_track.steps.findings import Verdict
from lmc_track.steps.gc import collect, what_can_go
from lmc_track.steps.ingest import ingest
from lmc_track.steps.leftovers import Kind
from lmc_track.steps.status import study_status
from lmc_track.tracking.location import Location
from lmc_track.tracking.lock import study_lock
from lmc_track.tracking.server import free_port
from lmc_track.tracking.store import Store
from support.comparison import difference, recorded, tables
from support.servers import PASSWORD, QUOTED_PASSWORD, USER, Postgres, Served, serving
from support.studies import run_tiny, runs_of

from .conftest import Backend, passing_study, run_whole

pytestmark = pytest.mark.full

BACKENDS = ("sqlite", "postgresql", "server")
TIDIED = {"study": {"name": "tidied"}, "finetune": {"seeds": "0-2"}}
RESUMED = {"study": {"name": "resumed"}, "finetune": {"seeds": "0-2"}}


@pytest.fixture(scope="module", params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """Each back end in turn, with its password where its users have to put it."""
    made = Backend(request.param)
    if made.name == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        credentials = {"PGUSER": USER, "PGPASSWORD": PASSWORD}  # no address that is told has any
        made = Backend(made.name, postgres.database(uuid.uuid4().hex), credentials)
    elif made.name == "server":
        server = request.getfixturevalue("server")
        made = Backend(made.name, server.uri, server.env)
    with pytest.MonkeyPatch.context() as environment:
        for name, value in made.env.items():
            environment.setenv(name, value)
        yield made


@pytest.fixture(scope="module")
def kept(backend: Backend, at_home: Location, tmp_path_factory: pytest.TempPathFactory) -> Location:
    """The finished study in the back end; a test that changes it puts it back."""
    location = backend.location(tmp_path_factory.mktemp(backend.name) / "home")
    shutil.copytree(at_home.cache / "base", location.cache / "base")
    run_whole(location)
    return location


def assert_same_tables(mine: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert mine.keys() == theirs.keys()
    for name, frame in theirs.items():
        assert_frame_equal(mine[name], frame, abs_tol=1e-5)


def test_results_are_those_of_a_home(kept: Location, at_home: Location) -> None:
    assert_same_tables(tables(kept), tables(at_home))


def test_runs_are_those_of_a_home_field_by_field(kept: Location, at_home: Location) -> None:
    mine = recorded(kept)
    assert {key.split()[0] for key in mine} == {
        "study", "dataset", "model", "path", "point", "plane", "clusters", "report",
    }  # fmt: skip
    assert difference(mine, recorded(at_home)) is None


def test_finished_work_is_not_repeated(kept: Location) -> None:
    before = {run.run_id for run in runs_of(kept).all("point")}
    outcome = run_tiny(kept)
    assert (outcome.models, outcome.paths) == (0, 0)
    assert not any(one.made for one in outcome.clusterings)
    assert {run.run_id for run in runs_of(kept).all("point")} == before


def test_no_password_is_kept(kept: Location) -> None:
    client = Store(kept).client
    experiment = client.get_experiment_by_name("tiny")
    runs = client.search_runs([experiment.experiment_id])
    told = [str(dict(experiment)), *(str(run.to_dictionary()) for run in runs)]
    told += [str(frame.rows()) for frame in tables(kept).values()]
    files = [file for file in kept.home.rglob("*") if file.is_file()]
    for secret in (PASSWORD, QUOTED_PASSWORD):
        assert not [text for text in told if secret in text]
        assert not [file for file in files if secret.encode() in file.read_bytes()]


def test_a_deleted_path_leaves_the_results_and_comes_back(kept: Location) -> None:
    client = Store(kept).client
    before = tables(kept)
    run = runs_of(kept).all("path")[0]
    client.delete_run(run.run_id)
    try:
        ingest(kept, Silent())
        without = tables(kept)
    finally:
        client.restore_run(run.run_id)
    assert without["paths"].height == before["paths"].height - 1
    assert without["points"].height == before["points"].height - 2
    ingest(kept, Silent())
    assert_same_tables(tables(kept), before)


class Interrupting(Silent):
    """Interrupts in the midst of the points."""

    @contextmanager
    def track(self, title: str, total: int, unit: str, done: int = 0) -> Iterator[Any]:
        yield _Interrupted() if unit == "points" else _Carried()


class _Carried:
    def advance(self, steps: int = 1) -> None:
        pass

    def tell(self, text: str) -> None:
        pass

    finished = tell


class _Interrupted(_Carried):
    calls = 0

    def advance(self, steps: int = 1) -> None:
        self.calls += 1
        if self.calls == 3:
            raise KeyboardInterrupt


def test_an_interrupted_study_goes_on_where_it_was(
    backend: Backend, at_home: Location, tmp_path: Path
) -> None:
    mine, other = backend.location(tmp_path / "mine"), Backend("home").location(tmp_path / "other")
    for location in (mine, other):
        shutil.copytree(at_home.cache / "base", location.cache / "base")
    run_tiny(other, **RESUMED)
    with passing_study(mine, "resumed"):
        with pytest.raises(KeyboardInterrupt):
            run_tiny(mine, progress=Interrupting(), **RESUMED)
        finished = {run.run_id for run in runs_of(mine, "resumed").all("path") if run.finished}
        assert 0 < len(finished) < 3
        run_tiny(mine, **RESUMED)
        index = runs_of(mine, "resumed")
        assert finished < {run.run_id for run in index.all("path")}
        assert index.duplicates == []
        assert difference(recorded(mine, "resumed"), recorded(other, "resumed")) is None


def test_what_was_deleted_is_counted_goes_and_is_made_again(
    backend: Backend, at_home: Location, tmp_path: Path
) -> None:
    location = backend.location(tmp_path / "home")
    shutil.copytree(at_home.cache / "base", location.cache / "base")
    kept_for_ever = backend.name == "server"  # whose owner alone removes what is deleted
    with passing_study(location, "tidied"):
        run_tiny(location, **TIDIED)
        before = recorded(location, "tidied").keys()
        index = runs_of(location, "tidied")
        model, path = index.all("model")[0], index.all("path")[-1]
        points = index.children(path)
        for run in (model, path):
            Store(location).client.delete_run(run.run_id)
        rows = {row["what"]: row for row in study_status(location).rows if row["study"] == "tidied"}
        assert (rows["model"]["deleted"], rows["model"]["missing"]) == (1, 1)
        assert (rows["path"]["done"], rows["path"]["deleted"]) == (2, 1)
        assert rows["point"]["orphaned"] == len(points) == 2

        going = [one for one in what_can_go(location).found if one.study == "tidied"]
        gone = Counter(one.kind for one in going)
        deleted = {} if kept_for_ever else {Kind.DELETED_RUN: 2}
        assert gone == {**deleted, Kind.ORPHANED_RUN: 2, Kind.LOGGED_MODEL: 1}
        assert collect(location, going, 0.0, Silent()).failures == []
        assert [one for one in what_can_go(location).found if one.study == "tidied"] == []
        there = {entry.run_id for entry in runs_of(location, "tidied").all("point")}
        assert there.isdisjoint(one.run_id for one in points)

        run_tiny(location, **TIDIED)
        assert runs_of(location, "tidied").duplicates == []
        assert recorded(location, "tidied").keys() == before


def test_a_finished_study_is_well(kept: Location) -> None:
    found = {one.check: one for one in examine(kept, None, {})}
    assert [one for one in found.values() if one.verdict is Verdict.FAIL] == []
    assert "1 study" in found["tracking store"].found
    assert not [
        one for one in found.values() if PASSWORD in f"{one}" or QUOTED_PASSWORD in f"{one}"
    ]


def test_a_second_driver_is_kept_out(kept: Location, backend: Backend, tmp_path: Path) -> None:
    with study_lock(kept, "tiny"), pytest.raises(WorkError, match="another lmc-track"):
        run_tiny(kept)
    # Nobody who has another home is seen but by a database.
    elsewhere = backend.location(tmp_path / "elsewhere")
    if backend.name == "postgresql":
        with study_lock(kept, "tiny"), pytest.raises(WorkError, match="advisory lock"):
            run_tiny(elsewhere)
    with study_lock(kept, "tiny"), study_lock(elsewhere, "other"):
        pass
    with study_lock(elsewhere, "tiny"):
        pass


def test_the_command_that_is_told_shows_the_study(
    kept: Location, backend: Backend, tmp_path: Path
) -> None:
    if backend.name == "server":
        assert ui_command(kept) == backend.uri
        return
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with serving(Served(shlex.split(ui_command(kept, port)), address, tmp_path, backend.env)):
        run = runs_of(kept).all("study")[0]
        where = f"{address}/get-artifact?path=study.json&run_uuid={run.run_id}"
        with urllib.request.urlopen(where, timeout=60) as answer:
            assert json.load(answer)["name"] == "tiny"
