"""``lmc-track register``: finetuned checkpoints that exist already as models of a study."""

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
from .terminal import TerminalProgress, echo


@click.command("register", short_help="Make finetuned checkpoints that exist models of a study.")
@study_argument
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option("--revision", help="Revision of hub models that name none with @.")
@click.option(
    "--name",
    metavar="PATTERN",
    help="Names of the models; {} stands for the number of each source, {parent} for the folder it "
    "lies in, {name} for its own, {step} for its training step. [default: the last part of the "
    "source; of runs/RUN/checkpoint-N, RUN-N]",
)
@click.option(
    "--labels",
    metavar="A,B,...",
    help="The study's labels in the order of the models' outputs. [default: as their "
    "configurations say]",
)
@click.option("--copy", is_flag=True, help="Keep copies of the models among the artifacts.")
@click.option(
    "--skip-bad",
    is_flag=True,
    help="Leave out sources that do not fit the study, naming each, and register the others.",
)
@set_option
@format_option
@location_options
def command(
    study: str,
    sources: tuple[str, ...],
    revision: str | None,
    name: str | None,
    labels: str | None,
    copy: bool,
    skip_bad: bool,
    overrides: tuple[str, ...],
    output_format: str,
    home: str | None,
    tracking_uri: str | None,
) -> None:
    """Make finetuned checkpoints that exist already models of a study.

    A SOURCE is a folder that save_pretrained() wrote, a model on the hub (owner/model or
    owner/model@revision), a range of either ('run-{0..9}'), a pattern ('runs/*/checkpoint-*'), or a
    folder of a Trainer's runs, which is all checkpoints in them. Only safetensors are read, and
    no code that comes with a model is run. Each is checked against the study and scored on
    validation before anything is recorded, and all that is wrong is told at once. Nothing is
    copied without --copy: the models stay where they are, and one that changes later is noticed.

    \b
    Examples:
      lmc-track register study.toml checkpoints/run-3
      lmc-track register study.toml 'checkpoints/run-{0..9}' --name 'run-{}'
      lmc-track register study.toml runs/*/checkpoint-* --name '{parent}-{step}'
      lmc-track register study.toml 'owner/bert-qqp-{0..99}@main' \\
          --labels not_duplicate,duplicate
    """
    import polars as pl

    from lmc_track.steps.register import Options, register_models

    location = find_location(home, tracking_uri, new=True)
    given = None if labels is None else tuple(label.strip() for label in labels.split(","))
    found = register_models(
        find_study(study, overrides, location),
        sources,
        location,
        TerminalProgress(),
        Options(revision, name, given, copy, skip_bad),
    )
    rows = [
        {
            "model": one.name,
            "new": one.is_new,
            "balanced_accuracy": one.balanced_accuracy,
            "label_order": ",".join(one.label_order or ()),
            "weights_digest": one.weights_digest[:16],
            "origin": one.origin,
        }
        for one in found
    ]
    show(pl.DataFrame(rows, schema_overrides={"balanced_accuracy": pl.Float64}), output_format)
    new = sum(one.is_new for one in found)
    known = len(found) - new
    told = f"{new} model{'' if new == 1 else 's'} registered"
    echo(f"{told}, {known} on record already." if known else f"{told}.", err=True)
