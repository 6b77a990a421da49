"""Runs recorded by this program are those of MLflow's client, field by field, in every back end."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from lmc_track.tracking.bulk import BulkWriter
from lmc_track.tracking.location import locate
from lmc_track.tracking.recorder import Recorder
from lmc_track.tracking.store import Store
from support.same_runs import assert_same_runs
from support.servers import MlflowServer, Postgres

pytestmark = pytest.mark.full


def test_in_postgresql(postgres: Postgres, tmp_path: Path) -> None:
    location = locate(str(tmp_path / "home"), postgres.database(uuid.uuid4().hex), {})
    assert isinstance(Recorder(Store(location), "s", "0")._way, BulkWriter)
    assert_same_runs(location)


def test_on_a_server(server: MlflowServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in server.env.items():
        monkeypatch.setenv(name, value)
    assert_same_runs(locate(str(tmp_path / "home"), server.uri, {}))
