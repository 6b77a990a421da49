"""``lmc-track status``: what is done and what is missing, and what it takes on the disk."""

from __future__ import annotations

import click

from .completion import complete_study
from .options import find_location, format_option, location_options
from .output import show
from .sizes import with_readable_sizes
from .terminal import echo


@click.command("status")
@click.argument("study", metavar="[STUDY]", required=False, shell_complete=complete_study)
@click.option(
    "--no-disk",
    is_flag=True,
    help="Leave out sizes and lost files: no file is looked at, which is quicker.",
)
@format_option
@location_options
def command(
    study: str | None,
    no_disk: bool,
    output_format: str,
    home: str | None,
    tracking_uri: str | None,
) -> None:
    """Tell what is planned, done and missing, and how large it is.

    For each study and kind of run: how many are planned and done; running (somebody holds the
    study's lock), interrupted (begun, and nobody works on it) or failed; missing; orphaned, which
    gc removes; deleted in MLflow. Then, in files and bytes, what studies and the home hold. A size
    that is not known, as of artifacts that a server keeps, is left out.

    \b
    Examples:
      lmc-track status
      lmc-track status demo --no-disk --format json
    """
    import polars as pl

    from lmc_track.steps.status import COLUMNS, study_status

    status = study_status(find_location(home, tracking_uri), study, disk=not no_disk)
    schema = {name: pl.String if n < 2 else pl.Int64 for n, name in enumerate(COLUMNS)}
    frame = pl.DataFrame(status.rows, schema=schema)
    show(with_readable_sizes(frame, output_format), output_format)
    for note in status.notes:
        echo(note, err=True)
