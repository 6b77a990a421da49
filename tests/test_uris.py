"""No password of a tracking store is shown, however it is written."""

from __future__ import annotations

import pytest

from lmc_track.uris import store_name, without_password


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("postgresql://me:secret@host/db", "postgresql://me@host/db"),
        ("postgresql://me:secret@host:5432/db?a=b", "postgresql://me@host:5432/db?a=b"),
        ("postgresql+psycopg2://me:se%40cret@/db?host=/run", "postgresql+psycopg2://me@/db?host=/run"),
        ("postgresql://me:sec@re/t@host/db", "postgresql://me@host/db"),
        ("postgresql://me:sec?ret@host/db", "postgresql://me@host/db"),
        ("postgresql://:secret@host/db", "postgresql://@host/db"),
        ("postgresql://me@host/db?password=secret", "postgresql://me@host/db"),
        ("postgresql://me@host/db?password=secret&a=b", "postgresql://me@host/db?a=b"),
        ("postgresql://me@host/db?a=b&sslpassword=secret", "postgresql://me@host/db?a=b"),
        ("https://me:secret@host", "https://me@host"),
    ],
)  # fmt: skip
def test_a_password_is_left_out(uri: str, shown: str) -> None:
    assert without_password(uri) == shown


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:5000",
        "postgresql://me@host:5432/db",
        "postgresql:///db?host=/run/postgresql",
        "sqlite:////srv/a:b@c/mlflow.db",
        "sqlite:///C:/homes/mlflow.db",
    ],
)
def test_what_has_none_is_shown_as_it_is(uri: str) -> None:
    assert without_password(uri) == uri


def test_a_store_has_one_name_whoever_opens_it() -> None:
    names = {
        store_name("postgresql://me:secret@host/db"),
        store_name("postgresql+psycopg2://me:another@host/db"),
        store_name("postgresql+psycopg://me@host/db"),
    }
    assert names == {"postgresql://me@host/db"}
