"""MLflow's own store object, where the tracking store is a database within reach."""

from __future__ import annotations

from typing import Any

from lmc_track.tracking.store import Store, reporting


def database_of(store: Store) -> Any | None:
    """MLflow's ``SqlAlchemyStore`` behind ``store``; None where a server stands before it.

    Raises:
        InputError, WorkError: the store cannot be reached.
    """
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
    from mlflow.tracking._tracking_service.utils import _get_store

    with reporting(store.location):
        _ = store.client
        inner = _get_store(store.opened_uri)
    return inner if isinstance(inner, SqlAlchemyStore) else None


def database_bytes(store: Store) -> int | None:
    """How large the database behind ``store`` is; None where it does not tell."""
    from sqlalchemy import text
    from sqlalchemy.exc import SQLAlchemyError

    inner = None if store.absent else database_of(store)
    if inner is None or inner.engine.dialect.name != "postgresql":
        return None
    try:
        with inner.engine.connect() as connection:
            return int(connection.scalar(text("SELECT pg_database_size(current_database())")))
    except SQLAlchemyError:
        return None
