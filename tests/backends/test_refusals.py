"""What a database or a server refuses is one clear error with what to do, and shows no password."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lmc_track.cli.main import Exit
from lmc_track.errors import InputError
from lmc_track.progress import Silent
from lmc_track.steps.run import finetune_step
from lmc_track.tracking.location import Location, locate
from lmc_track.tracking.server import free_port
from lmc_track.tracking.store import Store
from support.programs import Lmc
from support.servers import PASSWORD, QUOTED_PASSWORD, MlflowServer, Postgres
from support.studies import tiny_study

from .conftest import passing_study

pytestmark = pytest.mark.full

Refused = Callable[..., str]


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_process: Lmc) -> Refused:
    """What the program says of a tracking store that it cannot use, which is wrong use."""

    def run(uri: str, **environ: str) -> str:
        for name, value in (environ | {"MLFLOW_TRACKING_URI": uri}).items():
            monkeypatch.setenv(name, value)
        outcome = in_process("status", "--home", str(tmp_path / "home"))
        assert outcome.code == Exit.WRONG_USE
        assert outcome.out == ""
        assert outcome.err.startswith("Error: the tracking ")
        assert len(outcome.err.splitlines()) == 2
        for secret in (PASSWORD, QUOTED_PASSWORD, "wrong-secret"):
            assert secret not in outcome.err
        return outcome.err

    return run


def test_a_database_that_does_not_answer(refused: Refused) -> None:
    uri = f"postgresql://lmc:{QUOTED_PASSWORD}@127.0.0.1:{free_port()}/studies"
    said = refused(uri)
    assert "Connection refused" in said
    assert "Check that it exists and answers" in said


def test_a_wrong_password(refused: Refused, postgres: Postgres) -> None:
    said = refused(postgres.uri("postgres").replace(QUOTED_PASSWORD, "wrong-secret"))
    assert "password authentication failed" in said
    assert "PGPASSWORD" in said


def test_no_password(refused: Refused, postgres: Postgres) -> None:
    said = refused(postgres.uri("postgres").replace(f":{QUOTED_PASSWORD}", ""))
    assert "no password supplied" in said
    assert "PGPASSWORD" in said


def test_a_database_that_is_not_there(refused: Refused, postgres: Postgres) -> None:
    said = refused(postgres.uri("nobody-made-it"))
    assert '"nobody-made-it" does not exist' in said
    assert "createdb" in said


def test_a_traceback_shows_no_password_either(postgres: Postgres, tmp_path: Path) -> None:
    uri = postgres.uri("nobody-made-it")
    done = subprocess.run(
        [sys.executable, "-m", "lmc_track.cli", "--debug", "status", "--tracking-uri", uri],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert "Traceback" in done.stderr
    assert PASSWORD not in done.stderr
    assert QUOTED_PASSWORD not in done.stderr


def test_a_server_that_asks_who_it_is(refused: Refused, server: MlflowServer) -> None:
    said = refused(server.uri)
    assert "wants to know who you are" in said
    assert "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD" in said


def test_a_server_that_knows_another_password(refused: Refused, server: MlflowServer) -> None:
    wrong = server.env | {"MLFLOW_TRACKING_PASSWORD": "wrong-secret"}
    assert "does not know the user 'lmc' with this password" in refused(server.uri, **wrong)


def test_name_and_password_may_be_in_mlflows_own_file(
    server: MlflowServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    file = tmp_path / ".mlflow" / "credentials"
    file.parent.mkdir()
    lines = [f"{k.lower()} = {v.replace('%', '%%')}\n" for k, v in server.env.items()]
    file.write_text("".join(["[mlflow]\n", *lines]))
    assert Store(locate(str(tmp_path / "home"), server.uri, {})).client.search_experiments()


def test_a_user_who_may_only_read_is_told_what_to_ask_for(
    server: MlflowServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = locate(str(tmp_path / "home"), server.uri, {})
    one = tiny_study(study={"name": "of-another"}, finetune={"seeds": "0"})
    more = tiny_study(study={"name": "of-another"}, finetune={"seeds": "0-1"})
    as_user(monkeypatch, server.env)
    with passing_study(location, "of-another"):
        finetune_step(one, location, Silent())
        as_user(monkeypatch, server.add_user("reader", "a-readers-password"))
        experiment = Store(location).client.get_experiment_by_name("of-another")
        with pytest.raises(InputError, match="does not permit this to the user 'reader'") as error:
            finetune_step(more, location, Silent())
        assert "permission to edit" in error.value.remedy
        permission = {
            "username": "reader",
            "resource_type": "experiment",
            "resource_id": experiment.experiment_id,
            "permission": "EDIT",
        }
        server.call("POST", "/api/3.0/mlflow/users/permissions/grant", permission)
        assert finetune_step(more, location, Silent()) == 1
        as_user(monkeypatch, server.env)


def as_user(monkeypatch: pytest.MonkeyPatch, env: dict[str, str]) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)


def test_a_server_that_is_gone_and_comes_back(server: MlflowServer, tmp_path: Path) -> None:
    location: Location = locate(str(tmp_path / "home"), server.uri, {})
    with pytest.MonkeyPatch.context() as environment:
        as_user(environment, server.env)
        client = Store(location).client
        there = [one.name for one in client.search_experiments()]
        server.stop(crash=True)
        try:
            with pytest.raises(InputError, match="it does not answer"):
                _ = Store(location).client
        finally:
            server.start()
        assert [one.name for one in client.search_experiments()] == there
