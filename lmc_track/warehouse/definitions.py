"""What a results file of this version holds, object by object, and what another file has instead.

A results file may come from a stranger. Its rows can only be believed or made anew, but its
tables, views and macros can be compared with those that this program makes, so that no query of
ours runs a definition of somebody else's.
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache
from pathlib import Path

import duckdb

from lmc_track.warehouse import storage
from lmc_track.warehouse.views import create_views, view_texts

Definition = tuple[str, str, str, str]
"""Kind, schema, name, and how DuckDB itself writes the definition down."""

_DEFINITIONS = """
SELECT 'table', schema_name, table_name, sql FROM duckdb_tables()
WHERE database_name = $database AND NOT internal
UNION ALL
SELECT 'view', schema_name, view_name, sql FROM duckdb_views()
WHERE database_name = $database AND NOT internal
UNION ALL
SELECT function_type, schema_name, function_name,
    concat_ws(chr(10), array_to_string(parameters, ', '), macro_definition)
FROM duckdb_functions() WHERE database_name = $database AND NOT internal
UNION ALL
SELECT 'schema', schema_name, '', '' FROM duckdb_schemas()
WHERE database_name = $database AND NOT internal
UNION ALL
SELECT 'index', schema_name, index_name, sql FROM duckdb_indexes()
WHERE database_name = $database
UNION ALL
SELECT 'sequence', schema_name, sequence_name, sql FROM duckdb_sequences()
WHERE database_name = $database
UNION ALL
SELECT 'type', schema_name, type_name, '' FROM duckdb_types()
WHERE database_name = $database AND NOT internal
UNION ALL
SELECT 'trigger', schema_name, trigger_name, sql FROM duckdb_triggers()
WHERE database_name = $database
"""
SIGNATURE = "schema_version"
"""The table in which a results file says what it is."""

_SIGNATURE = """
CREATE TABLE schema_version (version INTEGER, program VARCHAR, tracking_uri VARCHAR)
"""
_SIGNATURE_MEANINGS = (
    "COMMENT ON TABLE schema_version IS 'What wrote this file, from which tracking store.';"
    "COMMENT ON COLUMN schema_version.version IS 'version of the tables and views';"
    "COMMENT ON COLUMN schema_version.program IS 'version of lmc-track';"
    "COMMENT ON COLUMN schema_version.tracking_uri IS 'MLflow store, without a password';"
)
_MIGRATIONS = "CREATE TABLE migrations (version INTEGER PRIMARY KEY, name VARCHAR)"
_MIGRATIONS_MEANINGS = (
    "COMMENT ON TABLE migrations IS 'What has made this file one of a later version.';"
    "COMMENT ON COLUMN migrations.version IS 'version of the tables and views afterwards';"
    "COMMENT ON COLUMN migrations.name IS 'name of the migration';"
)


def create_all(connection: duckdb.DuckDBPyConnection) -> None:
    """All tables, views and macros of a results file, without a row."""
    storage.create_tables(connection)
    create_migrations(connection)
    create_views(connection)
    connection.execute(_SIGNATURE)
    connection.execute(_SIGNATURE_MEANINGS)


def create_migrations(connection: duckdb.DuckDBPyConnection) -> None:
    """The table ``migrations``, empty."""
    connection.execute(_MIGRATIONS)
    connection.execute(_MIGRATIONS_MEANINGS)


def renew_views(connection: duckdb.DuckDBPyConnection, database: str) -> None:
    """Put this version's views and macros in the place of all that ``database`` has."""
    drop = {"view": "VIEW", "macro": "MACRO", "table_macro": "MACRO TABLE"}
    for kind, schema, name, _ in definitions(connection, database):
        if kind in drop:
            whole = f"{storage.quoted(schema)}.{storage.quoted(name)}"
            connection.execute(f"DROP {drop[kind]} IF EXISTS {whole}")
    create_views(connection)


def definitions(connection: duckdb.DuckDBPyConnection, database: str) -> frozenset[Definition]:
    """Everything that ``database`` defines. Nothing of it is run."""
    return frozenset(connection.execute(_DEFINITIONS, {"database": database}).fetchall())


@cache
def expected() -> frozenset[Definition]:
    """Everything that a results file of this version defines, and nothing else may be in one.

    Making it takes some tenths of a second, so what came of it is kept for the next time among the
    user's own caches, which no results file comes with, by the digest of all that it follows from.
    """
    texts = [*storage.table_statements(), _MIGRATIONS, *view_texts(), _SIGNATURE]
    source = "\n".join([duckdb.__version__, _DEFINITIONS, *texts])
    kept = _kept(hashlib.sha256(source.encode()).hexdigest())
    if (found := _read(kept)) is not None:
        return found
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        for text in texts:
            for statement in connection.extract_statements(text):
                if statement.type != duckdb.StatementType.ALTER:  # COMMENT ON
                    connection.execute(statement)
        made = definitions(connection, "memory")
    _keep(kept, made)
    return made


def _kept(digest: str) -> Path | None:
    folder = os.environ.get("XDG_CACHE_HOME")
    try:
        caches = Path(folder) if folder else Path.home() / ".cache"
    except RuntimeError:  # a user without a home
        return None
    return caches / "lmc-track" / f"definitions-{digest[:16]}.json"


def _read(kept: Path | None) -> frozenset[Definition] | None:
    if kept is None:
        return None
    try:
        with kept.open(encoding="utf-8") as file:
            # Where somebody else's file lies, it is nobody's own cache.
            if os.fstat(file.fileno()).st_uid != os.getuid():
                return None
            return frozenset((a, b, c, d) for a, b, c, d in json.load(file))
    except (OSError, ValueError, TypeError, RecursionError):
        return None


def _keep(kept: Path | None, made: frozenset[Definition]) -> None:
    if kept is None:
        return
    building = kept.with_suffix(f".{os.getpid()}")
    try:
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        building.write_text(json.dumps(sorted(made)), encoding="utf-8")
        building.replace(kept)
    except OSError:  # it is made again the next time
        building.unlink(missing_ok=True)


def table_macros() -> frozenset[str]:
    """Names of the macros that give tables."""
    return frozenset(name for kind, _, name, _ in expected() if kind == "table_macro")


def first_difference(found: frozenset[Definition]) -> str | None:
    """What is in ``found`` and should not be, or the reverse, in words; None where they agree."""
    ours = expected()
    known = {definition[:3] for definition in ours}
    for definition in sorted(found - ours):
        defined = "another definition of " if definition[:3] in known else ""
        return f"holds {defined}{_called(definition)}"
    for definition in sorted(ours - found):
        return f"lacks {_called(definition)}"
    return None


def _called(definition: Definition) -> str:
    kind, schema, name, _ = definition
    whole = schema if not name else name if schema == "main" else f"{schema}.{name}"
    return f"the {kind.replace('_', ' ')} {whole}"
