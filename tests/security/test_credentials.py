"""Passwords are in nothing that the program writes, prints or starts, whether it works or fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lmc_track.errors import InputError
from lmc_track.redaction import redacted
from lmc_track.steps.commands import reproduction, runs_url, study_ui_command, ui_command
from lmc_track.tracking.location import locate
from lmc_track.uris import store_name
from support.programs import Lmc

SECRET = "hunter2-Xq9"
DATABASES = (
    f"postgresql://me:{SECRET}@127.0.0.1:1/db",
    f"postgresql+psycopg2://me:{SECRET}@127.0.0.1:1/db?sslmode=disable",
    f"mysql+pymysql://me:{SECRET}@127.0.0.1:1/db",
    f"postgresql://:{SECRET}@127.0.0.1:1/db",
    f"postgresql://127.0.0.1:1/db?user=me&password={SECRET}",
    f"postgresql://127.0.0.1:1/db?passfile=/{SECRET}",
    f"mssql://127.0.0.1:1/db?odbc_connect=UID%3Dbob%3BPWD%3D{SECRET}",
    f"mssql+pyodbc:///?odbc_connect=DRIVER%3Dx%3BPWD%3D{SECRET}",
    f"sqlite:////nowhere/mlflow.db?key={SECRET}",
)
REFUSED = (
    f"http://me:{SECRET}@127.0.0.1:1",
    f"https://me:{SECRET}@127.0.0.1:1/x",
    f"http://:{SECRET}@127.0.0.1",
    f"http://127.0.0.1:1/?token={SECRET}",
    f"http://127.0.0.1:1/?access_token={SECRET}",
    f"http://127.0.0.1:1/?api_key={SECRET}",
    f"http://127.0.0.1:1/?x={SECRET}",
    f"http://127.0.0.1:1/#{SECRET}",
    f"http://127.0.0.1:1/x;y={SECRET}",
    f"http://{SECRET}@127.0.0.1:1",
    f"HTTPS://{SECRET}@127.0.0.1:1",
    f"{SECRET}@127.0.0.1:1",
    f"http:/{SECRET}@127.0.0.1",
    f"http://me:{SECRET}@[::1",
    f"ftp://me:{SECRET}@127.0.0.1/x",
    f"file://me:{SECRET}@127.0.0.1/x",
    f"postgresql://me:{SECRET}@127.0.0.1/db\x1b[31m",
)
COMMANDS = (
    ("status",), ("run", "demo"), ("ingest",), ("ui",), ("query", "models"), ("sql", "SELECT 1"),
    ("report", "demo"), ("export", "demo", "out"), ("materialize", "0" * 32, "out"),
)  # fmt: skip


@pytest.mark.parametrize("uri", REFUSED)
def test_a_password_where_none_may_be_is_refused_and_not_shown(uri: str) -> None:
    with pytest.raises(InputError) as caught:
        locate("h", uri, {})
    shown = str(caught.value)
    assert SECRET not in shown
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("uri", DATABASES)
def test_a_location_shows_no_password(uri: str) -> None:
    location = locate("h", uri, {})
    shown = [
        location.shown_uri,
        ui_command(location),
        study_ui_command("demo", location),
        runs_url(location, "1"),
        str(reproduction("demo", location)),
        store_name(location.tracking_uri),
    ]
    assert SECRET not in " ".join(shown)


@pytest.mark.parametrize(
    "text",
    [
        f"API request to http://me:{SECRET}@h:5000/api failed",
        f"'{DATABASES[1]}'",
        f"two: {DATABASES[0]} and {DATABASES[1]}",
        f"postgresql://me:p@{SECRET}@h/db",
        f"postgresql://me:{SECRET}/more@127.0.0.1/db",
        f"postgresql://me:{SECRET}#more@127.0.0.1/db",
        f"postgresql://me:{SECRET}?more@127.0.0.1/db",
        f"dsn postgresql://h/db?user=a&password={SECRET}&x=1",
        f"header {SECRET} of the environment",
        f"http://{SECRET}@h:5000 does not answer",
        f"GET http://h/api?access_token={SECRET}.",
        f"Max retries exceeded with url: /api?api_key={SECRET} (Caused by",
        f"(http://h/?x={SECRET}&y=1)",
        f"mssql://h/x?odbc_connect=UID%3Dbob%3BPWD%3D{SECRET}",
        f"odbc_connect=UID%3Dbob%3BPWD%3D{SECRET}",
        f"DRIVER=x;SERVER=h;UID=bob;PWD={{{SECRET};x}};",
        f"UID%3Dbob%3BPWD%3D{SECRET}",
        f"could not connect with dsn host=h user=me password={SECRET}",
        f"connect({{'host': 'h', 'password': '{SECRET}'}})",
        f"headers: {{'Authorization': 'Basic {SECRET}'}}",
        f"Authorization: Bearer {SECRET}",
        f"X-Api-Key: {SECRET}",
        f"postgresql://me:it's{SECRET}@h/db",
    ],
)
def test_texts_are_freed_of_passwords(text: str) -> None:
    shown = redacted(text, {"MLFLOW_TRACKING_PASSWORD": SECRET})
    assert SECRET not in shown
    assert "***" in shown


def test_what_a_store_s_address_hides_is_hidden_alone_too() -> None:
    store = f"postgresql://me:{SECRET.replace('-', '%2D')}@h/db"
    words = f'FATAL: password "{SECRET}" of "me" is wrong'
    assert redacted(words, {"MLFLOW_TRACKING_URI": store}) == (
        'FATAL: password "***" of "me" is wrong'
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "the pad_token='[PAD]' of the tokenizer, max_tokens=5",
        "see http://127.0.0.1:5000/x.",
        "http://127.0.0.1:5000/#/experiments/1",
        "owner/model@main",
        "a: b@c",
        "sqlite:////a/b:c@d",
    ],
)
def test_texts_without_passwords_stay(text: str) -> None:
    assert redacted(text, {"MLFLOW_TRACKING_PASSWORD": "", "MLFLOW_TRACKING_TOKEN": "a"}) == text


def written(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


@pytest.mark.parametrize("debug", [(), ("--debug",)], ids=["plain", "debug"])
@pytest.mark.parametrize("uri", [DATABASES[0], REFUSED[0], REFUSED[4], REFUSED[5]])
def test_a_command_that_fails_shows_no_password(
    lmc: Lmc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str, debug: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", SECRET)
    done = lmc(*debug, "ingest", "--tracking-uri", uri, "--home", str(tmp_path / "home"))
    assert done.code != 0
    assert SECRET not in done.printed
    assert ("Traceback" in done.err) == bool(debug)
    assert SECRET.encode() not in written(tmp_path)


def test_wrong_use_shows_no_password(lmc: Lmc) -> None:
    for arguments in (("status", "demo", DATABASES[0]), ("--tracking-uri", DATABASES[0])):
        done = lmc(*arguments)
        assert done.code == 2
        assert SECRET not in done.printed


def test_a_password_on_the_command_line_is_warned_about(lmc: Lmc, tmp_path: Path) -> None:
    done = lmc("query", "models", "--tracking-uri", DATABASES[0], "--home", str(tmp_path))
    assert "MLFLOW_TRACKING_URI keeps it" in done.err
    assert SECRET not in done.printed


@pytest.mark.full
@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda arguments: arguments[0])
@pytest.mark.parametrize("uri", [DATABASES[0], REFUSED[0]])
def test_no_command_shows_or_keeps_a_password(
    tmp_path: Path, arguments: tuple[str, ...], uri: str
) -> None:
    environ = {
        **os.environ,
        "MLFLOW_TRACKING_URI": uri,
        "MLFLOW_TRACKING_USERNAME": "me",
        "MLFLOW_TRACKING_PASSWORD": SECRET,
        "MLFLOW_LOGGING_LEVEL": "DEBUG",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "lmc_track.cli", "--debug", *arguments],
        cwd=tmp_path, env=environ, capture_output=True, timeout=300,
    )  # fmt: skip
    assert done.returncode != 0
    assert SECRET.encode() not in done.stdout + done.stderr
    assert SECRET.encode() not in written(tmp_path)
