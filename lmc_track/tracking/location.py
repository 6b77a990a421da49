"""Where a user's state is: the home folder, the tracking store, the artifacts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from lmc_track.errors import InputError
from lmc_track.redaction import check_address, redacted

DEFAULT_HOME = "mlruns"
_DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
_SERVERS = ("http", "https")


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
        parts = urlsplit(self.tracking_uri)
        if parts.password is None:
            return self.tracking_uri
        where = parts.netloc.replace(f":{parts.password}@", ":***@")
        return urlunsplit(parts._replace(netloc=where))


def locate(
    home: str | None = None,
    tracking_uri: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Location:
    """The location that the arguments say, else the environment, else the defaults.

    ``LMC_HOME`` names the home and ``MLFLOW_TRACKING_URI`` the tracking store; the default is
    ``./mlruns`` with an SQLite store in it. Nothing is created.

    Raises:
        InputError: the tracking URI is of a kind that cannot hold a study, or the home's name
            cannot be part of one.
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
    check_address(uri)
    scheme = urlsplit(uri).scheme.split("+")[0]
    if scheme in _SERVERS:
        return Location(folder, uri, None)
    if scheme in _DATABASES:
        return Location(folder, uri, (folder / "artifacts").as_uri())
    raise InputError(
        f"the tracking URI {redacted(uri)!r} is neither a database nor a server",
        "Give sqlite:///FILE, postgresql://…, or http://HOST:PORT of an MLflow server; "
        "MLflow itself has given up its old folder of files.",
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
