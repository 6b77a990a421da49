"""``lmc-track demo``: a small study that shows what the program is for."""

from __future__ import annotations

from pathlib import Path

import click

from .options import home_option
from .terminal import TerminalProgress, echo


@click.command("demo")
@home_option
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Where the report goes."
)
def command(home: str | None, out: Path | None) -> None:
    """Run a study of 16 tiny models, start to report, in minutes.

    The sentences are made by the program, and so is the base model; nothing is downloaded. In
    training, two cues tell right from wrong sentences equally well; which one a model takes
    shows only on the diagnostics. The study is always kept in a local home.

    \b
    Example:
      lmc-track demo --home ~/lmc-demo
    """
    progress = TerminalProgress()
    # Before the imports: they take seconds in which nothing else would be seen.
    progress.note("Finetuning 16 tiny models and joining them all: some two minutes on two cores.")
    from lmc_track.steps.commands import study_ui_command
    from lmc_track.steps.demo import demo_location, demo_study
    from lmc_track.steps.run import run_study
    from lmc_track.tracking.homes import check_home

    location = demo_location(home)
    check_home(location, new=True)
    study = demo_study()
    outcome = run_study(study, location, progress, out)
    for line in outcome.report.findings:
        echo(line)
    echo(f"Report:    {outcome.report.path}")
    echo(f"MLflow UI: {study_ui_command(study.name, location)}")
