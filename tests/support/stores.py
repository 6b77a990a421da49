"""Real MLflow stores: an empty SQLite store is made once and copied, which takes no time."""

from __future__ import annotations

import atexit
import shutil
import sqlite3
import tempfile
from functools import lru_cache
from pathlib import Path

from lmc_track.tracking.location import Location, locate
from lmc_track.tracking.store import Store


@lru_cache(maxsize=1)
def _template() -> Path:
    home = Path(tempfile.mkdtemp(prefix="lmc-template-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    store = Store(locate(str(home), environ={}))
    store.client.search_experiments(max_results=1)
    connection = sqlite3.connect(home / "mlflow.db")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return home / "mlflow.db"


def empty_home(folder: Path) -> Location:
    """A home in ``folder`` whose store exists and is empty."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_template(), folder / "mlflow.db")
    return locate(str(folder), environ={})


def copied_home(location: Location, folder: Path) -> Location:
    """A copy of a home with its SQLite store, whose runs know where their artifacts are now."""
    shutil.copytree(location.home, folder)
    connection = sqlite3.connect(folder / "mlflow.db")
    old, new = location.home.as_uri(), folder.resolve().as_uri()
    places = (
        ("runs", "artifact_uri"),
        ("experiments", "artifact_location"),
        ("logged_models", "artifact_location"),
    )
    with connection:
        for table, column in places:
            connection.execute(f"UPDATE {table} SET {column} = replace({column}, ?, ?)", (old, new))
    connection.close()
    return locate(str(folder), environ={})
