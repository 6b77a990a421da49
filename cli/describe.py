"""``lmc-track describe``: what a study is, in a sentence."""

from __future__ import annotations

import click

from .completion import complete_study
from .options import find_location, location_options
from .terminal import echo


@click.command("describe")
@click.argument("study", metavar="STUDY", shell_complete=complete_study)
@click.argument("text", metavar="TEXT")
@location_options
def command(study: str, text: str, home: str | None, tracking_uri: str | None) -> None:
    """Give the recorded study STUDY the description TEXT.

    It counts before the description in the study file, as does one written in the MLflow UI. An
    empty TEXT brings back that of the study file. The next ingest takes it into the results.

    \b
    Examples:
      lmc-track describe demo "The demo, with sixteen seeds."
      lmc-track describe demo ""
    """
    from lmc_track.steps.naming import describe_step

    describe_step(study, text, find_location(home, tracking_uri))
    echo(f"The study {study} is described. Run lmc-track ingest to have it in results.", err=True)
