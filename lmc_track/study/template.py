"""The commented study file that ``init`` writes, made from the schema itself."""

from __future__ import annotations

import json
import textwrap
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from lmc_track.study.sections import (
    AgreementTask,
    ClusterSection,
    ColaTask,
    EvaluateSection,
    FinetuneSection,
    InterpolateSection,
    ModelSection,
    StudySection,
)

_TASKS: dict[str, type[BaseModel]] = {"agreement": AgreementTask, "cola": ColaTask}
_EXAMPLES: dict[str, Any] = {
    "data_dir": "data/cola",
    "revision": "main",
    "preset": "juneja2023",
    "max_steps": 300,
    "alphas": [0.0, 0.25, 0.5, 0.75, 1.0],
    "head_seeds": "0-3",
    "data_seeds": "0-3",
    "datasets": ["validation", "train_sample"],
    "primary_diagnostic": "out_of_domain:all:accuracy",
    "tau": 0.1,
    "planted_share": 0.25,
}


def study_template(name: str, task: str, values: dict[str, dict[str, Any]] | None = None) -> str:
    """The text of a study file for ``task``: every key, its help, its default commented out.

    ``values`` are keys to set, by section.
    """
    sections: list[tuple[str, type[BaseModel]]] = [
        ("study", StudySection),
        ("task", _TASKS[task]),
        ("model", ModelSection),
        ("finetune", FinetuneSection),
        ("evaluate", EvaluateSection),
        ("interpolate", InterpolateSection),
        ("cluster", ClusterSection),
    ]
    given: dict[str, dict[str, Any]] = {"study": {"name": name}, "task": {"name": task}}
    for section, keys in (values or {}).items():
        given.setdefault(section, {}).update(keys)
    if task == "agreement":
        sections = [(title, model) for title, model in sections if title != "model"]
    blocks = [_section(title, model, given.get(title, {})) for title, model in sections]
    head = "# A study for lmc-track. Keys that are commented out show their defaults or an example."
    return head + "\n\n" + "\n\n".join(blocks) + "\n"


def _section(title: str, model: type[BaseModel], given: dict[str, Any]) -> str:
    lines = [f"[{title}]"]
    tables: list[str] = []
    for key, field in model.model_fields.items():
        if field.description:
            lines += textwrap.wrap(field.description, 92, initial_indent="# ",
                                   subsequent_indent="# ")  # fmt: skip
        default = field.get_default(call_default_factory=True)
        if key in given:
            lines.append(f"{key} = {json.dumps(given[key])}")
        elif isinstance(default, dict):
            lines.pop()
            tables += ["", f"# [{title}.{key}]", f"# {field.description}", "# weight_decay = 0.01"]
        elif default is None or default is PydanticUndefined:
            lines.append(f"# {key} = {json.dumps(_EXAMPLES[key])}  # example; not set by default")
        else:
            lines.append(f"# {key} = {json.dumps(default)}")
    return "\n".join(lines + tables)
