"""Keys that stand for each other: who gives one leaves the others out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lmc_track.study.task_sections import AgreementTask

# What has a default, and what replaces it.
_REPLACED = (
    ("finetune", ("epochs",), ("max_steps",)),
    ("finetune", ("seeds",), ("head_seeds", "data_seeds")),
    ("interpolate", ("points",), ("alphas",)),
)


def leave_to(given: Iterable[str], table: dict[str, Any]) -> None:
    """Drop from ``table`` what keys ``given`` on the command line, such as finetune.max_steps,
    stand for; where both sides are given there, both stay and are refused."""
    keys = set(given)
    for section, *sides in _REPLACED:
        inner = table.get(section)
        if not isinstance(inner, dict):
            continue
        named = [any(f"{section}.{key}" in keys for key in side) for side in sides]
        for side, is_given, other in zip(sides, named, named[::-1], strict=True):
            if other and not is_given:
                for key in side:
                    inner.pop(key, None)


def drop_defaults(table: dict[str, Any]) -> None:
    """Drop from a recorded study file, which sets every key, the defaults that were replaced."""
    for section, replaced, replacing in _REPLACED:
        inner = table.get(section)
        if isinstance(inner, dict) and any(inner.get(key) is not None for key in replacing):
            for key in replaced:
                inner.pop(key, None)
    model, task = table.get("model"), table.get("task")
    if not isinstance(model, dict) or not isinstance(task, dict):
        return
    if model.get("base") and task.get("name") == "agreement":
        for key in AgreementTask.pretraining:
            task.pop(key, None)
