"""``lmc-track drop``: take models or diagnostics out of a study, on record and undone at will."""

from __future__ import annotations

import click

from .options import find_location, format_option, location_options, study_argument, study_name
from .output import show
from .terminal import TerminalProgress, echo


@click.command("drop", short_help="Leave models or diagnostics out of a study; --undo.")
@study_argument
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--why", default="", metavar="TEXT", help="The reason, kept on record.")
@click.option("--undo", is_flag=True, help="Count them again.")
@format_option
@location_options
def command(
    study: str,
    names: tuple[str, ...],
    why: str,
    undo: bool,
    output_format: str,
    home: str | None,
    tracking_uri: str | None,
) -> None:
    """Leave models or evaluation sets out of a study, by name.

    They stay on record, with all their paths, and are in no table, matrix, cluster, count, plan or
    status any more; --undo counts them again, and nothing is measured twice. Prints all that the
    study leaves out, with the reason: dropped, failed, or not in the study file. Without names it
    only prints.

    \b
    Examples:
      lmc-track drop demo seed-3 seed-4 --why diverged
      lmc-track drop demo seed-3 --undo
      lmc-track drop demo
    """
    import polars as pl

    from lmc_track.steps.drop import drop, left_out_of_study, undo_drop

    location = find_location(home, tracking_uri)
    chosen, progress = study_name(study, location), TerminalProgress()
    if not names and (undo or why):
        raise click.UsageError("name what is meant, such as: lmc-track drop demo seed-3")
    if undo and why:
        raise click.UsageError("--why goes with dropping, not with --undo")
    if not names:
        out = left_out_of_study(chosen, location)
    elif undo:
        out = undo_drop(chosen, names, location, progress)
    else:
        out = drop(chosen, names, location, progress, why)
    rows = [(one.kind, one.name, one.reason, one.why) for one in out]
    schema = dict.fromkeys(("kind", "name", "reason", "why"), pl.String)
    show(pl.DataFrame(rows, schema=schema, orient="row"), output_format, widest=None)
    if names:
        done = "Counted again" if undo else "Left out of everything, and still on record"
        echo(f"{done}: {', '.join(names)}.", err=True)
        echo(f"Bring clusters and report up to date: lmc-track run {chosen}", err=True)
