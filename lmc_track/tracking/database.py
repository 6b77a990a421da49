"""What a tracking store needs of its database before MLflow opens it, and MLflow does not do."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lmc_track.errors import InputError
from lmc_track.uris import address

_PATIENCE = 10
"""Seconds to wait for PostgreSQL to accept a connection."""

_PATIENCE_WITH_OTHERS = 300
"""Seconds to wait for another program that makes the tables."""


@contextmanager
def opening(uri: str) -> Iterator[None]:
    """MLflow may open the database inside: it answers, and nobody else makes tables in it.

    MLflow would try ten times within minutes to connect. And it makes its tables in many steps:
    two programs that begin at once get into each other's, where no lock keeps them apart.

    Raises:
        InputError: the URI cannot be read, or the database's driver is not installed.
        SQLAlchemyError: the database cannot be reached, or refuses.
    """
    with engine_of(uri).connect() as connection:
        if is_postgresql(uri):
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql(f"SET lock_timeout = '{_PATIENCE_WITH_OTHERS}s'")
            _execute(connection, "SELECT pg_advisory_lock(:key)", "lmc-track store")
        yield


@contextmanager
def advisory_lock(uri: str, name: str) -> Iterator[bool]:
    """Hold PostgreSQL's lock called ``name`` while this program is connected; whether it got it.

    Raises:
        as ``opening``.
    """
    with engine_of(uri).connect() as connection:
        # Else a transaction would stay open as long as the lock is held.
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        yield bool(_execute(connection, "SELECT pg_try_advisory_lock(:key)", name))


def is_postgresql(uri: str) -> bool:
    return uri.startswith("postgresql")


def _execute(connection: Any, statement: str, name: str) -> Any:
    """What ``statement`` says of the lock called ``name``; PostgreSQL's locks have numbers."""
    import sqlalchemy

    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    return connection.execute(sqlalchemy.text(statement), {"key": key}).scalar()


def engine_of(uri: str) -> Any:
    """An engine on the database, which keeps no connection.

    Raises:
        InputError: the URI cannot be read, or the database's driver is not installed.
    """
    import sqlalchemy

    shown = address(uri)
    postgresql = is_postgresql(uri)
    try:
        return sqlalchemy.create_engine(
            uri,
            poolclass=sqlalchemy.NullPool,
            connect_args={"connect_timeout": _PATIENCE} if postgresql else {},
        )
    except ImportError as error:
        remedy = "pip install 'lmc-track[postgresql]'" if postgresql else "Install it with pip."
        raise InputError(
            f"the tracking store {shown} needs the Python package {error.name}, which is not "
            "installed",
            remedy,
        ) from None
    except (sqlalchemy.exc.ArgumentError, ValueError):
        # What it says may have a part of the password.
        raise InputError(
            f"the tracking URI {shown} cannot be read",
            "Write it as postgresql://USER@HOST:PORT/DATABASE; characters other than letters and "
            "digits in a password are quoted, such as %40 for @.",
        ) from None
