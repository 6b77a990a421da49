"""Where a user's state is: the home folder, the tracking store, the artifacts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, unquote

from lmc_track.errors import InputError
from lmc_track.redaction import HIDDEN, check_address
from lmc_track.uris import address

DEFAULT_HOME = "mlruns"
_DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
_SERVERS = ("http", "https")
_POSTGRESQL_DRIVERS = ("psycopg2", "psycopg")


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
    def own_artifacts(self) -> Path:
        """The home's folder of artifacts, wherever its store has them."""
        return self.home / "artifacts"

    @property
    def own_store(self) -> Path:
        """The file of the home's own store, whether that is the one in use or not."""
        return self.home / "mlflow.db"

    @property
    def has_own_store(self) -> bool:
        """Whether the store is the home's own."""
        return self.tracking_uri == f"sqlite:///{self.own_store}"

    @property
    def sqlite_file(self) -> Path | None:
        """The file of an SQLite store; None where the store is another."""
        if not self.tracking_uri.startswith("sqlite"):
            return None
        from sqlalchemy import make_url

        name = make_url(self.tracking_uri).database
        return Path(name) if name and name != ":memory:" else None

    @property
    def lacks_store(self) -> bool:
        """Whether the store is an SQLite file that nobody has made yet: there is nothing in it."""
        file = self.sqlite_file
        return file is not None and not file.exists()

    @property
    def opened_uri(self) -> str:
        """The tracking URI, but of an SQLite file whose folder nobody here may write.

        SQLite wants to write beside such a file even to read it, unless it is told that nobody
        changes it. It is not told so while a log with changes lies there already.
        """
        file = self.sqlite_file
        if file is None or not file.exists() or os.access(file.parent, os.W_OK):
            return self.tracking_uri
        log = file.with_name(f"{file.name}-wal")
        if log.exists() and log.stat().st_size > 0:
            return self.tracking_uri
        return f"sqlite:///file:{_quoted(str(file))}?immutable=1&uri=true"

    @property
    def shown_uri(self) -> str:
        """Where the store is: its URI without user, password and options.

        With those of a database in its own environment variables or files it works.
        """
        return address(self.tracking_uri)


def locate(
    home: str | None = None,
    tracking_uri: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Location:
    """The location that the arguments say, else the environment, else the defaults.

    ``LMC_HOME`` names the home and ``MLFLOW_TRACKING_URI`` the tracking store; the default is
    ``./mlruns`` with an SQLite store in it. Artifacts are in the home, unless another store is
    named and with it, as for MLflow's own server, ``MLFLOW_DEFAULT_ARTIFACT_ROOT``. Nothing is
    created.

    Raises:
        InputError: the tracking URI is of a kind that cannot hold a study, or says a password to a
            server, or the home's name cannot be part of a URI.
    """
    environ = os.environ if environ is None else environ
    folder = Path(home or environ.get("LMC_HOME") or DEFAULT_HOME).expanduser().resolve()
    if "?" in str(folder):
        raise InputError(
            f"the home {folder} has a question mark in its name, which databases read as the "
            "beginning of options",
            "Give another folder with --home or LMC_HOME.",
        )
    if unquote(str(folder)) != str(folder):
        raise InputError(
            f"the home {folder} has a percent sign with two digits in its name, which databases "
            "read as another character",
            "Give another folder with --home or LMC_HOME.",
        )
    artifacts = (folder / "artifacts").as_uri()
    own = f"sqlite:///{folder}/mlflow.db"
    uri = tracking_uri or environ.get("MLFLOW_TRACKING_URI") or own
    check_address(uri)
    scheme = uri.partition(":")[0].partition("+")[0]
    if scheme in _SERVERS:
        return Location(folder, uri, None)
    if scheme in _DATABASES:
        root = environ.get("MLFLOW_DEFAULT_ARTIFACT_ROOT") if uri != own else None
        return Location(folder, _with_driver(uri), _absolute(root) if root else artifacts)
    raise InputError(
        f"the tracking URI {address(uri, HIDDEN)} is neither a database nor a server",
        "Give sqlite:///FILE, postgresql://…, or http://HOST:PORT of an MLflow server; "
        "MLflow itself has given up its old folder of files.",
    )


def _quoted(file: str) -> str:
    """``file`` as part of SQLite's own URIs, and that as part of SQLAlchemy's.

    Some of its versions unquote the name of a file, and some do not.
    """
    from sqlalchemy import make_url

    once = quote(file)
    return once if make_url(f"sqlite:///{once}").database == once else quote(once)


def _with_driver(uri: str) -> str:
    """A PostgreSQL URI names a driver that is there; the one meant by none is SQLAlchemy's choice.

    Its versions choose differently, and none looks for the other.
    """
    if not uri.startswith("postgresql:"):
        return uri
    driver = next(filter(find_spec, _POSTGRESQL_DRIVERS), None)
    return uri if driver is None else uri.replace("postgresql:", f"postgresql+{driver}:", 1)


def _absolute(root: str) -> str:
    return (root if "://" in root else Path(root).expanduser().resolve().as_uri()).rstrip("/")


def prepare(location: Location) -> None:
    """Create the home's folders.

    Raises:
        InputError: the home is not a folder or cannot be written.
    """
    remedy = "Give a folder that you may write with --home or LMC_HOME."
    try:
        for folder in (location.home, location.cache, location.locks):
            folder.mkdir(parents=True, exist_ok=True)
        if location.artifact_root == (artifacts := location.home / "artifacts").as_uri():
            artifacts.mkdir(exist_ok=True)
        probe = location.locks / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"the home {location.home} cannot be written: {reason}", remedy) from None


def is_read_only(location: Location) -> bool:
    """Whether the home is there and cannot be written: then what only reads still works."""
    if not location.home.is_dir():
        return False
    try:
        prepare(location)
    except InputError:
        return True
    return False
