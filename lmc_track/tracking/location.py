"""Where a user's state is: the home folder, the tracking store, the artifacts."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from lmc_track.errors import InputError
from lmc_track.plain_text import printable
from lmc_track.redaction import holds_password, redacted

DEFAULT_HOME = "mlruns"
_DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
_SERVERS = ("http", "https")
# User and password of a database as SQLAlchemy reads them, host and port after them.
_LOGIN = re.compile(r"[^:/?#]+://(?P<login>[^:/@]*(?::[^@]*)?@)?(?P<host>[^/?#]*)")


@dataclass(frozen=True)
class Location:
    """``home`` is absolute; ``artifact_root`` is None where a tracking server decides it."""

    home: Path
    tracking_uri: str
    artifact_root: str | None

    @property
    def results_path(self) -> Path:
        return self.home / "results.duckdb"

    @property
    def cache(self) -> Path:
        return self.home / "cache"

    @property
    def locks(self) -> Path:
        return self.home / "locks"

    @property
    def shown_uri(self) -> str:
        """The tracking URI with a password left out."""
        return redacted(self.tracking_uri, {})


def locate(
    home: str | None = None,
    tracking_uri: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Location:
    """The location that the arguments say, else the environment, else the defaults.

    ``LMC_HOME`` names the home and ``MLFLOW_TRACKING_URI`` the tracking store; the default is
    ``./mlruns`` with an SQLite store in it. Nothing is created.

    Raises:
        InputError: the tracking URI is of a kind that cannot hold a study or has a password
            where none may be, or the home's name cannot be part of one.
    """
    environ = os.environ if environ is None else environ
    folder = Path(home or environ.get("LMC_HOME") or DEFAULT_HOME).expanduser().resolve()
    if "?" in str(folder):
        raise InputError(
            f"the home {folder} has a question mark in its name, which databases read as the "
            "beginning of options",
            "Give another folder with --home or LMC_HOME.",
        )
    uri = tracking_uri or environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{folder}/mlflow.db"
    scheme = uri.partition("://")[0].lower().split("+")[0]
    if printable(uri) != uri or "\n" in uri:
        raise InputError(f"the tracking URI {redacted(uri)!r} holds control characters")
    if scheme in _SERVERS:
        _check_server(uri)
        return Location(folder, uri, None)
    if scheme in _DATABASES:
        if scheme != "sqlite":
            _check_database(uri)
        return Location(folder, uri, (folder / "artifacts").as_uri())
    raise InputError(
        f"the tracking URI {redacted(uri)!r} is neither a database nor a server",
        "Give sqlite:///FILE, postgresql://…, or http://HOST:PORT of an MLflow server; "
        "MLflow itself has given up its old folder of files.",
    )


def _check_server(uri: str) -> None:
    """Refuse an address that is none, or that would show a password wherever it is written."""
    if holds_password(uri):
        raise InputError(
            f"the tracking URI {redacted(uri)} holds a password",
            "Leave it out, and name user and password by the environment variables "
            "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.",
        )
    try:
        there = bool(urlsplit(uri).hostname) and urlsplit(uri).port != 0
    except ValueError:
        there = False
    if not there:
        raise InputError(
            f"the tracking URI {uri!r} is no address of a server", "Give http://HOST:PORT."
        )


def _check_database(uri: str) -> None:
    """Refuse a password that could not be told from the rest of ``uri``, and so not be hidden."""
    found = _LOGIN.match(uri)
    login, host = (found["login"] or "", found["host"]) if found else ("", "")
    in_options = holds_password(uri.removeprefix(uri.partition("?")[0]))
    if in_options or "@" in host or any(mark in login for mark in "/?#"):
        raise InputError(
            f"the password in the tracking URI {redacted(uri)!r} is not where, or as, it should be",
            "Write it before the host, as in postgresql://USER:PASSWORD@HOST/DATABASE, with the "
            "characters @ / ? # percent-encoded (%40 %2F %3F %23).",
        )


def prepare(location: Location) -> None:
    """Create the home's folders.

    Raises:
        InputError: the home is not a folder or cannot be written.
    """
    remedy = "Give a folder that you may write with --home or LMC_HOME."
    try:
        for folder in (location.home, location.cache, location.locks):
            folder.mkdir(parents=True, exist_ok=True)
        if location.artifact_root is not None:
            (location.home / "artifacts").mkdir(exist_ok=True)
        probe = location.locks / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"the home {location.home} cannot be written: {reason}", remedy) from None
