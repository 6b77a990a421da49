"""``lmc-track init``: a commented study file."""

from __future__ import annotations

from pathlib import Path

import click

from .terminal import echo


@click.command("init")
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--task",
    type=click.Choice(["agreement", "cola", "mnli", "qqp", "tabular"]),
    default="cola",
    show_default=True,
    help="What the models are finetuned on.",
)
@click.option("--base", metavar="MODEL", help="The pretrained encoder: hub id or folder.")
@click.option("--name", help="The study's name.  [default: the file's name]")
@click.option("--force", is_flag=True, help="Replace an existing file.")
def command(path: Path, task: str, base: str | None, name: str | None, force: bool) -> None:
    """Write a study file with every key explained.

    \b
    Examples:
      lmc-track init study.toml --base google-bert/bert-base-uncased
      lmc-track init my-agreement.toml --task agreement
      lmc-track init mine.toml --task tabular
    """
    from lmc_track.errors import InputError
    from lmc_track.names import is_name, safe_name
    from lmc_track.study.template import study_template

    if path.exists() and not force:
        raise InputError(f"{path} exists already", "Choose another name, or replace it: --force")
    if name is not None and not is_name(name):
        raise InputError(f"{name!r} is no name for a study", "Use letters, digits and _ . -")
    # Only the agreement task makes a base model where none is named.
    if base is None and task != "agreement":
        base = "google-bert/bert-base-uncased"
    values = {} if base is None else {"model": {"base": base}}
    text = study_template(name or safe_name(path.stem), task, values)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from None
    echo(f"Wrote {path}. Next: lmc-track run {path}", err=True)
