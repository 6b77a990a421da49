"""Folders that a study file names: relative ones start from the folder that the file is in.

So a study gives the same models wherever the program is run. What is typed on the command line
(``--set``) starts from the working directory, as every other path there does. The files of a task's
sets are names below ``task.data_dir`` wherever they are given.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lmc_track.errors import InputError

# Keys of a set that may be a hub id or a folder.
_HUB = "hub"


def start_from(folder: Path, content: dict[str, Any]) -> None:
    """Make absolute, from ``folder``, the folders that ``content`` of a study file names.

    What may be the id of something on the hub is taken for a folder where there is one of that
    name, or where it begins with a dot.

    Raises:
        InputError: a folder of that name is not beside the file, but in the working directory.
    """
    for section, key, name in _folders(content):
        section[key] = _from(folder, section[key], name, always=key == "data_dir")


def default_data_dir(folder: Path, content: Mapping[str, Any], environ: Mapping[str, str]) -> None:
    """Let the files of a task of the user's own lie in ``folder``, unless anything else is said."""
    task = content.get("task")
    if not isinstance(task, dict) or task.get("name") != "tabular":
        return
    if not task.get("data_dir") and not environ.get("LMC_DATA_DIR"):
        task["data_dir"] = str(folder.resolve())


def _folders(content: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str, str]]:
    """The sections and keys that may name a folder, and what messages call each."""
    model, task = content.get("model"), content.get("task")
    if isinstance(model, dict) and "base" in model:
        yield model, "base", "model.base"
    if not isinstance(task, dict):
        return
    for key in ("data_dir", _HUB, "hans_hub", "paws_hub"):
        if key in task:
            yield task, key, f"task.{key}"
    sets = {name: task.get(name) for name in ("train", "validation")}
    if isinstance(diagnostics := task.get("diagnostics"), dict):
        sets |= {f"diagnostics.{name}": section for name, section in diagnostics.items()}
    for name, section in sets.items():
        if isinstance(section, dict) and _HUB in section:
            yield section, _HUB, f"task.{name}.{_HUB}"


def _from(folder: Path, value: Any, name: str, *, always: bool) -> Any:
    if not isinstance(value, str) or not value or value.startswith("~") or "\0" in value:
        return value
    if Path(value).is_absolute():
        return value
    beside = (folder / value).resolve()
    if _is_folder(beside):
        return str(beside)
    if _is_folder(Path(value)):
        there = os.path.relpath(value, folder)
        raise InputError(
            f"{name}: there is no folder {beside}; paths in a study file are relative to the file, "
            f"and {value} is in the working directory",
            f"Write {there!r} into the study file, or give it on the command line: "
            f"--set {name}={value}",
        )
    return str(beside) if always or value.startswith(".") else value


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # such as a text too long for a name
        return False
