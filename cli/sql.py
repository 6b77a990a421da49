"""``lmc-track sql``: one's own SQL over the results."""

from __future__ import annotations

from pathlib import Path

import click

from .options import find_location, format_option, location_options
from .output import show


@click.command("sql")
@click.argument("statement", required=False)
@click.option(
    "--file",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read the statement from a file.",
)
@click.option("--schema", is_flag=True, help="Print the tables, their columns and meanings.")
@format_option
@location_options
def command(
    statement: str | None,
    file: Path | None,
    schema: bool,
    output_format: str,
    home: str | None,
    tracking_uri: str | None,
) -> None:
    """Run a SQL statement over the results, read-only.

    \b
    Examples:
      lmc-track sql "SELECT name, head_seed FROM models WHERE study = 'demo'"
      lmc-track sql --schema
      lmc-track sql --file mine.sql --format csv
    """
    from lmc_track.warehouse.results import open_results

    if sum([statement is not None, file is not None, schema]) != 1:
        raise click.UsageError("give a statement, or --file, or --schema")
    location = find_location(home, tracking_uri)
    results = open_results(location.results_path, location.tracking_uri)
    if schema:
        show(results.schema(), output_format)
        return
    text = statement if file is None else file.read_text(encoding="utf-8")
    assert text is not None
    show(results.sql(text), output_format)
