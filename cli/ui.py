"""``lmc-track ui``: the MLflow UI on the right store."""

from __future__ import annotations

import sys

import click

from .options import find_location, location_options


@click.command("ui")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=5000,
    show_default=True,
    help="Port on 127.0.0.1; 0 takes a free one.",
)
@location_options
def command(port: int, home: str | None, tracking_uri: str | None) -> None:
    """Open the MLflow UI on the study's store, on loopback only.

    Prints the command that does the same without lmc-track, and serves until interrupted.

    \b
    Example:
      lmc-track ui --port 5001
    """
    from lmc_track.steps.commands import ui_command
    from lmc_track.tracking.server import check_port, free_port, serve_ui

    location = find_location(home, tracking_uri)
    if port == 0:
        port = free_port()
    check_port(port)
    click.echo(ui_command(location, port))
    click.echo(f"Serving http://127.0.0.1:{port} until interrupted.", err=True)
    sys.stdout.flush()
    serve_ui(location, port)
