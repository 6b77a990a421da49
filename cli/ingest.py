"""``lmc-track ingest``: results.duckdb from the record."""

from __future__ import annotations

import click

from .options import find_location, location_options
from .terminal import TerminalProgress, echo


@click.command("ingest")
@click.option("--rebuild", is_flag=True, help="Read everything again and build the file anew.")
@location_options
def command(home: str | None, tracking_uri: str | None, rebuild: bool) -> None:
    """Bring results.duckdb up to date with MLflow.

    Runs that have ended or gained something since are read; those that were deleted disappear.
    The file is derived: it can be deleted and made again at any time.

    \b
    Examples:
      lmc-track ingest --home mlruns
      lmc-track ingest --rebuild
    """
    from lmc_track.steps.run import ingest_step

    location = find_location(home, tracking_uri)
    report = ingest_step(location, TerminalProgress(), everything=rebuild)
    counts = ", ".join(f"{table} {count:,}" for table, count in report.counts.items() if count)
    state = "is now" if report.changed else "was already"
    echo(f"{location.results_path} {state} up to date. Rows: {counts}.", err=True)
