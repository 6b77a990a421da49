"""``lmc-track report``: the page that a study ends in, and the figures of a paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import find_location, location_options, study_argument, study_name
from .terminal import TerminalProgress, echo

if TYPE_CHECKING:
    from lmc_track.steps.report import WrittenReport


@click.command("report", short_help="The report as one HTML page or Markdown; figures for a paper.")
@study_argument
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the report goes.  [default: reports/STUDY.html or .md in the home]",
)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["html", "markdown"]),
    default="html",
    show_default=True,
    help="One self-contained page, or GitHub-flavoured Markdown with its pictures in a folder "
    "beside it.",
)
@click.option(
    "--figures",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Also write the figures of a paper to DIR, each as PDF, SVG and PNG, with their captions "
    "in figures.json. Other files in DIR stay as they are.",
)
@click.option("--open", "show", is_flag=True, help="Open the page in a browser.")
@location_options
def command(
    study: str,
    out: Path | None,
    output_format: str,
    figures: Path | None,
    show: bool,
    home: str | None,
    tracking_uri: str | None,
) -> None:
    """Write the report of a study as one self-contained HTML page, or as Markdown.

    Prints the path of the report. It is made from the ingested results; the page is kept in MLflow
    too. What a study has no data for is left out.

    \b
    Examples:
      lmc-track report demo --out demo.html --open
      lmc-track report demo --format markdown
      lmc-track report demo --figures paper/figures
    """
    if show and output_format != "html":
        raise click.UsageError("--open shows the HTML page: leave out --format markdown.")
    from lmc_track.steps.report import Wanted
    from lmc_track.steps.run import report_step

    location = find_location(home, tracking_uri)
    wanted = Wanted(out, markdown=output_format == "markdown", figures=figures)
    written = report_step(study_name(study, location), location, TerminalProgress(), wanted)
    echo(str(written.path))
    if figures is not None:
        _tell(written, figures)
    if show:
        from .browser import open_page

        echo(open_page(written.path), err=True)


def _tell(written: WrittenReport, folder: Path) -> None:
    """Which figures were written, and which not."""
    echo(
        f"Figures in {folder}, each as PDF, SVG and PNG: {', '.join(written.figures)}. "
        "Captions are in figures.json.",
        err=True,
    )
    if written.left_out:
        echo(f"Left out, for want of data: {', '.join(written.left_out)}.", err=True)
