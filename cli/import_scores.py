"""``lmc-track import scores``: a table of scores."""

from __future__ import annotations

from pathlib import Path

import click

from .import_options import FILE, names_of, naming_options, say, study_options, tell_left_out
from .options import find_location, location_options
from .terminal import TerminalProgress


@click.command("scores", short_help="Record a table of scores.")
@click.argument("file", type=FILE)
@study_options
@click.option(
    "--preset",
    type=click.Choice(["feather"]),
    help="Options for a published table: the 100 BERTs of McCoy, Min and Linzen (2020).",
)
@naming_options
@click.option(
    "--models-in", metavar="COLUMN", help="The column of the models.  [default: the first]"
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="REGEX=DATASET[:SUBSET[:METRIC]]",
    help="What columns hold; {} is what the group of REGEX finds. Repeatable; other columns are "
    "left out and counted.  [default: every column, by its header of that form]",
)
@click.option(
    "--metric", default="accuracy", show_default=True, help="What is not told to be else."
)
@click.option("--percent", is_flag=True, help="Shares are told in hundredths.")
@location_options
def command(
    file: Path,
    study: str,
    task: str,
    base: str,
    primary: str,
    preset: str | None,
    match: str | None,
    name: str | None,
    models_in: str | None,
    columns: tuple[str, ...],
    metric: str,
    percent: bool,
    home: str | None,
    tracking_uri: str | None,
) -> None:
    """Record a table of scores: a model a row, an evaluation set or a part of it a column.

    FILE is separated by commas, tabs or semicolons and has a header. Validation accuracy is the
    set called validation.

    \b
    Examples:
      lmc-track import scores accuracies.csv --study feather --preset feather
      lmc-track import scores t.tsv --study mine --match 'Run (\\d+)' --name 'seed-{}' \\
          --column 'dev=validation' --column '(l[en]_.+)=hans:{}'
    """
    from lmc_track.importers.presets import SCORE_PRESETS
    from lmc_track.importers.scores import column_rule, read_scores
    from lmc_track.steps.import_scores import import_scores
    from lmc_track.steps.import_study import StudyWords

    if_new = None
    if preset is not None:
        told = SCORE_PRESETS[preset]
        match, name = match or told.match, name or told.name
        columns = columns or told.columns
        if_new = StudyWords(told.task, told.base, told.primary)
    table = read_scores(
        file,
        names_of(match, name),
        [column_rule(text) for text in columns],
        model_column=models_in,
        metric=metric,
        percent=percent,
    )
    tell_left_out("row", table.skipped_rows)
    tell_left_out("column", table.skipped_columns)
    if table.n_empty:
        cells = "1 cell is" if table.n_empty == 1 else f"{table.n_empty:,} cells are"
        say(f"{cells} empty: no score is recorded for them.")
    location = find_location(home, tracking_uri, new=True)
    words = StudyWords(task, base, primary)
    found = import_scores(study, table, location, TerminalProgress(), words, if_new)
    say(
        f"{found.n_values:,} scores of {found.n_models:,} models; "
        f"{found.n_changed:,} models have gained some. Next: lmc-track ingest"
    )
