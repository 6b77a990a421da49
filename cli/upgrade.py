"""``lmc-track upgrade``: MLflow's tables, as the installed MLflow has them."""

from __future__ import annotations

import click

from .options import find_location, location_options
from .terminal import echo


@click.command("upgrade")
@location_options
def command(home: str | None, tracking_uri: str | None) -> None:
    """Upgrade the tables of a store that an older MLflow wrote.

    No other command does that. An SQLite file is copied beside itself first; make a backup of
    another database before. Programs with the older MLflow cannot open the store afterwards.

    \b
    Examples:
      lmc-track upgrade
      lmc-track upgrade --tracking-uri postgresql://localhost/lmc
    """
    from lmc_track.tracking.schema_revision import upgrade_tables

    location = find_location(home, tracking_uri)
    done = upgrade_tables(location)
    if not done.done:
        echo(f"{location.shown_uri} has the revision {done.after} already.", err=True)
        return
    echo(f"{location.shown_uri} has the revision {done.after} now; it was {done.before}.", err=True)
    if done.copy is not None:
        echo(f"As it was: {done.copy}", err=True)
