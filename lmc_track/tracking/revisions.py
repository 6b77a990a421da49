"""Whether MLflow's tables in a database are the ones that this program knows."""

from __future__ import annotations

from typing import Any

from lmc_track.tracking.bulk_rows import COLUMNS

TESTED = frozenset({"dc11669786a5"})
"""Revisions of MLflow's schema on which the rows written here are tested against its client's."""

_DATABASES = ("sqlite", "postgresql")


def unknown_tables(engine: Any) -> str | None:
    """What about MLflow's tables behind the SQLAlchemy ``engine`` is not known here, or None.

    The revision of the database, that of the MLflow installed and the columns it writes are
    compared with those that the rows were tested on.

    Raises:
        ImportError: the MLflow installed keeps its tables elsewhere.
    """
    if engine.dialect.name not in _DATABASES:
        return f"it is a database of {engine.dialect.name}, which was not tested"
    from mlflow.store.db.utils import _get_latest_schema_revision, _get_schema_version
    from mlflow.store.tracking.dbmodels import models

    found, expected = _get_schema_version(engine), _get_latest_schema_revision()
    if found not in TESTED:
        return f"its schema has the revision {found}, which was not tested"
    if found != expected:
        return f"its schema has the revision {found}, the MLflow installed expects {expected}"
    for name, columns in COLUMNS.items():
        table = getattr(models, name, None)
        if table is None or {column.name for column in table.__table__.columns} != {*columns}:
            return f"the MLflow installed has other columns in its table {name}"
    return None
