"""A study is the same in every back end; each resumes it and lets go of what was deleted."""

from __future__ import annotations

import json
import shlex
import shutil
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from polars.testing import assert_frame_equal

from lmc_track.errors import WorkError
from lmc_track.progress import Silent
from lmc_track.steps.commands import ui_command
from lmc_track.steps.ingest import ingest
from lmc_track.tracking.location import Location
from lmc_track.tracking.lock import study_lock
from lmc_track.tracking.server import free_port
from lmc_track.tracking.store import Store
from support.comparison import difference, recorded, tables
from support.servers import PASSWORD, QUOTED_PASSWORD, Postgres, Served, serving
from support.studies import run_tiny, runs_of

from .conftest import Backend, run_whole

pytestmark = pytest.mark.full

BACKENDS = ("sqlite", "postgresql", "server")
RESUMED = {"study": {"name": "resumed"}, "finetune": {"seeds": "0-2"}}


@pytest.fixture(scope="module", params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """Each back end in turn, with its password where its users have to put it."""
    made = Backend(request.param)
    if made.name == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        made = Backend(made.name, postgres.database("studies"), {"PGPASSWORD": PASSWORD})
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
    def track(self, title: str, total: int, unit: str) -> Iterator[Any]:
        yield _Interrupted() if unit == "points" else _Carried()


class _Carried:
    def advance(self, steps: int = 1) -> None:
        pass

    def tell(self, text: str) -> None:
        pass


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
    with pytest.raises(KeyboardInterrupt):
        run_tiny(mine, progress=Interrupting(), **RESUMED)
    finished = {run.run_id for run in runs_of(mine, "resumed").all("path") if run.finished}
    assert 0 < len(finished) < 3
    run_tiny(mine, **RESUMED)
    index = runs_of(mine, "resumed")
    assert finished < {run.run_id for run in index.all("path")}
    assert index.duplicates == []
    assert difference(recorded(mine, "resumed"), recorded(other, "resumed")) is None


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
