"""``lmc-track interpolate``: the paths of a study."""

from __future__ import annotations

import click

from .options import find_location, find_study, location_options, set_option, study_argument
from .terminal import TerminalProgress


@click.command("interpolate", short_help="Evaluate the models on the line between every two.")
@study_argument
@set_option
@location_options
def command(
    study: str, overrides: tuple[str, ...], home: str | None, tracking_uri: str | None
) -> None:
    """Evaluate the models on the line between every two finetuned ones.

    \b
    Example:
      lmc-track interpolate study.toml --set interpolate.points=21
    """
    from lmc_track.steps.run import interpolate_step

    location = find_location(home, tracking_uri)
    paths = interpolate_step(find_study(study, overrides, location), location, TerminalProgress())
    click.echo(f"{paths} paths measured." if paths else "Every path was there.", err=True)
