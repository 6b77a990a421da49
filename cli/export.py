"""``lmc-track export``: a study's results as a folder of files."""

from __future__ import annotations

from pathlib import Path

import click

from .options import find_location, location_options, study_argument, study_name
from .terminal import TerminalProgress, echo


@click.command("export", short_help="A study's results as Parquet and CSV, to share and cite.")
@study_argument
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--no-predictions",
    is_flag=True,
    help="Leave out the predictions of single examples, which are most of the bytes.",
)
@click.option(
    "--overwrite",
    is_flag=True,
    help="Replace everything in DIR, even where it is not an earlier export.",
)
@location_options
def command(
    study: str,
    folder: Path,
    no_predictions: bool,
    overwrite: bool,
    home: str | None,
    tracking_uri: str | None,
) -> None:
    """Write everything that the results hold of a study to the folder DIR.

    Every table and view as Parquet, with a data dictionary; the barrier matrices as CSV; the
    study file, a citation and checksums. DIR appears when it is whole, and an earlier export
    in it is replaced. The same results give the same files.

    \b
    Examples:
      lmc-track export demo demo-results
      lmc-track export demo small --no-predictions
    """
    from lmc_track.steps.export import export_study

    location = find_location(home, tracking_uri)
    report = export_study(
        study_name(study, location),
        location.results_path,
        folder,
        TerminalProgress(),
        tracking_uri=location.tracking_uri,
        predictions=not no_predictions,
        overwrite=overwrite,
    )
    size = f"{report.n_bytes / 1e6:,.1f} MB"
    echo(f"{report.folder}: {report.n_files} files, {size}.", err=True)
