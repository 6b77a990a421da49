"""Options that the kinds of import share, and what they tell of what was left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .terminal import echo

if TYPE_CHECKING:
    from lmc_track.importers.naming import ModelNames

Function = TypeVar("Function", bound=Callable[..., Any])
FILE = click.Path(path_type=Path)


def study_options(function: Function) -> Function:
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


def naming_options(function: Function) -> Function:
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


def names_of(match: str | None, name: str | None) -> ModelNames:
    from lmc_track.importers.naming import model_names

    return model_names(match, name)


def tell_left_out(noun: str, texts: Iterable[str]) -> None:
    listed = list(texts)
    if listed:
        shown = ", ".join(listed[:8]) + (", …" if len(listed) > 8 else "")
        count = f"1 {noun} is" if len(listed) == 1 else f"{len(listed):,} {noun}s are"
        say(f"{count} left out: {shown}.")


def say(text: str) -> None:
    echo(text, err=True)
