from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

import pytest

from lmc_track.errors import InputError
from lmc_track.tracking.location import locate, prepare
from lmc_track.tracking.store import Store


def test_flags_beat_the_environment_and_that_beats_the_default(tmp_path: Path) -> None:
    environ = {"LMC_HOME": str(tmp_path / "env"), "MLFLOW_TRACKING_URI": "sqlite:////x/env.db"}
    assert locate(str(tmp_path / "flag"), "sqlite:////x/flag.db", environ).tracking_uri.endswith(
        "flag.db"
    )
    assert locate(None, None, environ).home == tmp_path / "env"
    assert locate(None, None, environ).tracking_uri == "sqlite:////x/env.db"
    assert locate(None, None, {}).home == Path.cwd() / "mlruns"


def test_uris_are_absolute() -> None:
    location = locate("some/home", None, {})
    assert location.tracking_uri == f"sqlite:///{Path.cwd()}/some/home/mlflow.db"
    assert location.artifact_root == (Path.cwd() / "some/home/artifacts").as_uri()


def test_a_server_decides_where_artifacts_go() -> None:
    assert locate("h", "http://127.0.0.1:5000", {}).artifact_root is None


@pytest.mark.parametrize("uri", ["./mlruns", "file:///srv/mlruns", "databricks"])
def test_stores_that_cannot_hold_a_study_are_refused(uri: str) -> None:
    with pytest.raises(InputError, match="neither a database nor a server"):
        locate("h", uri, {})


def test_a_password_is_not_shown() -> None:
    shown = locate("h", "postgresql://me:secret@127.0.0.1/db", {}).shown_uri
    assert "secret" not in shown
    assert shown.endswith("://127.0.0.1/db")


def test_a_password_for_a_server_is_not_taken_from_the_address() -> None:
    with pytest.raises(InputError, match="holds more than scheme, host, port and path") as error:
        locate("h", "https://me:secret@host", {})
    assert "secret" not in str(error.value)
    assert "MLFLOW_TRACKING_PASSWORD" in error.value.remedy


def test_a_postgresql_is_opened_by_the_driver_that_is_there() -> None:
    assert locate("h", "postgresql://host/db", {}).tracking_uri == "postgresql+psycopg2://host/db"
    named = "postgresql+psycopg://host/db"
    assert locate("h", named, {}).tracking_uri == named


@pytest.mark.parametrize("uri", ["postgresql://me:secret@host/db", "mysql://me:secret@host/db"])
def test_a_driver_that_is_not_there_is_named(
    uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("psycopg2", "psycopg", "MySQLdb"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match="which is not installed") as error:
        _ = Store(locate(str(tmp_path), uri, {})).client
    assert "pip" in error.value.remedy
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("uri", ["postgresql://me:sec@ret@host:x/db", "mysql://[me:secret@host/db"])
def test_a_uri_that_nobody_can_read(uri: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        _ = Store(locate(str(tmp_path), uri, {})).client
    assert "ret" not in str(error.value)


def test_artifacts_go_where_the_user_of_another_store_says() -> None:
    environ = {"MLFLOW_DEFAULT_ARTIFACT_ROOT": "s3://bucket/runs/"}
    assert locate("h", "postgresql://host/db", environ).artifact_root == "s3://bucket/runs"
    folder = {"MLFLOW_DEFAULT_ARTIFACT_ROOT": "some/where"}
    root = (Path.cwd() / "some/where").as_uri()
    assert locate("h", "postgresql://host/db", folder).artifact_root == root
    # A home's own store keeps its files beside it.
    assert locate("h", None, environ).artifact_root == (Path.cwd() / "h/artifacts").as_uri()
    assert locate("h", "http://127.0.0.1:5000", environ).artifact_root is None


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        prepare(locate(str(tmp_path / "file"), None, {}))


def test_a_home_that_nobody_may_write_is_refused() -> None:
    with pytest.raises(InputError, match="cannot be written"):
        prepare(locate("/proc/home-of-lmc", None, {}))


def test_a_home_whose_name_a_database_would_misread_is_refused() -> None:
    with pytest.raises(InputError, match="question mark"):
        locate("what?", None, {})


def test_a_home_whose_name_would_be_unquoted_is_refused() -> None:
    with pytest.raises(InputError, match="percent sign"):
        locate("100%41", None, {})


def test_a_home_may_have_any_other_name(tmp_path: Path) -> None:
    location = locate(str(tmp_path / "my home ü #1, 100%"), None, {})
    store = Store(location)
    assert store.absent
    store.client.search_experiments()
    assert not store.absent
    assert [path.name for path in tmp_path.iterdir()] == [location.home.name]
    connection = sqlite3.connect(location.home / "mlflow.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
