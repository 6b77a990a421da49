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


@lru_cache(maxsize=1)
def _older_template() -> Path:
    """A store as an MLflow left it that knew ten revisions of its tables less."""
    from alembic import command
    from alembic.script import ScriptDirectory
    from mlflow.store.db.utils import _get_alembic_config
    from mlflow.store.tracking.dbmodels.initial_models import Base
    from sqlalchemy import create_engine

    file = _template().with_name("older.db")
    uri = f"sqlite:///{file}"
    config = _get_alembic_config(uri)
    revisions = [one.revision for one in ScriptDirectory.from_config(config).walk_revisions()]
    engine = create_engine(uri)
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revisions[10])
    engine.dispose()
    return file


def older_home(folder: Path) -> Location:
    """A home in ``folder`` whose store an older MLflow made."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_older_template(), folder / "mlflow.db")
    return locate(str(folder), environ={})


def schema_of(location: Location, file: Path | None = None) -> tuple[str, list[str]]:
    """The revision of the tables in a home's own store, or a copy of it, and their definitions."""
    connection = sqlite3.connect(file or location.own_store)
    revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
    tables = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY 1")
    definitions = [row[0] for row in tables]
    connection.close()
    return revision, definitions


def addresses(location: Location) -> set[str]:
    """Every address of artifacts in a home's own store."""
    connection = sqlite3.connect(location.own_store)
    found = {
        row[0]
        for table, column in _PLACES
        for row in connection.execute(f"SELECT {column} FROM {table}")
        # The experiment of the template that is nobody's.
        if row[0] and not row[0].startswith(_template().parent.as_uri())
    }
    connection.close()
    return found


_PLACES = (
    ("runs", "artifact_uri"),
    ("experiments", "artifact_location"),
    ("logged_models", "artifact_location"),
)


def copied_home(location: Location, folder: Path) -> Location:
    """A copy of a home with its SQLite store, whose runs know where their artifacts are now."""
    shutil.copytree(location.home, folder)
    connection = sqlite3.connect(folder / "mlflow.db")
    old, new = location.home.as_uri(), folder.resolve().as_uri()
    with connection:
        for table, column in _PLACES:
            connection.execute(f"UPDATE {table} SET {column} = replace({column}, ?, ?)", (old, new))
    connection.close()
    return locate(str(folder), environ={})
