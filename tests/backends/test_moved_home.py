"""A home beside PostgreSQL is moved with its artifacts; beside a server nothing names it."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

import pytest

from lmc_track.errors import InputError
from lmc_track.progress import Silent
from lmc_track.steps.run import report_step
from lmc_track.tracking.location import Location, locate
from lmc_track.tracking.places import DisplacedHomeError, check_in_place
from lmc_track.tracking.rerooting import take_up
from lmc_track.tracking.store import Store
from lmc_track.warehouse.results import open_results
from support.servers import PASSWORD, MlflowServer, Postgres
from support.studies import run_tiny, runs_of

from .conftest import Backend, passing_study

pytestmark = pytest.mark.full

SENT = {"study": {"name": "sent"}, "finetune": {"seeds": "0-1"}}
MORE = {"study": {"name": "sent"}, "finetune": {"seeds": "0-2"}}


def begun(location: Location, at_home: Location) -> Location:
    shutil.copytree(at_home.cache / "base", location.cache / "base")
    run_tiny(location, **SENT)
    return location


def at(folder: Path, like: Location) -> Location:
    return locate(str(folder), like.tracking_uri, {})


@pytest.fixture
def in_postgresql(
    postgres: Postgres, at_home: Location, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Location:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    uri = postgres.database(uuid.uuid4().hex)
    return begun(Backend("postgresql", uri).location(tmp_path / "was here"), at_home)


def goes_on(location: Location) -> None:
    outcome = run_tiny(location, **SENT)
    assert (outcome.models, outcome.paths) == (0, 0)
    more = run_tiny(location, **MORE)
    assert (more.models, more.paths) == (1, 2)


def test_a_home_beside_postgresql_is_read_at_once_and_taken_up(
    in_postgresql: Location, tmp_path: Path
) -> None:
    moved = at(in_postgresql.home.rename(tmp_path / "now here"), in_postgresql)
    assert open_results(moved.results_path, moved.tracking_uri).studies() == ["sent"]
    assert report_step("sent", moved, Silent()).path.is_file()
    with pytest.raises(DisplacedHomeError, match="was moved") as error:
        run_tiny(moved, **MORE)
    assert "--tracking-uri postgresql" in error.value.remedy
    assert PASSWORD not in str(error.value)
    done = take_up(moved)
    assert (done.copy, done.lost) == (None, ())
    uris = [run.artifact_uri for run in runs_of(moved, "sent").all("point")]
    assert all(uri.startswith(f"{moved.artifact_root}/") for uri in uris)
    goes_on(moved)


def test_a_place_with_too_long_a_name_is_refused_and_nothing_changed(
    in_postgresql: Location, tmp_path: Path
) -> None:
    far = tmp_path / ("x" * 200)
    moved = at(in_postgresql.home.rename(far), in_postgresql)
    before = Store(moved).client.get_experiment_by_name("sent").artifact_location
    with pytest.raises(InputError, match="too long an address"):
        take_up(moved)
    assert Store(moved).client.get_experiment_by_name("sent").artifact_location == before


def test_homes_that_share_a_database_keep_to_the_place_of_each_study(
    in_postgresql: Location, tmp_path: Path
) -> None:
    other = at(tmp_path / "of somebody else", in_postgresql)
    check_in_place(other)
    copy = at(Path(shutil.copytree(in_postgresql.home, tmp_path / "copy")), in_postgresql)
    with pytest.raises(DisplacedHomeError, match="has copies of them"):
        check_in_place(copy)
    with pytest.raises(InputError, match="one for both homes"):
        take_up(copy, copy=True)
    check_in_place(in_postgresql)
    take_up(copy, move=True)
    check_in_place(copy)
    with pytest.raises(DisplacedHomeError, match="has copies of them"):
        check_in_place(in_postgresql)


def test_a_home_beside_a_server_goes_on_wherever_it_is(
    server: MlflowServer, at_home: Location, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in server.env.items():
        monkeypatch.setenv(name, value)
    location = Backend("server", server.uri).location(tmp_path / "was here")
    with passing_study(location, "sent"):
        begun(location, at_home)
        moved = at(location.home.rename(tmp_path / "now here"), location)
        assert "sent" in open_results(moved.results_path, moved.tracking_uri).studies()
        assert take_up(moved).roots == ()
        goes_on(moved)
