"""``lmc-track import evaluation-logs``: logs of predictions."""

from __future__ import annotations

from pathlib import Path

import click

from .import_options import FILE, names_of, naming_options, say, study_options, tell_left_out
from .options import find_location, location_options
from .terminal import TerminalProgress


@click.command("evaluation-logs", short_help="Record evaluation logs as predictions.")
@click.argument("paths", metavar="DIR|FILE…", nargs=-1, required=True, type=FILE)
@study_options
@click.option(
    "--dataset", required=True, metavar="NAME", help="What the evaluation set is called here."
)
@naming_options
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
def command(
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

    logs = read_evaluation_logs(paths, names_of(match, name))
    tell_left_out("file", logs.skipped)
    table = None
    if subsets is not None:
        table = read_subsets(subsets, text_columns.split(","), subset_columns.split(","))
    location = find_location(home, tracking_uri, new=True)
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
        say(f"{found.n_outside:,} examples are not in {subsets}: they are in no subset.")
    if found.projected:
        say("The logs' probabilities are used: their logits are of other labels.")
    say(
        f"{found.n_examples:,} examples of {dataset}, predictions of {found.n_models:,} models, "
        f"{found.n_new:,} of them new. Next: lmc-track ingest"
    )
