"""``lmc-track materialize``: the weights of a model or point."""

from __future__ import annotations

from pathlib import Path

import click

from .options import find_location, location_options
from .terminal import echo


@click.command("materialize", short_help="Rebuild the weights of a model or point in a folder.")
@click.argument("run")
@click.argument("folder", type=click.Path(path_type=Path))
@location_options
def command(run: str, folder: Path, home: str | None, tracking_uri: str | None) -> None:
    """Rebuild the weights of the model or point RUN in FOLDER, in Hugging Face format.

    RUN is an MLflow run id. A point's weights are not stored; they follow from its endpoints.

    \b
    Examples:
      lmc-track sql "SELECT point_id, alpha FROM points LIMIT 3"
      lmc-track materialize 0123456789abcdef0123456789abcdef ./midpoint
    """
    from lmc_track.steps.materialize import materialize_run

    echo(str(materialize_run(run, folder, find_location(home, tracking_uri))))
