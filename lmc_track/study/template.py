"""The commented study file that ``init`` writes, made from the schema itself."""

from __future__ import annotations

import json
import textwrap
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from lmc_track.study.sections import (
    ClusterSection,
    EvaluateSection,
    FinetuneSection,
    InterpolateSection,
    ModelSection,
    StudySection,
)
from lmc_track.study.tabular_section import Columns, DiagnosticSection, SourceSection
from lmc_track.study.task_sections import TASKS

_EXAMPLES: dict[str, Any] = {
    "data_dir": "data",
    "revision": "main",
    "hans_revision": "main",
    "paws_hub": "paws_qqp",
    "paws_revision": "main",
    "preset": "juneja2023",
    "max_steps": 300,
    "alphas": [0.0, 0.25, 0.5, 0.75, 1.0],
    "head_seeds": "0-3",
    "data_seeds": "0-3",
    "datasets": ["validation", "train_sample"],
    "primary_diagnostic": "out_of_domain:all:accuracy",
    "tau": 0.1,
    "disambiguation": 0.1,
    "planted_share": 0.25,
    "planted_levels": 16,
    "group": "premise",
    "file": "train.tsv",
    "format": "tsv",
    "columns": ["text", "label"],
    "hub": "user/data",
    "config": "default",
    "split": "train",
    "rows": "0-7999",
    "projection": "max",
    "text": "text",
    "label": "label",
    "label_values": {"0": "negative", "1": "positive"},
    "where": {"genre": ["fiction", "travel"]},
    "labels": {"negative": "negative", "other": ["neutral", "positive"]},
}
# What a user's own task cannot do without.
_OWN_TASK = {"text": "text", "label": "label", "labels": ["negative", "positive"]}


def study_template(name: str, task: str, values: dict[str, dict[str, Any]] | None = None) -> str:
    """The text of a study file for ``task``: every key, its help, its default commented out.

    ``values`` are keys to set, by section.
    """
    sections: list[tuple[str, type[BaseModel]]] = [
        ("study", StudySection),
        ("task", TASKS[task]),
        ("model", ModelSection),
        ("finetune", FinetuneSection),
        ("evaluate", EvaluateSection),
        ("interpolate", InterpolateSection),
        ("cluster", ClusterSection),
    ]
    given: dict[str, dict[str, Any]] = {"study": {"name": name}, "task": {"name": task}}
    if task == "tabular":
        given["task"] |= _OWN_TASK
    for section, keys in (values or {}).items():
        given.setdefault(section, {}).update(keys)
    blocks = [_section(title, model, given.get(title, {})) for title, model in sections]
    head = "# A study for lmc-track. Keys that are commented out show their defaults or an example."
    return head + "\n\n" + "\n\n".join(blocks) + "\n"


def _section(title: str, model: type[BaseModel], given: dict[str, Any]) -> str:
    lines = [f"[{title}]"]
    tables: list[str] = _own_sets() if title == "task" and "train" in model.model_fields else []
    fields = model.model_fields
    for key in sorted(fields, key=lambda key: key != "name"):
        field = fields[key]
        if tables and key in ("train", "validation", "diagnostics"):
            continue
        if field.description:
            lines += textwrap.wrap(field.description, 92, initial_indent="# ",
                                   subsequent_indent="# ")  # fmt: skip
        default = field.get_default(call_default_factory=True)
        if key in given:
            lines.append(f"{key} = {json.dumps(given[key])}")
        elif key == "trainer":
            lines.pop()
            tables += ["", f"# [{title}.{key}]", f"# {field.description}", "# weight_decay = 0.01"]
        else:
            lines.append(f"# {_shown(key, default)}")
    return "\n".join(lines + tables)


def _shown(key: str, default: Any) -> str:
    """The key with its default or, where it has none, with an example."""
    if default is None or default is PydanticUndefined or default == {}:
        return f"{key} = {_toml(_EXAMPLES[key])}  # example; not set by default"
    return f"{key} = {_toml(default)}"


def _toml(value: Any) -> str:
    """``value`` on one line of TOML, whose inline tables are not JSON's."""
    if isinstance(value, dict):
        inner = ", ".join(f"{json.dumps(key)} = {_toml(one)}" for key, one in value.items())
        return f"{{ {inner} }}"
    return json.dumps(value)


def _own_sets() -> list[str]:
    """The sets of a user's own task: each a table of its own."""
    lines = ["", "# What models are finetuned on.", "[task.train]", 'file = "train.tsv"']
    lines += ["# text, label, label_values, skip_labels, group: where they are others in this set."]
    lines += _optional(SourceSection, without=("file", *Columns.model_fields))
    lines += ["", "# What gaps are measured on; it has the same keys.", "[task.validation]"]
    lines += ['file = "dev.tsv"', "", "# A further evaluation set by name, with the same keys and:"]
    lines += ["# [task.diagnostics.NAME]", '# file = "diagnostic.tsv"']
    return lines + _optional(DiagnosticSection, without=tuple(SourceSection.model_fields))


def _optional(model: type[BaseModel], without: tuple[str, ...]) -> list[str]:
    lines = []
    for key, field in model.model_fields.items():
        if key not in without:
            lines += textwrap.wrap(field.description or "", 92, initial_indent="# ",
                                   subsequent_indent="# ")  # fmt: skip
            lines.append(f"# {_shown(key, field.get_default(call_default_factory=True))}")
    return lines
