"""``lmc-track ingest``: results.duckdb from the record."""

from __future__ import annotations

import click

from .options import find_location, location_options
from .terminal import TerminalProgress, echo


@click.command("ingest")
@location_options
def command(home: str | None, tracking_uri: str | None) -> None:
    """Rebuild results.duckdb from everything finished in MLflow.

    The file is derived: it can be deleted and made again at any time.

    \b
    Example:
      lmc-track ingest --home mlruns
    """
    from lmc_track.steps.run import ingest_step

    location = find_location(home, tracking_uri)
    report = ingest_step(location, TerminalProgress())
    counts = ", ".join(f"{count:,} {table}" for table, count in report.counts.items() if count)
    echo(f"{location.results_path}: {counts}.", err=True)
