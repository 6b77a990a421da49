"""``lmc-track report``: the page that a study ends in."""

from __future__ import annotations

from pathlib import Path

import click

from .options import find_location, location_options, study_argument, study_name
from .terminal import TerminalProgress


@click.command("report")
@study_argument
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the page goes.  [default: reports/STUDY.html in the home]",
)
@location_options
def command(study: str, out: Path | None, home: str | None, tracking_uri: str | None) -> None:
    """Write the report of a study as one self-contained HTML page.

    Prints the path of the page. It is made from the ingested results and kept in MLflow too.

    \b
    Example:
      lmc-track report demo --out demo.html
    """
    from lmc_track.steps.run import report_step

    location = find_location(home, tracking_uri)
    written = report_step(study_name(study, location), location, TerminalProgress(), out)
    click.echo(str(written.path))
