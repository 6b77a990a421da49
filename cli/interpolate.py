"""``lmc-track interpolate``: the paths of a study."""

from __future__ import annotations

import click

from .options import find_location, find_study, location_options, set_option, study_argument
from .terminal import TerminalProgress


@click.command("interpolate", short_help="Evaluate the models on the line between every two.")
@study_argument
@click.option(
    "--modules",
    multiple=True,
    metavar="NAME",
    help="Move only this part of the network, such as encoder.layer.3 or classifier, and keep "
    "the rest of the first model; parts that move together are joined by +. Repeatable.",
)
@set_option
@location_options
def command(
    study: str,
    modules: tuple[str, ...],
    overrides: tuple[str, ...],
    home: str | None,
    tracking_uri: str | None,
) -> None:
    """Evaluate the models on the line between every two finetuned ones.

    With --modules one part of the network moves from one model to the other, in either
    direction, and the rest stays: which part carries the barrier?

    \b
    Examples:
      lmc-track interpolate study.toml --set interpolate.points=21
      lmc-track interpolate demo --modules embeddings --modules encoder.layer.0
    """
    from lmc_track.steps.run import interpolate_step

    location = find_location(home, tracking_uri)
    paths = interpolate_step(
        find_study(study, overrides, location),
        location,
        TerminalProgress(),
        modules or ("all",),
    )
    click.echo(f"{paths} paths measured." if paths else "Every path was there.", err=True)
