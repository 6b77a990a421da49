"""``lmc-track finetune``: the models of a study."""

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


@click.command("finetune", short_help="Finetune the models that are missing, one a seed.")
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
    """Finetune the models that are missing, one a seed, and evaluate them.

    \b
    Example:
      lmc-track finetune study.toml --set finetune.seeds=0-3
    """
    from lmc_track.steps.run import finetune_step

    location = find_location(home, tracking_uri, new=True)
    chosen = find_study(study, overrides, location)
    made = finetune_step(chosen, location, TerminalProgress(), placement)
    echo(f"{made} models finetuned." if made else "Every model was there.", err=True)
