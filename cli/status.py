"""``lmc-track status``: what is done and what is missing."""

from __future__ import annotations

import click

from .completion import complete_study
from .options import find_location, format_option, location_options
from .output import show


@click.command("status")
@click.argument("study", metavar="[STUDY]", required=False, shell_complete=complete_study)
@format_option
@location_options
def command(
    study: str | None, output_format: str, home: str | None, tracking_uri: str | None
) -> None:
    """Tell what is planned, finished and unfinished in MLflow.

    \b
    Examples:
      lmc-track status
      lmc-track status demo --format json
    """
    import polars as pl

    from lmc_track.steps.status import study_status

    rows = study_status(find_location(home, tracking_uri), study)
    names = ("study", "what", "planned", "finished", "missing", "unfinished")
    schema = {name: pl.String if n < 2 else pl.Int64 for n, name in enumerate(names)}
    show(pl.DataFrame(rows, schema=schema), output_format)
