"""``lmc-track import``: results that were made elsewhere."""

from __future__ import annotations

import click

from . import import_clusters, import_evaluation_logs, import_interpolation_logs, import_scores
from .everywhere import OpenGroup


@click.group("import", cls=OpenGroup, short_help="Record results that were made elsewhere.")
def command() -> None:
    """Record results that were made elsewhere, so that queries and the report work on them.

    What was taken over is kept in MLflow like everything else; importing it again changes nothing.
    A study that does not exist is made. Then: lmc-track ingest.

    \b
    Example:
      lmc-track import scores accuracies.csv --study feather --preset feather
    """


for kind in (import_scores, import_clusters, import_interpolation_logs, import_evaluation_logs):
    command.add_command(kind.command)
