"""Memberships that somebody published: which models were said to be in one cluster.

Knows the forms such files have. It does not know which models a study has.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lmc_track.errors import InputError
from lmc_track.importers.naming import ModelNames, NamedModel, check_distinct
from lmc_track.importers.text_files import read_json, read_table

_FORMS = (
    "Known forms: a table with the columns model and cluster; JSON of a cluster for each model, of "
    "a list of models for each cluster, or of one list of models, beside which all others are the "
    "other cluster."
)


@dataclass(frozen=True)
class Memberships:
    """``members``: every model with the label of its cluster, in the file's order.

    ``rest``: models that are not named are one cluster more. ``skipped``: texts that are no models.
    """

    file: Path
    members: tuple[tuple[NamedModel, str], ...]
    rest: bool
    skipped: tuple[str, ...]


def read_memberships(file: Path, names: ModelNames, key: str | None = None) -> Memberships:
    """The memberships in ``file``; ``key`` is the part of a JSON object that holds them.

    Raises:
        InputError: the file cannot be read, has another form, or puts a model in two clusters.
    """
    if file.suffix.lower() == ".json":
        pairs, rest = _from_json(file, key)
    elif key is not None:
        raise InputError(f"--key {key!r}: {file} is no JSON file", "Leave --key out.")
    else:
        pairs, rest = _from_table(file), False
    members: list[tuple[NamedModel, str]] = []
    skipped: list[str] = []
    seen: dict[str, NamedModel] = {}
    for cluster, text, where in pairs:
        name = names.name(text)
        if name is None:
            skipped.append(text)
            continue
        model = NamedModel(name, text, where)
        if name in seen and seen[name].original == text:
            raise InputError(
                f"{where}: the model {text!r} is there twice (first: {seen[name].where})",
                "Name every model once.",
            )
        check_distinct([*([seen[name]] if name in seen else []), model])
        seen[name] = model
        members.append((model, cluster))
    if not seen:
        raise InputError(
            f"{file}: no text in it is a model by {names.match.pattern!r}",
            "Say which are with --match.",
        )
    return Memberships(file, tuple(members), rest, tuple(skipped))


_Pairs = list[tuple[str, str, str]]  # cluster, model, where


def _from_table(file: Path) -> _Pairs:
    table = read_table(file)
    model, cluster = table.column("model"), table.column("cluster")
    pairs = []
    for line, cells in table.rows:
        where = f"{file}, line {line}"
        if not cells[model] or not cells[cluster]:
            raise InputError(
                f"{where}: model or cluster is empty", "Fill in both, or drop the row."
            )
        pairs.append((cells[cluster], cells[model], where))
    return pairs


def _from_json(file: Path, key: str | None) -> tuple[_Pairs, bool]:
    content = read_json(file)
    where = str(file)
    if key is not None:
        if not isinstance(content, dict) or key not in content:
            keys = ", ".join(map(repr, content)) if isinstance(content, dict) else "no object"
            raise InputError(f"{file} has no key {key!r}", f"It has: {keys}.")
        content, where = content[key], f"{file}, {key}"
    if isinstance(content, list):
        return [("named", text, where) for text in _texts(content, where)], True
    if isinstance(content, dict) and content:
        if all(isinstance(value, list) for value in content.values()):
            return [
                (str(cluster), text, f"{where}, {cluster}")
                for cluster, models in content.items()
                for text in _texts(models, f"{where}, {cluster}")
            ], False
        if all(_is_plain(value) for value in content.values()):
            return [(str(c), model, f"{where}, {model}") for model, c in content.items()], False
    raise InputError(
        f"{where}: this is no list of memberships",
        f"{_FORMS} --key names the part of an object that holds them.",
    )


def _texts(values: Iterable[Any], where: str) -> list[str]:
    listed = list(values)
    for value in listed:
        if not _is_plain(value):
            raise InputError(f"{where}: {value!r} is no model", _FORMS)
    return [str(value) for value in listed]


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)
