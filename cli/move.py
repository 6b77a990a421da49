"""``lmc-track move``: a home that was moved or copied, where it is now."""

from __future__ import annotations

import click

from .options import find_location, location_options
from .terminal import echo


@click.command("move")
@click.option(
    "--copy",
    is_flag=True,
    help="This home is a copy: from now on it has artifacts of its own, and the other keeps its.",
)
@click.option(
    "--move",
    is_flag=True,
    help="This home takes the place of the one that its store names, which is still there.",
)
@location_options
def command(copy: bool, move: bool, home: str | None, tracking_uri: str | None) -> None:
    """Take up a home that was moved, copied or unpacked.

    MLflow records where files are by absolute addresses. This rewrites those that name the place
    where the home was, all of them or none, and copies an SQLite database beside itself first. No
    file of a run is touched, here or there. Reading commands need none of it.

    Where the recorded place still has the files, say which it is: --copy or --move. Of a server
    there is nothing to rewrite.

    \b
    Examples:
      mv mlruns /data/lmc && lmc-track move --home /data/lmc
      cp -r mlruns copy && lmc-track move --copy --home copy
    """
    from lmc_track.tracking.rerooting import take_up

    if copy and move:
        raise click.UsageError("--copy and --move exclude each other")
    location = find_location(home, tracking_uri)
    done = take_up(location, copy=copy, move=move)
    if location.artifact_root is None:
        echo(
            f"{location.shown_uri} is a server, which says where artifacts are: nothing in it "
            "names this home.",
            err=True,
        )
        return
    if not done.roots:
        echo(f"{location.shown_uri} names no other place than it should.", err=True)
        return
    before = ", ".join(str(root.folder) for root in done.roots)
    echo(
        f"{location.shown_uri} names {location.own_artifacts} now, in {done.rows:,} rows; it was "
        f"{before}.",
        err=True,
    )
    if done.copy is not None:
        echo(f"As it was: {done.copy}", err=True)
    if done.lost:
        echo(
            f"{len(done.lost):,} runs have no artifacts here, such as {done.lost[0]}: copy them "
            "from where they were, or delete the runs in MLflow and run the study again.",
            err=True,
        )
