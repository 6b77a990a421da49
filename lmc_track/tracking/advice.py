"""Commands that messages name, written out so that they reach the store that is meant."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

from lmc_track.tracking.location import Location


def own_command(location: Location, *words: str) -> str:
    """``lmc-track`` with ``words``, led to this home and store; without secrets."""
    return shlex.join(["lmc-track", *words, *place_options(location)])


def place_options(location: Location) -> list[str]:
    """The options that lead any command to this home and store."""
    options = ["--home", str(location.home)]
    if not location.has_own_store:
        options += ["--tracking-uri", location.shown_uri]
    return options


def mlflow_command(location: Location, *words: str) -> str:
    """MLflow's own program with ``words``, on this store; without secrets."""
    store = shlex.quote(location.shown_uri)
    return f"MLFLOW_TRACKING_URI={store} {shlex.join([mlflow_program(), *words])}"


def mlflow_program() -> str:
    """``mlflow``, with its path where a shell would not find it."""
    beside = Path(sys.executable).with_name("mlflow")
    return str(beside) if shutil.which("mlflow") is None and beside.exists() else "mlflow"
