"""Whether a folder is a home, so that a wrong directory is reported as that.

A home is told by what this program keeps in it, never by its name: MLflow's old store of files is
called mlruns as well.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from lmc_track.errors import InputError
from lmc_track.tracking.location import DEFAULT_HOME, Location

_DATABASES = ("mlflow.db", "results.duckdb")
# What else is in a home; cache and locks are the first to be there.
_FOLDERS = ("cache", "locks", "artifacts", "reports", "queries")
_OF_DISKS = frozenset({"lost+found"})
_ENVIRONMENT = "LMC_HOME"


def is_home(folder: Path) -> bool:
    """Whether ``folder`` holds what a home holds."""
    return any((folder / name).is_file() for name in _DATABASES) or all(
        (folder / name).is_dir() for name in _FOLDERS[:2]
    )


def check_home(location: Location, *, new: bool = False) -> None:
    """Raise InputError where the home of ``location`` is not one.

    With ``new`` it may be absent or empty: whoever asks makes it. So it may be where studies are
    kept elsewhere, in a database or on a server.
    """
    home = location.home
    try:
        if is_home(home):
            return
        if home.exists() and not home.is_dir():
            raise InputError(
                f"the home {home} is a file, not a folder", _remedy(home, "Name a folder")
            )
        strange = sorted(_strange(home)) if home.is_dir() else []
    except OSError as error:
        raise InputError(
            f"the home {home} cannot be read: {error.strerror or error}",
            "Name another folder with --home or LMC_HOME, or let this user read it.",
        ) from None
    if strange:
        shown = ", ".join(strange[:3]) + (", …" if len(strange) > 3 else "")
        raise InputError(
            f"{home} is not a home of lmc-track: it holds {shown}, and no mlflow.db",
            _remedy(home, "Name a home, or a new or empty folder,"),
        )
    if new or location.tracking_uri != f"sqlite:///{home}/mlflow.db":
        return
    absent = "is empty" if home.is_dir() else "does not exist"
    if home == Path(DEFAULT_HOME).resolve() and not os.environ.get(_ENVIRONMENT):
        message = f"there is no home in the working directory: {home} {absent}"
    else:
        message = f"there is no home at {home}: the folder {absent}"
    raise InputError(
        message, _remedy(home, "Go to the folder in which the study was run, or name its home")
    )


def _strange(folder: Path) -> Iterator[str]:
    """What is in ``folder`` that no home holds."""
    for entry in folder.iterdir():
        hidden = entry.name.startswith(".") or entry.name in _OF_DISKS
        if not hidden and entry.name not in _FOLDERS:
            yield entry.name


def _remedy(home: Path, otherwise: str) -> str:
    near = next(filter(_seen_as_home, _near(home)), None)
    meant = "" if near is None else f"There is one at {near}: --home {near}. "
    return f"{meant}{otherwise} with --home DIR or {_ENVIRONMENT}."


def _seen_as_home(folder: Path) -> bool:
    try:
        return is_home(folder)
    except OSError:  # one that this user may not look into
        return False


def _near(home: Path) -> Iterator[Path]:
    """Where the home may be instead: in the folder named, around it, further up."""
    yield home / DEFAULT_HOME
    for folder in (*home.parents, *Path.cwd().parents):
        yield folder
        yield folder / DEFAULT_HOME
