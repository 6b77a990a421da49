"""``lmc-track ui``: the MLflow UI on the right store."""

from __future__ import annotations

import sys

import click

from .completion import complete_study
from .options import find_location, location_options, study_name
from .terminal import echo


@click.command("ui")
@click.argument("study", required=False, metavar="[STUDY]", shell_complete=complete_study)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=5000,
    show_default=True,
    help="Port on 127.0.0.1; 0 takes a free one.",
)
@click.option("--open", "open_browser", is_flag=True, help="Open the page in a browser.")
@location_options
def command(
    study: str | None, port: int, open_browser: bool, home: str | None, tracking_uri: str | None
) -> None:
    """Serve the MLflow UI on the study's store, on loopback only.

    Prints the address of the runs of STUDY (a study file or the name of a recorded study), or of
    the list of all studies, and the command that does the same without lmc-track. Serves until
    interrupted.

    \b
    Examples:
      lmc-track ui demo
      lmc-track ui demo --port 5001 --open
    """
    from lmc_track.steps.commands import ui_command
    from lmc_track.tracking.pages import experiments_page, first_page
    from lmc_track.tracking.server import (
        check_port,
        check_servable,
        free_port,
        open_when_ready,
        serve_ui,
    )

    location = find_location(home, tracking_uri)
    check_servable(location)
    page = experiments_page()
    if study is not None:
        from lmc_track.steps.recording import find_recorded

        record = find_recorded(study_name(study, location), location, kinds=())
        page = first_page(record.recorder.store, record.experiment_id)
    if port == 0:
        port = free_port()
    check_port(port)
    address = f"http://127.0.0.1:{port}/{page}"
    echo(address)
    echo(f"Without lmc-track: {ui_command(location, port)}", err=True)
    echo("Serving until interrupted.", err=True)
    sys.stdout.flush()
    if open_browser:
        open_when_ready(address, port)
    serve_ui(location, port)
