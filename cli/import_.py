"""``lmc-track import``: results that were made elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .options import find_location, location_options
from .terminal import TerminalProgress

if TYPE_CHECKING:
    from lmc_track.importers.naming import ModelNames

Function = TypeVar("Function", bound=Callable[..., Any])
FILE = click.Path(path_type=Path)


@click.group("import")
def command() -> None:
    """Record results that were made elsewhere, so that queries and the report work on them.

    What was taken over is kept in MLflow like everything else; importing it again changes nothing.
    A study that does not exist is made. Then: lmc-track ingest.

    \b
    Example:
      lmc-track import scores accuracies.csv --study feather --preset feather
    """


def _study_options(function: Function) -> Function:
    function = click.option(
        "--primary",
        default="",
        metavar="DATASET:SUBSET:METRIC",
        help="What clusters are compared on.",
    )(function)
    function = click.option(
        "--base", default="", metavar="TEXT", help="The models' base model, where the study is new."
    )(function)
    function = click.option(
        "--task",
        default="",
        metavar="TEXT",
        help="What the models were finetuned for, where the study is new.",
    )(function)
    return click.option(
        "--study", required=True, metavar="NAME", help="The study that they are recorded in."
    )(function)


def _naming_options(function: Function) -> Function:
    function = click.option(
        "--name",
        metavar="TEMPLATE",
        help="What a model is called: {} is what the group of --match finds.  [default: {}]",
    )(function)
    return click.option(
        "--match",
        metavar="REGEX",
        help="Which texts are models; others are left out and counted.  [default: all]",
    )(function)


@command.command("scores")
@click.argument("file", type=FILE)
@_study_options
@click.option(
    "--preset",
    type=click.Choice(["feather"]),
    help="Options for a published table: the 100 BERTs of McCoy, Min and Linzen (2020).",
)
@_naming_options
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
def scores(
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

    if preset is not None:
        told = SCORE_PRESETS[preset]
        match, name = match or told.match, name or told.name
        columns = columns or told.columns
        task, base = task or told.task, base or told.base
        primary = primary or told.primary
    table = read_scores(
        file,
        _names(match, name),
        [column_rule(text) for text in columns],
        model_column=models_in,
        metric=metric,
        percent=percent,
    )
    _left_out("row", table.skipped_rows)
    _left_out("column", table.skipped_columns)
    if table.n_empty:
        cells = "1 cell is" if table.n_empty == 1 else f"{table.n_empty:,} cells are"
        _say(f"{cells} empty: no score is recorded for them.")
    location = find_location(home, tracking_uri)
    words = StudyWords(task, base, primary)
    found = import_scores(study, table, location, TerminalProgress(), words)
    _say(
        f"{found.n_values:,} scores of {found.n_models:,} models; "
        f"{found.n_changed:,} models have gained some. Next: lmc-track ingest"
    )


@command.command("interpolation-logs")
@click.argument("folder", metavar="DIR", type=FILE)
@_study_options
@_naming_options
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
def interpolation_logs(
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

    names = _names(match, name)
    logs = read_interpolation_logs(folder, skip_incomplete=skip_incomplete, dataset=only)
    _left_out("file", logs.skipped_files)
    for problem in logs.broken:
        _say(f"Left out: {problem.message}")
    location = find_location(home, tracking_uri)
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
        _say(f"{len(found.holes):,} pairs of these models are in no log: {shown}{more}.")
    if found.n_repeated:
        _say(f"{found.n_repeated:,} pairs are there more than once, with the same values.")
    _say(
        f"{found.n_pairs:,} pairs of {found.n_models:,} models on {', '.join(found.datasets)}; "
        f"{found.n_new:,} paths have gained points. Next: lmc-track ingest"
    )


@command.command("evaluation-logs")
@click.argument("paths", metavar="DIR|FILE…", nargs=-1, required=True, type=FILE)
@_study_options
@click.option(
    "--dataset", required=True, metavar="NAME", help="What the evaluation set is called here."
)
@_naming_options
@click.option(
    "--subsets",
    type=FILE,
    metavar="FILE",
    help="A table of the evaluation set that tells the subsets of its examples.",
)
@click.option(
    "--text-columns",
    default="sentence1,sentence2",
    show_default=True,
    metavar="NAMES",
    help="Its columns of text, in the order of the model's input.",
)
@click.option(
    "--subset-columns",
    default="heuristic,heuristic+gold_label,subcase",
    show_default=True,
    metavar="NAMES",
    help="Its columns whose values are subsets; a+b joins the values of two.",
)
@location_options
def evaluation_logs(
    paths: tuple[Path, ...],
    study: str,
    task: str,
    base: str,
    primary: str,
    dataset: str,
    match: str | None,
    name: str | None,
    subsets: Path | None,
    text_columns: str,
    subset_columns: str,
    home: str | None,
    tracking_uri: str | None,
) -> None:
    """Record evaluation logs, a JSON file a model, as predictions.

    The examples are recorded as a data set with halves, so everything that is computed from
    predictions works. A model is called by the name of its file. The defaults of --text-columns and
    --subset-columns are those of HANS.

    \b
    Example:
      lmc-track import evaluation-logs logs --study feather --dataset hans \\
          --match 'hans_eval_bert_(\\d+)' --name 'feather_berts_{}' \\
          --subsets heuristics_evaluation_set.txt
    """
    from lmc_track.importers.evaluation_logs import read_evaluation_logs
    from lmc_track.importers.subset_tables import read_subsets
    from lmc_track.steps.import_evaluations import import_evaluations
    from lmc_track.steps.import_study import StudyWords

    logs = read_evaluation_logs(paths, _names(match, name))
    _left_out("file", logs.skipped)
    table = None
    if subsets is not None:
        table = read_subsets(subsets, text_columns.split(","), subset_columns.split(","))
    location = find_location(home, tracking_uri)
    found = import_evaluations(
        study,
        logs,
        dataset,
        location,
        TerminalProgress(),
        subsets=table,
        words=StudyWords(task, base, primary),
    )
    if found.n_outside:
        _say(f"{found.n_outside:,} examples are not in {subsets}: they are in no subset.")
    if found.projected:
        _say("The logs' probabilities are used: their logits are of other labels.")
    _say(
        f"{found.n_examples:,} examples of {dataset}, predictions of {found.n_models:,} models, "
        f"{found.n_new:,} of them new. Next: lmc-track ingest"
    )


@command.command("clusters")
@click.argument("file", type=FILE)
@_study_options
@click.option("--key", metavar="KEY", help="The part of a JSON object that holds the memberships.")
@_naming_options
@location_options
def clusters(
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

    told = read_memberships(file, _names(match, name), key)
    _left_out("name", told.skipped)
    location = find_location(home, tracking_uri)
    found = import_clusters(
        study, told, location, TerminalProgress(), StudyWords(task, base, primary)
    )
    parts = ", ".join(
        f"{label} ({size:,})" for label, size in zip(found.labels, found.sizes, strict=True)
    )
    new = "" if found.outcome.made else "; it was on record already"
    outside = f"; {found.n_outside:,} models are in none" if found.n_outside else ""
    _say(f"Clusters from 0: {parts}{outside}{new}. Next: lmc-track ingest")


def _names(match: str | None, name: str | None) -> ModelNames:
    from lmc_track.importers.naming import model_names

    return model_names(match, name)


def _left_out(noun: str, texts: Iterable[str]) -> None:
    listed = list(texts)
    if listed:
        shown = ", ".join(listed[:8]) + (", …" if len(listed) > 8 else "")
        count = f"1 {noun} is" if len(listed) == 1 else f"{len(listed):,} {noun}s are"
        _say(f"{count} left out: {shown}.")


def _say(text: str) -> None:
    click.echo(text, err=True)
