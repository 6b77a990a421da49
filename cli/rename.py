"""``lmc-track rename``: another name for a study."""

from __future__ import annotations

import click

from .completion import complete_study
from .options import find_location, location_options
from .terminal import echo


@click.command("rename")
@click.argument("study", metavar="STUDY", shell_complete=complete_study)
@click.argument("new", metavar="NEW")
@location_options
def command(study: str, new: str, home: str | None, tracking_uri: str | None) -> None:
    """Call the recorded study STUDY by the name NEW.

    Its runs, files and results stay as they are. Renaming its experiment in the MLflow UI does the
    same. The next ingest takes the name into the results; a study file has to be changed by hand,
    and until it is, `run` says so.

    \b
    Examples:
      lmc-track rename demo agreement-16
      lmc-track ingest
    """
    from lmc_track.steps.naming import rename_step

    rename_step(study, new, find_location(home, tracking_uri))
    echo(
        f'The study {study} is called {new} now. Write name = "{new}" in its study file, if it has '
        "one, and run lmc-track ingest.",
        err=True,
    )
