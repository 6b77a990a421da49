"""``lmc-track interpolate``: the paths of a study."""

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
)
from .output import show
from .terminal import TerminalProgress, echo

if TYPE_CHECKING:
    from lmc_track.execution import Placement


@click.command("interpolate", short_help="Evaluate the models on the line between every two.")
@study_argument
@click.option(
    "--modules",
    multiple=True,
    metavar="NAME",
    help="Move only this part of the network, such as encoder.layer.3 or classifier, and keep "
    "the rest of the first model; parts that move together are joined by +. Repeatable.",
)
@click.option(
    "--check-precision",
    is_flag=True,
    help="Evaluate a sample of paths in fp32 and in bf16, and put on record how far losses and "
    "gaps move. Nothing else is measured.",
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
    modules: tuple[str, ...],
    check_precision: bool,
    dry_run: bool,
    output_format: str,
    overrides: tuple[str, ...],
    placement: Placement,
    home: str | None,
    tracking_uri: str | None,
) -> None:
    """Evaluate the models on the line between every two finetuned ones.

    With --modules one part of the network moves from one model to the other, in either
    direction, and the rest stays: which part carries the barrier?

    \b
    Examples:
      lmc-track interpolate study.toml --set interpolate.points=21
      lmc-track interpolate study.toml --dry-run
      lmc-track interpolate study.toml --check-precision
      lmc-track interpolate study.toml --workers 4
      lmc-track interpolate demo --modules embeddings --modules encoder.layer.0
    """
    location = find_location(home, tracking_uri, new=dry_run)
    chosen, progress = find_study(study, overrides, location), TerminalProgress()
    if dry_run:
        from lmc_track.steps.dry_run import planned_work

        kinds = modules or ("all",)
        show(planned_work(chosen, location, progress, placement, kinds), output_format)
        return
    if check_precision:
        from lmc_track.steps.precision_check import precision_check_step

        show(precision_check_step(chosen, location, progress, placement), output_format)
        return
    from lmc_track.steps.run import interpolate_step

    paths = interpolate_step(chosen, location, progress, modules or ("all",), placement)
    echo(f"{paths} paths measured." if paths else "Every path was there.", err=True)
