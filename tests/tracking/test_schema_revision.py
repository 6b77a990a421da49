"""Tables of another MLflow are told apart; only who asks for it has them brought up to date."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from lmc_track.errors import InputError
from lmc_track.tracking import schema_revision
from lmc_track.tracking.census import take_census
from lmc_track.tracking.location import Location, locate
from lmc_track.tracking.schema_revision import installed_revision, upgrade_tables
from lmc_track.tracking.store import Store
from support.stores import empty_home, older_home, schema_of


@pytest.fixture
def older(tmp_path: Path) -> Location:
    return older_home(tmp_path / "home")


def test_reading_an_older_store_leaves_it_and_names_the_command(older: Location) -> None:
    before = schema_of(older)
    with pytest.raises(InputError, match="written by an older MLflow") as error:
        take_census(Store(older))
    assert f"lmc-track upgrade --home {older.home}" in error.value.remedy
    assert schema_of(older) == before


def test_an_upgrade_keeps_a_copy_and_makes_the_store_usable(older: Location) -> None:
    before = schema_of(older)
    done = upgrade_tables(older)
    assert done.copy is not None
    assert schema_of(older, done.copy) == before
    assert schema_of(older)[0] == done.after == installed_revision()
    assert [one.name for one in Store(older).client.search_experiments()] == ["Default"]
    assert not upgrade_tables(older).done


def test_an_upgrade_that_fails_leaves_the_copy(
    older: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_: Location) -> None:
        raise OSError(28, "No space left on device")

    before = schema_of(older)
    monkeypatch.setattr(schema_revision, "_upgrade", failing)
    with pytest.raises(Exception, match="No space left"):
        upgrade_tables(older)
    (copy,) = older.home.glob("mlflow.db.before-upgrade*")
    assert schema_of(older, copy) == before


def test_a_newer_store_is_told_as_that(tmp_path: Path) -> None:
    location = empty_home(tmp_path)
    with sqlite3.connect(location.own_store) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    connection.close()
    for opening in (lambda: Store(location).client, lambda: upgrade_tables(location)):
        with pytest.raises(InputError, match=r"written by a newer MLflow.*ffffffffffff") as error:
            opening()
        assert "pip install --upgrade mlflow" in error.value.remedy


def test_what_there_is_to_upgrade_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a server"):
        upgrade_tables(locate(str(tmp_path), "http://127.0.0.1:1", {}))
    with pytest.raises(InputError, match="there is no tracking store"):
        upgrade_tables(locate(str(tmp_path / "none"), None, {}))
    assert not (tmp_path / "none").exists()
