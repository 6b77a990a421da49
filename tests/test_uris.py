"""Of an address only scheme, host, port and path are shown, however the rest is written."""

from __future__ import annotations

import pytest

from lmc_track.uris import address, store_name


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("postgresql://me:secret@host/db", "postgresql://***@host/db"),
        ("postgresql://me@host/db", "postgresql://***@host/db"),
        ("postgresql://me:secret@host:5432/db?a=b", "postgresql://***@host:5432/db?***"),
        ("postgresql+psycopg2://me:se%40cret@/db?host=/run", "postgresql+psycopg2://***@/db?host=/run"),
        ("postgresql:///db?host=/run&password=secret", "postgresql:///db?host=/run"),
        ("postgresql://me:sec@re/t@host/db", "postgresql://***@host/db"),
        ("postgresql://me:sec?ret@host/db", "postgresql://***@host/db"),
        ("postgresql://me:sec#ret@host/db", "postgresql://***@host/db"),
        ("postgresql://:secret@host/db", "postgresql://***@host/db"),
        ("postgresql:///me:secret@host/db", "postgresql://***@host/db"),
        ("postgresql://host/db?user=me@corp&password=secret", "postgresql://host/db?***"),
        ("postgresql://host/db?service=secret", "postgresql://host/db?***"),
        ("mssql://h/x?odbc_connect=UID%3Dbob%3BPWD%3Dsecret", "mssql://h/x?***"),
        ("sqlserver://h;password=secret", "sqlserver://h;***"),
        ("sqlite:////srv/mlflow.db?key=secret", "sqlite:////srv/mlflow.db?***"),
        ("sqlite+pysqlcipher://:secret@//x/y", "sqlite+pysqlcipher://***@//x/y"),
        ("file:///a/b#secret", "file:///a/b#***"),
        ("https://me:secret@host", "https://***@host"),
        ("http://secret@h", "http://***@h"),
        ("http://secret@h:80/x", "http://***@h:80/x"),
        ("HTTP://secret@H/x", "HTTP://***@H/x"),
        ("http://me:secret", "http://***"),
        ("http://h:80:secret/x", "http://***"),
        ("http://me:secret@[::1", "http://***"),
        ("http://h/user:secret@x", "http://***@x"),
        ("http://h/?access_token=secret", "http://h/?***"),
        ("http://h/?api_key=secret", "http://h/?***"),
        ("http://h/?anything=secret", "http://h/?***"),
        ("http://h/?secret", "http://h/?***"),
        ("http://h/x;token=secret", "http://h/x;***"),
        ("http://h/#access_token=secret", "http://h/#***"),
        ("http://h/#/secret", "http://h/#***"),
        ("s3://key:secret@bucket/x", "s3://***@bucket/x"),
        ("me:secret@host", "***"),
    ],
)  # fmt: skip
def test_what_is_not_of_the_place_is_hidden(uri: str, shown: str) -> None:
    assert address(uri, "***") == shown
    assert "secret" not in address(uri)
    assert address(address(uri)) == address(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:5000",
        "http://127.0.0.1:5000/#/experiments/1",
        "http://h/#/experiments/1/runs/{run}?workflowType=machine_learning",
        "http://[::1]:5000/x",
        "postgresql://host:5432/db",
        "postgresql:///db?host=/run/postgresql",
        "sqlite:////srv/a:b@c/mlflow.db",
        "sqlite:////srv/c#/mlflow.db",
        "sqlite:///C:/homes/mlflow.db",
        "file:///srv/a%20b/artifacts",
        "s3://bucket/x",
    ],
)
def test_a_place_is_shown_as_it_is(uri: str) -> None:
    assert address(uri) == address(uri, "***") == uri


def test_a_store_has_one_name_whoever_opens_it() -> None:
    names = {
        store_name("postgresql://me:secret@host/db"),
        store_name("postgresql+psycopg2://me:another@host/db"),
        store_name("postgresql+psycopg://host/db?sslmode=require"),
    }
    assert names == {"postgresql://host/db"}
