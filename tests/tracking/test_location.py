from __future__ import annotations

import sqlite3
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
    assert shown.endswith("://me@127.0.0.1/db")


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
