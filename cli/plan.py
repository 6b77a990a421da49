"""``lmc-track plan``: how many models a study needs to find a minority."""

from __future__ import annotations

import click

from .completion import complete_study
from .options import find_location, find_study, format_option, location_options, set_option
from .output import show
from .terminal import TerminalProgress, echo


def _numbers(texts: tuple[str, ...], name: str, kind: type[int] | type[float]) -> list[float]:
    values = [part.strip() for text in texts for part in text.split(",") if part.strip()]
    try:
        return [kind(value) for value in values]
    except ValueError:
        what = "whole numbers" if kind is int else "numbers"
        raise click.BadParameter(
            f"{', '.join(texts)!r} is not a list of {what}, such as "
            f"{'8,16,32' if kind is int else '.004,.018'}",
            param_hint=name,
        ) from None


@click.command("plan", short_help="How many models find a minority, and what they take.")
@click.argument("study", metavar="[STUDY]", required=False, shell_complete=complete_study)
@click.option(
    "--share",
    type=float,
    metavar="SHARE",
    help="Share of the models that are of the minority, at most .5. [default: .12]",
)
@click.option(
    "--within",
    multiple=True,
    metavar="GAP[,GAP]",
    help="Mean gap between models of one kind; two are those of the majority and of the minority. "
    "[default: the study's so far, or .0036,.0183 as published]",
)
@click.option(
    "--between",
    type=float,
    metavar="GAP",
    help="Mean gap between models of different kinds. "
    "[default: the study's so far, or .0702 as published]",
)
@click.option(
    "--models",
    multiple=True,
    metavar="N,N,…",
    help="Numbers of models to look at. [default: 8,16,24,32,48]",
)
@click.option(
    "--draws",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="Simulated studies for each number of models.",
)
@set_option
@format_option
@location_options
def command(
    study: str | None,
    share: float | None,
    within: tuple[str, ...],
    between: float | None,
    models: tuple[str, ...],
    draws: int,
    overrides: tuple[str, ...],
    output_format: str,
    home: str | None,
    tracking_uri: str | None,
) -> None:
    """Tell how many models find a minority that behaves in another way.

    For each number of models: the probability that two of the minority are there at all, and the
    power, the share of simulated studies in which the rule of cluster finds it, with its 95 %
    interval. With STUDY, a study file or the name of a recorded study, also the hours and the disk
    that so many models and a path between every two take on this machine; gaps are those that the
    study's clusters have so far, else the published ones of 100 MNLI models. Nothing is recorded.

    \b
    Examples:
      lmc-track plan
      lmc-track plan study.toml --share .2 --models 8,16,32
      lmc-track plan --within .09 --between .6 --models 12 --draws 50
    """
    from lmc_track.steps.power import (
        MODELS,
        check_models,
        costs_of,
        minority_of,
        need_sentence,
        planned_power,
    )

    numbers = [int(number) for number in _numbers(models, "--models", int)] or MODELS
    check_models(numbers)
    inside = _numbers(within, "--within", float)
    if overrides and study is None:
        raise click.UsageError("--set overrides a study file: name a STUDY")
    location, progress = find_location(home, tracking_uri, new=True), TerminalProgress()
    chosen = None if study is None else find_study(study, overrides, location)
    minority = minority_of(chosen, location, progress, share=share, within=inside, between=between)
    costs = None if chosen is None else costs_of(chosen, location, progress)
    show(planned_power(minority, numbers, draws, progress, costs), output_format)
    echo(need_sentence(minority, progress), err=True)
