"""``lmc-track import clusters``: known memberships."""

from __future__ import annotations

from pathlib import Path

import click

from .import_options import FILE, names_of, naming_options, say, study_options, tell_left_out
from .options import find_location, location_options
from .terminal import TerminalProgress


@click.command("clusters", short_help="Record known memberships of models.")
@click.argument("file", type=FILE)
@study_options
@click.option("--key", metavar="KEY", help="The part of a JSON object that holds the memberships.")
@naming_options
@location_options
def command(
    file: Path,
    study: str,
    task: str,
    base: str,
    primary: str,
    key: str | None,
    match: str | None,
    name: str | None,
    home: str | None,
    tracking_uri: str | None,
) -> None:
    """Record known memberships of models, as a clustering of the method `published`.

    FILE is a table with the columns model and cluster, or JSON: a cluster for each model, a list of
    models for each cluster, or the list of one cluster, beside which all other models of the study
    are the other.

    \b
    Example:
      lmc-track import clusters minority_seeds.json --study feather --key mnli \\
          --name 'feather_berts_{}'
    """
    from lmc_track.importers.memberships import read_memberships
    from lmc_track.steps.import_clusters import import_clusters
    from lmc_track.steps.import_study import StudyWords

    told = read_memberships(file, names_of(match, name), key)
    tell_left_out("name", told.skipped)
    location = find_location(home, tracking_uri, new=True)
    found = import_clusters(
        study, told, location, TerminalProgress(), StudyWords(task, base, primary)
    )
    parts = ", ".join(
        f"{label} ({size:,})" for label, size in zip(found.labels, found.sizes, strict=True)
    )
    new = "" if found.outcome.made else "; it was on record already"
    outside = f"; {found.n_outside:,} models are in none" if found.n_outside else ""
    say(f"Clusters from 0: {parts}{outside}{new}. Next: lmc-track ingest")
