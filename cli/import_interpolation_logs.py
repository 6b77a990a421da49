"""``lmc-track import interpolation-logs``: logs of paths."""

from __future__ import annotations

from pathlib import Path

import click

from .import_options import FILE, names_of, naming_options, say, study_options, tell_left_out
from .options import find_location, location_options
from .terminal import TerminalProgress


@click.command("interpolation-logs", short_help="Record logs of interpolate_1d.py as paths.")
@click.argument("folder", metavar="DIR", type=FILE)
@study_options
@naming_options
@click.option(
    "--dataset",
    metavar="NAME",
    help="What the logs' evaluation set is called here.  [default: validation of mnli, qqp and "
    "cola, else as the logs say]",
)
@click.option("--only", metavar="NAME", help="Take only pairs that the logs say are on this set.")
@click.option(
    "--skip-incomplete", is_flag=True, help="Leave out pairs whose log breaks off, and say which."
)
@location_options
def command(
    folder: Path,
    study: str,
    task: str,
    base: str,
    primary: str,
    match: str | None,
    name: str | None,
    dataset: str | None,
    only: str | None,
    skip_incomplete: bool,
    home: str | None,
    tracking_uri: str | None,
) -> None:
    """Record the text logs of interpolate_1d.py as paths and points.

    DIR holds the logs, in folders or not; a folder name …@15000steps says after which training step
    the models were. All pairs of a study must have the same points.

    \b
    Example:
      lmc-track import interpolation-logs logs/mnli_interpol@36813steps --study feather \\
          --name 'feather_berts_{}' --task mnli
    """
    from lmc_track.importers.interpolation_logs import read_interpolation_logs
    from lmc_track.steps.import_interpolations import import_interpolations
    from lmc_track.steps.import_study import StudyWords

    names = names_of(match, name)
    logs = read_interpolation_logs(folder, skip_incomplete=skip_incomplete, dataset=only)
    tell_left_out("file", logs.skipped_files)
    for problem in logs.broken:
        say(f"Left out: {problem.message}")
    location = find_location(home, tracking_uri, new=True)
    found = import_interpolations(
        study,
        logs,
        names,
        location,
        TerminalProgress(),
        dataset=dataset,
        words=StudyWords(task, base, primary),
    )
    if found.holes:
        shown = ", ".join(f"{a} with {b}" for a, b in found.holes[:5])
        more = ", …" if len(found.holes) > 5 else ""
        say(f"{len(found.holes):,} pairs of these models are in no log: {shown}{more}.")
    if found.n_repeated:
        say(f"{found.n_repeated:,} pairs are there more than once, with the same values.")
    say(
        f"{found.n_pairs:,} pairs of {found.n_models:,} models on {', '.join(found.datasets)}; "
        f"{found.n_new:,} paths have gained points. Next: lmc-track ingest"
    )
