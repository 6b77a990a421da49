"""``lmc-track doctor``: whether all that the program needs is there and fits."""

from __future__ import annotations

import os
import sys

import click

from .completion import complete_study
from .options import find_location, format_option, location_options
from .output import show
from .terminal import passing


@click.command("doctor")
@click.argument("study", metavar="[STUDY]", required=False, shell_complete=complete_study)
@click.option(
    "--files",
    is_flag=True,
    help="Read every artifact on record and compare it with the digest that it was written with.",
)
@format_option
@location_options
@click.pass_context
def command(
    ctx: click.Context,
    study: str | None,
    files: bool,
    output_format: str,
    home: str | None,
    tracking_uri: str | None,
) -> None:
    """Check whether all that is needed is there and fits.

    That is: versions, disks, permissions, credentials, locks, results, store, data, the label
    orders of models, and the device. Each line says ok, warn or fail, what was seen, and what to
    do about it. Nothing is downloaded, and no password is shown. STUDY, a study
    file or the name of a recorded study, has its data read whole; without, those of all recorded
    studies are, but for training sets. With --files every artifact of the record is read, and one
    that is damaged is named, with how it comes back.

    Ends with exit code 1 where a check fails, else 0.

    \b
    Examples:
      lmc-track doctor
      lmc-track doctor study.toml --format json
      lmc-track doctor --files
    """
    import polars as pl

    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"):
        os.environ[name] = "1"
    from lmc_track.steps.doctor import examine
    from lmc_track.steps.findings import Verdict

    findings = []
    for finding in examine(find_location(home, tracking_uri, new=True), study, files=files):
        if sys.stderr.isatty():
            passing(f"{finding.check} …")
        findings.append(finding)
    if sys.stderr.isatty():
        passing("")
    rows = pl.DataFrame(
        [(one.check, str(one.verdict), one.found, one.remedy or None) for one in findings],
        schema=dict.fromkeys(("check", "verdict", "found", "remedy"), pl.String),
        orient="row",
    )
    show(rows, output_format, widest=None)
    if any(one.verdict is Verdict.FAIL for one in findings):
        ctx.exit(1)
