"""``lmc-track plane``: the plane through three models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .options import (
    find_location,
    find_study,
    format_option,
    location_options,
    placement_options,
    set_option,
    study_argument,
    study_name,
)
from .output import show
from .terminal import TerminalProgress, echo

if TYPE_CHECKING:
    from lmc_track.execution import Placement


@click.command("plane", short_help="Evaluate a grid on the plane through three models.")
@study_argument
@click.argument("models", nargs=-1, metavar="A B C")
@click.option(
    "--grid",
    type=click.IntRange(min=3),
    default=21,
    show_default=True,
    metavar="N",
    help="Points along each side of the grid.",
)
@click.option(
    "--margin",
    type=click.FloatRange(min=0, max=10),
    default=0.2,
    show_default=True,
    metavar="SHARE",
    help="How far the grid goes on beyond the models: the longer side of the box that they fill "
    "times this.",
)
@click.option(
    "--datasets",
    multiple=True,
    metavar="NAME",
    help="Evaluate on this set of the study only. Repeatable.  [default: all of them]",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Print what is to be done, and how long that may take; nothing is recorded.",
)
@format_option
@set_option
@placement_options
@location_options
def command(
    study: str,
    models: tuple[str, ...],
    grid: int,
    margin: float,
    datasets: tuple[str, ...],
    dry_run: bool,
    output_format: str,
    overrides: tuple[str, ...],
    placement: Placement,
    home: str | None,
    tracking_uri: str | None,
) -> None:
    """Evaluate loss and accuracy on the plane through the weights of three models.

    Prints the best route that the grid has between every two of them: the greatest loss on it, and
    how far that is above the higher of its ends. The order of the three makes no difference: the
    plane is laid out in study order. Again to resume; ingest, and the report draws it.

    \b
    Examples:
      lmc-track plane demo seed-0 seed-1 seed-7
      lmc-track plane study.toml seed-0 seed-1 seed-7 --grid 41 --datasets validation
      lmc-track plane study.toml seed-0 seed-1 seed-7 --dry-run
    """
    from lmc_track.steps.plane import check_models, plane_step, planned_plane
    from lmc_track.steps.plane_works import GridSettings

    location = find_location(home, tracking_uri)
    check_models(study_name(study, location), models, location)
    chosen, progress = find_study(study, overrides, location), TerminalProgress()
    settings = GridSettings(grid, margin)
    if dry_run:
        planned = planned_plane(chosen, models, location, progress, settings, datasets, placement)
        show(planned, output_format)
        return
    found = plane_step(chosen, models, location, progress, settings, datasets, placement)
    show(found.routes, output_format)
    echo(
        f"{found.points} points measured. To see them: lmc-track ingest, then lmc-track report "
        f"{chosen.name}"
        if found.points
        else "The plane was there.",
        err=True,
    )
