"""Reading a study file: TOML, overrides, presets; every problem reported at once."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from lmc_track.errors import InputError
from lmc_track.nesting import is_deep
from lmc_track.spelling import hint, nearest
from lmc_track.study.alternatives import drop_defaults, leave_to
from lmc_track.study.folders import default_data_dir, start_from
from lmc_track.study.sections import RETIRED_CLUSTER_KEYS, Study
from lmc_track.study.task_sections import TASK_NAMES, TASKS

# No setting is nested so deep, and no study file so large, even with every pair of models in it.
_DEEPEST = 20
_MOST_BYTES = 8_000_000
_LONGEST_SHOWN = 200

# What a published procedure decides where the study file is silent.
_PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    "juneja2023": {
        "evaluate": {"max_examples": 512, "sample": "head"},
        "interpolate": {"points": 10},
        "cluster": {"methods": ["juneja2023", "verdict", "threshold"]},
    }
}
# And what it decides about single tasks.
_TASK_PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    "juneja2023": {"cola": {"validation": "joined"}, "mnli": {"hans": "juneja2023"}}
}
# Of keys and words there are few, so a far likeness is enough to say which is meant.
_LIKENESS = 0.5


def read_study(path: Path, overrides: Iterable[str] = ()) -> Study:
    """The study in the TOML file ``path``, with ``key=value`` overrides applied.

    Folders in the file are relative to it, those in overrides to the working directory.

    Raises:
        InputError: the file is missing or malformed, or anything in it is wrong; all problems
            of content are listed, each with its key and a remedy.
    """
    try:
        if (size := path.stat().st_size) > _MOST_BYTES:
            raise InputError(
                f"{path} has {size / 1e6:,.0f} MB, which no study file has",
                f"Make one with: lmc-track init {path.stem}-study.toml",
            )
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(
            f"there is no study file {path}",
            f"Make one with: lmc-track init {path}",
        ) from None
    except (OSError, ValueError) as error:  # a name or a text that cannot be one
        raise InputError(f"{path} cannot be read: {error}") from None
    return parse_study(text, overrides, source=str(path), folder=path.parent)


def parse_study(
    text: str,
    overrides: Iterable[str] = (),
    source: str = "the study",
    folder: Path | None = None,
) -> Study:
    """The study in the ``text`` of a study file in ``folder``.

    Raises:
        InputError: as ``read_study``.
    """
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{source} is not valid TOML: {error}", "Correct that line.") from None
    _refuse_retired(content, (), source)
    return build_study(content, overrides, source, folder)


def _refuse_retired(content: Mapping[str, Any], overrides: Iterable[str], source: str) -> None:
    """Raise where a file sets what is no setting any more; records of earlier versions may."""
    section = content.get("cluster")
    given = [key for key in RETIRED_CLUSTER_KEYS if isinstance(section, dict) and key in section]
    asked = {override.partition("=")[0].strip() for override in overrides}
    given += [key for key in RETIRED_CLUSTER_KEYS if f"cluster.{key}" in asked]
    if given:
        raise InputError(
            f"{source} sets cluster.{given[0]}, which is not a setting any more",
            "Remove it: whether there are clusters rests on one rule without settings "
            "(docs/clustering.md).",
        )


def build_study(
    content: Mapping[str, Any],
    overrides: Iterable[str] = (),
    source: str = "the study",
    folder: Path | None = None,
) -> Study:
    """A validated study from the ``content`` of a study file.

    Relative folders in ``content`` start from ``folder``, else from the working directory.

    Raises:
        InputError: as ``read_study``.
    """
    overrides = list(overrides)
    _refuse_retired({}, overrides, source)
    _check_depth(content, source)
    table = _copied(content)
    if folder is not None:
        start_from(folder, table)
    _override(table, overrides)
    _apply_preset(table)
    if folder is not None:
        default_data_dir(folder, table, os.environ)
    return _validated(table, source)


def restore_study(
    content: Mapping[str, Any], source: str = "the study", overrides: Iterable[str] = ()
) -> Study:
    """The study whose resolved ``content`` is on record, with overrides applied.

    A resolved study file sets every key, and may have been written by an earlier version: what
    only a new file may not say is accepted.

    Raises:
        InputError: as ``read_study``.
    """
    overrides = list(overrides)
    _refuse_retired({}, overrides, source)
    table = _copied(content)
    drop_defaults(table)
    finetune = table.get("finetune")
    for key in ("seeds", "head_seeds", "data_seeds"):
        if isinstance(finetune, dict) and isinstance(finetune.get(key), int):
            finetune[key] = [finetune[key]]
    _override(table, overrides)
    _apply_preset(table)
    return _validated(table, source)


def _copied(content: Mapping[str, Any]) -> dict[str, Any]:
    table: dict[str, Any] = json.loads(json.dumps(content, default=str))
    return table


def _override(table: dict[str, Any], overrides: Iterable[str]) -> None:
    given = [_apply(table, override) for override in overrides]
    leave_to(given, table)


def _validated(table: dict[str, Any], source: str) -> Study:
    try:
        return Study.model_validate(table)
    except ValidationError as error:
        problems = list(dict.fromkeys(_describe(problem, table) for problem in error.errors()))
    listed = "\n".join(f"  {problem}" for problem in problems)
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    raise InputError(f"{source} has {count}:\n{listed}")


def _check_depth(content: Any, source: str) -> None:
    """Raise where tables and lists are nested deeper than any setting is."""
    if is_deep(content, _DEEPEST):
        raise InputError(
            f"{source} has tables or lists nested more than {_DEEPEST} levels deep",
            "No setting is: correct the keys (lmc-track init FILE writes one with all of them).",
        )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _apply(table: dict[str, Any], override: str) -> str:
    """Put ``override`` into ``table``; returns its key."""
    key, equals, text = override.partition("=")
    parts = [part.strip() for part in key.split(".")]
    if len(parts) > _DEEPEST:
        raise InputError(
            f"--set {_short(override)}: the key has {len(parts):,} parts; no setting has more "
            f"than {_DEEPEST}",
            "For example: --set finetune.seeds=0-3",
        )
    if not equals or len(parts) < 2 or not all(parts):
        raise InputError(
            f"--set {_short(override)}: not of the form section.key=value",
            "For example: --set finetune.seeds=0-3",
        )
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        value = text
    _check_depth(value, f"--set {_short(override)}")
    inner = table
    for part in parts[:-1]:
        inner = inner.setdefault(part, {})
        if not isinstance(inner, dict):
            raise InputError(f"--set {_short(override)}: {_short(part)} is a value, not a section")
    inner[parts[-1]] = value
    return ".".join(parts)


def _apply_preset(table: dict[str, Any]) -> None:
    section = table.get("study")
    name = section.get("preset") if isinstance(section, dict) else None
    task = table.get("task")
    of_task = _TASK_PRESETS.get(str(name), {}).get(
        str(task.get("name")) if isinstance(task, dict) else "", {}
    )
    presets = _PRESETS.get(str(name), {}) | ({"task": of_task} if of_task else {})
    for part, defaults in presets.items():
        given = table.setdefault(part, {})
        if not isinstance(given, dict):
            continue
        for key, value in defaults.items():
            if key == "points" and "alphas" in given:
                continue
            given.setdefault(key, value)


def _describe(problem: Any, table: Mapping[str, Any]) -> str:
    where = [str(part) for part in problem["loc"]]
    if len(where) > 1 and where[0] == "task" and where[1] in TASKS:
        task, where = where[1], ["task", *where[2:]]
    else:
        task = ""
    key = ".".join(where)
    kind, given = problem["type"], problem.get("input")
    if kind == "extra_forbidden":
        return f"{key}: unknown key; {hint(where[-1], _known_keys(where[:-1], task), _LIKENESS)}"
    if kind in ("union_tag_invalid", "literal_error") and key in ("task", "task.name"):
        name = given.get("name") if isinstance(given, dict) else given
        near = nearest(str(name), TASK_NAMES)
        meant = "" if near is None else f"did you mean {near!r}? "
        return f"task.name: unknown task {name!r}; {meant}known are {', '.join(TASK_NAMES)}"
    if kind == "union_tag_not_found":
        return f"task.name: missing; one of {', '.join(TASK_NAMES)}"
    field = _field_of(where, task)
    # A value by itself or one of a list; of the forms of a union nothing is said singly.
    single = field is not None and (len(field[0]) == len(where) or where[-1].isdigit())
    if kind == "literal_error" and field is not None and single:
        allowed = re.findall(r"'([^']*)'", problem["ctx"]["expected"])
        return (
            f"{'.'.join(field[0])}: unknown value {given!r}; {hint(str(given), allowed, _LIKENESS)}"
        )
    if field is not None and len(field[0]) < len(where):
        # One of several forms, none of which fits: the key's line of help tells them all.
        where, help_line = field
        value: Any = table
        for part in where:
            value = value[part]
        return f"{'.'.join(where)}: {value!r} does not fit. {help_line}"
    if kind == "missing":
        return f"{key}: missing; {_remedy(where)}"
    message = problem["msg"].removeprefix("Value error, ")
    shown = repr(given)
    if kind != "value_error" and len(shown) <= 60:
        message = f"{message[0].lower()}{message[1:]}, not {shown}"
    return f"{key}: {message}" if key else message


def _remedy(where: list[str]) -> str:
    if where == ["study"]:
        return 'add a section [study] with a name, such as name = "my-study"'
    if where == ["task"]:
        return f"add a section [task] with a name: {' or '.join(TASK_NAMES)}"
    return "give it a value"


def _known_keys(section: list[str], task: str) -> list[str]:
    if not section:
        return list(Study.model_fields)
    found = TASKS[task] if section[0] == "task" else _section(section[0])
    for key in section[1:]:
        # A table of named tables is told by its values; its names are the user's.
        field = found.model_fields.get(key)
        found = found if field is None else _model_in(field.annotation) or found
    return list(found.model_fields)


def _field_of(where: list[str], task: str) -> tuple[list[str], str] | None:
    """The key of the study file that an error is about, without what pydantic adds to it, and its
    line of help; None where it is about a section."""
    found: type[BaseModel] | None = None
    for depth, key in enumerate(where):
        if depth == 0:
            found = TASKS.get(task) if key == "task" else _section(key)
        elif found is not None and (field := found.model_fields.get(key)) is not None:
            found = _model_in(field.annotation)
            if found is None:
                return where[: depth + 1], field.description or ""
    return None


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The section that a key's type is of, or is a table or an option of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(part) for part in get_args(annotation))
    return next((model for model in inner if model is not None), None)


def _section(name: str) -> type[BaseModel]:
    """The schema of a section other than ``[task]``."""
    annotation = Study.model_fields[name].annotation
    assert isinstance(annotation, type)
    assert issubclass(annotation, BaseModel)
    return annotation
