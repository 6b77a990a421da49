"""``lmc-track run``: every step of a study."""

from __future__ import annotations

from pathlib import Path
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
from .output import show
from .terminal import TerminalProgress, echo

if TYPE_CHECKING:
    from lmc_track.execution import Placement


@click.command("run")
@study_argument
@set_option
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Where the report goes."
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Print what is to be done, and how long that may take; nothing is recorded.",
)
@placement_options
@location_options
def command(
    study: str,
    overrides: tuple[str, ...],
    out: Path | None,
    dry_run: bool,
    placement: Placement,
    home: str | None,
    tracking_uri: str | None,
) -> None:
    """Finetune, interpolate, ingest, cluster and report.

    STUDY is a study file or the name of a recorded study. Finished work is never repeated, so
    the same command resumes what was interrupted.

    \b
    Examples:
      lmc-track run study.toml
      lmc-track run study.toml --set finetune.seeds=0-31 --set model.base=./minilm
      lmc-track run study.toml --device cuda:1
    """
    if dry_run:
        from lmc_track.steps.dry_run import planned_work

        location = find_location(home, tracking_uri, new=True)
        chosen = find_study(study, overrides, location)
        show(planned_work(chosen, location, TerminalProgress(), placement), "table")
        return
    from lmc_track.steps.commands import study_ui_command
    from lmc_track.steps.run import run_study

    location = find_location(home, tracking_uri, new=True)
    chosen = find_study(study, overrides, location)
    outcome = run_study(chosen, location, TerminalProgress(), out, placement)
    for line in outcome.report.findings:
        echo(line)
    echo(f"Report:    {outcome.report.path}")
    echo(f"MLflow UI: {study_ui_command(chosen.name, location, outcome.experiment_id)}")
