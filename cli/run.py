"""``lmc-track run``: every step of a study."""

from __future__ import annotations

from pathlib import Path

import click

from .options import find_location, find_study, location_options, set_option, study_argument
from .terminal import TerminalProgress


@click.command("run")
@study_argument
@set_option
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Where the report goes."
)
@location_options
def command(
    study: str,
    overrides: tuple[str, ...],
    out: Path | None,
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
    """
    from lmc_track.steps.commands import ui_command
    from lmc_track.steps.run import run_study

    location = find_location(home, tracking_uri)
    outcome = run_study(find_study(study, overrides, location), location, TerminalProgress(), out)
    for line in outcome.report.findings:
        click.echo(line)
    click.echo(f"Report:    {outcome.report.path}")
    click.echo(f"MLflow UI: {ui_command(location)}")
