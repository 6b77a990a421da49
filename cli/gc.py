"""``lmc-track gc``: remove what nothing needs any more."""

from __future__ import annotations

import sys
from typing import Any

import click

from lmc_track.errors import WorkError

from .options import find_location, format_option, location_options
from .output import show
from .sizes import readable, with_readable_sizes
from .terminal import TerminalProgress, echo


def _seconds(_: click.Context, __: click.Parameter, text: str | None) -> float:
    from lmc_track.steps.gc import seconds_ago

    try:
        return 0.0 if text is None else seconds_ago(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no age: write 30d, 12h or 1d2h3m4s.") from None


@click.command("gc")
@click.option("--dry-run", is_flag=True, help="Tell what would go, and remove nothing.")
@click.option("--yes", is_flag=True, help="Remove without asking.")
@click.option(
    "--older-than",
    metavar="AGE",
    callback=_seconds,
    help="Leave alone what was deleted, written or used since, such as 30d or 1d12h.",
)
@format_option
@location_options
def command(
    dry_run: bool,
    yes: bool,
    older_than: float,
    output_format: str,
    home: str | None,
    tracking_uri: str | None,
) -> None:
    """Remove what nothing needs any more, for good.

    That is: runs that were deleted in MLflow, with their artifacts and LoggedModels; studies
    deleted there; orphans, such as points whose path is gone; artifacts of no run and unfinished
    files, which a crash leaves; caches that no study on record refers to. What can still count is
    never among it: run and ingest give the same tables before and after.

    Shows what would go, and asks: what went cannot be restored. Studies that are being worked on
    are passed over. Only what lies in the home is removed, and no link is followed out of it.
    Deleted runs of a server stay, where only mlflow gc removes them.

    \b
    Examples:
      lmc-track gc --dry-run
      lmc-track gc --older-than 30d --yes
    """
    from lmc_track.steps.gc import collect, what_can_go

    location = find_location(home, tracking_uri)
    can_go = what_can_go(location, older_than)
    if can_go.found or output_format != "table":
        show(_summary(can_go.found, output_format), output_format)
    else:
        echo("There is nothing to remove.", err=True)
    for note in can_go.notes:
        echo(note, err=True)
    if dry_run or not can_go.found:
        return
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("nobody is here to ask: give --yes, or --dry-run to only look")
        if not click.confirm("Remove all of this for good?", err=True):
            echo("Nothing was removed.", err=True)
            return
    removed = collect(location, can_go.found, older_than, TerminalProgress())
    for failure in removed.failures:
        echo(f"Not removed: {failure}", err=True)
    echo(
        f"Removed {len(removed.gone):,} things; {readable(removed.usage.bytes)} in "
        f"{removed.usage.files:,} files are free.",
        err=True,
    )
    if removed.failures:
        raise WorkError(f"{len(removed.failures):,} things could not be removed")


def _summary(found: list[Any], output_format: str) -> Any:
    """One row for each kind and study: how many go, and how large they are."""
    import polars as pl

    rows = pl.DataFrame(
        [(str(o.kind), o.study or None, 1, o.usage.files, o.usage.bytes) for o in found],
        schema={
            "what": pl.String,
            "study": pl.String,
            "number": pl.Int64,
            "files": pl.Int64,
            "bytes": pl.Int64,
        },
        orient="row",
    )
    summed = rows.group_by("what", "study", maintain_order=True).sum()
    return with_readable_sizes(summed, output_format)
