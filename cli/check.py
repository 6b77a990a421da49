"""``lmc-track check``: the data of a study, before anything is trained on them."""

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


@click.command("check", short_help="Count what is in a study's data, before training.")
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
    """Count what is in a study's data, before anything is trained on them.

    Of the training data and every evaluation set: examples, labels, empty texts, duplicates, texts
    with several labels, texts that are longer than the model reads, rows left out and why, and
    examples whose texts are among the training data or the validation set. The column concern says
    what results may suffer from; run prints these lines when it begins. Nothing is recorded, and of
    the base model only the tokenizer is read.

    \b
    Examples:
      lmc-track check study.toml
      lmc-track check study.toml --set task.data_dir=data --format json
    """
    from lmc_track.steps.data_summary import data_summary

    location = find_location(home, tracking_uri, new=True)
    chosen = find_study(study, overrides, location)
    show(data_summary(chosen, location, TerminalProgress()), output_format)
