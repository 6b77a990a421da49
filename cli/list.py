"""``lmc-track list``: the studies of a home, side by side."""

from __future__ import annotations

import click

from .options import find_location, format_option, location_options
from .output import show


@click.command("list")
@format_option
@location_options
def command(output_format: str, home: str | None, tracking_uri: str | None) -> None:
    """List the studies of a home: models, paths, clusters, what is left out, the last change.

    The study that changed last comes first. Counted are the models and paths that count; models
    that failed, were dropped or are not in the study file any more have columns of their own.

    \b
    Examples:
      lmc-track list
      lmc-track list --home /data/mlruns --format json
    """
    from lmc_track.steps.studies import studies_of

    show(studies_of(find_location(home, tracking_uri)), output_format)
