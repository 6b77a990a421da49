"""What a tracking store needs of its database before MLflow opens it, and MLflow does not do."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_PATIENCE = 10
"""Seconds to wait for PostgreSQL to accept a connection."""


def check_database(uri: str) -> None:
    """Connect once: MLflow would try ten times within minutes.

    Raises:
        ImportError: the database's driver is not installed.
        SQLAlchemyError, ValueError: what keeps this program from connecting.
    """
    engine = _engine(uri)
    with engine.connect():
        pass


@contextmanager
def advisory_lock(uri: str, name: str) -> Iterator[bool]:
    """Hold PostgreSQL's lock called ``name`` while this program is connected; whether it got it.

    Raises:
        as ``check_database``.
    """
    import sqlalchemy

    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    with _engine(uri).connect() as connection:
        # Else a transaction would stay open as long as the lock is held.
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        query = sqlalchemy.text("SELECT pg_try_advisory_lock(:key)")
        yield bool(connection.execute(query, {"key": key}).scalar())


def _engine(uri: str) -> Any:
    import sqlalchemy

    arguments = {"connect_timeout": _PATIENCE} if uri.startswith("postgresql") else {}
    return sqlalchemy.create_engine(uri, poolclass=sqlalchemy.pool.NullPool, connect_args=arguments)
