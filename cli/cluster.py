"""``lmc-track cluster``: clusters of linearly connected models."""

from __future__ import annotations

import click

from .options import (
    find_location,
    find_study,
    format_option,
    location_options,
    set_option,
    study_argument,
)
from .output import show
from .terminal import TerminalProgress


@click.command("cluster")
@study_argument
@set_option
@format_option
@location_options
def command(
    study: str,
    overrides: tuple[str, ...],
    output_format: str,
    home: str | None,
    tracking_uri: str | None,
) -> None:
    """Divide the models into clusters by the gaps of their paths.

    Every clustering is a run of its own; one with the same gaps and settings is not repeated.

    \b
    Examples:
      lmc-track cluster demo
      lmc-track cluster demo --set cluster.tau=0.2 --set 'cluster.methods=["threshold"]'
    """
    import polars as pl

    from lmc_track.steps.run import cluster_step

    location = find_location(home, tracking_uri)
    outcomes = cluster_step(find_study(study, overrides, location), location, TerminalProgress())
    rows = [
        {
            "method": outcome.method,
            "n_clusters": outcome.n_clusters,
            "new": outcome.made,
            "decision": outcome.decision,
        }
        for outcome in outcomes
    ]
    schema = {
        "method": pl.String, "n_clusters": pl.Int64, "new": pl.Boolean, "decision": pl.String
    }  # fmt: skip
    show(pl.DataFrame(rows, schema=schema), output_format, widest=None)
