"""``lmc-track evaluate``: further evaluation sets for what is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .options import (
    find_location,
    find_study,
    location_options,
    placement_options,
    set_option,
    study_argument,
)
from .terminal import TerminalProgress, echo

if TYPE_CHECKING:
    from lmc_track.execution import Placement


@click.command("evaluate", short_help="Evaluate models and points on the data sets they lack.")
@study_argument
@set_option
@placement_options
@location_options
def command(
    study: str,
    overrides: tuple[str, ...],
    placement: Placement,
    home: str | None,
    tracking_uri: str | None,
) -> None:
    """Evaluate recorded models and points on the data sets they lack.

    The evaluation sets are those of the study file; what was evaluated before is not repeated.

    \b
    Example:
      lmc-track evaluate study.toml \\
          --set 'evaluate.datasets=["validation", "out_of_domain"]'
    """
    from lmc_track.steps.run import evaluate_step

    location = find_location(home, tracking_uri)
    models, paths = evaluate_step(
        find_study(study, overrides, location), location, TerminalProgress(), placement
    )
    if models or paths:
        echo(f"{models} models and the points of {paths} paths evaluated.", err=True)
    else:
        echo("Nothing was missing.", err=True)
