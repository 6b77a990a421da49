"""``lmc-track schema``: what SQL can read."""

from __future__ import annotations

import click

from .options import format_option
from .output import show


@click.command("schema", short_help="The tables, views and macros that SQL can read.")
@click.argument("name", required=False)
@format_option
def command(name: str | None, output_format: str) -> None:
    """The tables, views and macros that SQL can read: their columns, types and meanings.

    NAME is one of them. It is the schema of every results file that this version writes, so none
    is needed. A row without a column is about the whole; macros are called with their
    parameters, as in FROM study_models('demo', NULL).

    \b
    Examples:
      lmc-track schema
      lmc-track schema barriers
      lmc-track schema --format markdown > schema.md
    """
    import polars as pl

    from lmc_track.errors import InputError
    from lmc_track.warehouse.moment import nearest
    from lmc_track.warehouse.schema import schema

    items = schema()
    if name is not None:
        known = [item.name for item in items]
        items = tuple(item for item in items if item.name == name)
        if not items:
            raise InputError(f"there is no table {name!r}", nearest(name, known))
    rows: list[tuple[str | None, ...]] = []
    for item in items:
        called = f" Called as {item.signature}." if item.kind == "macro" else ""
        rows.append((item.kind, item.name, None, None, item.meaning + called))
        rows += [(item.kind, item.name, c.name, c.sql_type, c.meaning) for c in item.columns]
    columns = ["kind", "name", "column", "type", "meaning"]
    schema_of = dict.fromkeys(columns, pl.String)
    show(pl.DataFrame(rows, schema=schema_of, orient="row"), output_format, widest=None)
