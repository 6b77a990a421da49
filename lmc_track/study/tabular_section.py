"""What a study file may say under ``[task]`` of a task of the user's own: ``tabular``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from lmc_track.spelling import hint
from lmc_track.study.schema import MOST_LABELS, Section, checked_name

FileFormat = Literal["tsv", "csv", "jsonl", "parquet"]
Rows = tuple[tuple[int, int | None], ...]
_RANGE = re.compile(r"\s*(\d+)\s*(-\s*(\d*)\s*)?")
# Labels are short words, of which many are a little alike.
_LIKENESS = 0.7
# Names that a diagnostic cannot have: they are those of other sets.
_TAKEN = ("train", "train_sample", "validation")


def parse_rows(text: str) -> Rows:
    """``"0-7999"``, ``"8000-"`` or ``"5,10-19"`` as (first, last) of every range, both included.

    Last is None where the range has no end.

    Raises:
        ValueError: something is no row and no range.
    """
    ranges: list[tuple[int, int | None]] = []
    for part in text.split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise ValueError(
                f"{part.strip()!r} is no range of rows; write '0-7999', '8000-' or '5,10-19'"
            )
        first = int(match[1])
        last = None if match[2] and not match[3] else int(match[3] or first)
        if last is not None and last < first:
            raise ValueError(f"the range {part.strip()!r} runs backwards")
        ranges.append((first, last))
    return tuple(ranges)


class Columns(Section):
    """Which columns hold what: of all sets of the task, or of one."""

    text: str | list[str] | None = Field(
        None, description="The text column, or the two whose texts the model reads together."
    )
    label: str | None = Field(None, description="The column of the labels.")
    label_values: dict[str, str] = Field(
        default_factory=dict,
        description="Labels by the values that stand for them in the column, where these differ.",
    )
    skip_labels: list[str] = Field([], description="Values whose rows are left out, such as '-'.")
    group: str | None = Field(
        None, description="A column whose equal values belong together, such as the premise."
    )

    @field_validator("text")
    @classmethod
    def _one_or_two(cls, value: str | list[str] | None) -> str | list[str] | None:
        if isinstance(value, list) and len(value) not in (1, 2):
            raise ValueError("name one text column or two")
        return value


class SourceSection(Columns):
    """One set: where its rows come from and which of them are taken."""

    file: str | list[str] | None = Field(
        None,
        description="A file, or several that are read one after the other, in data_dir.",
    )
    format: FileFormat | None = Field(
        None, description="tsv (no quoting), csv, jsonl or parquet; else by the file's name."
    )
    columns: list[str] | None = Field(
        None, description="Names of the columns, where the file has no header."
    )
    hub: str | None = Field(None, description="A hub data set (or folder of its layout) instead.")
    config: str | None = Field(None, description="Configuration of the hub data set.")
    split: str | None = Field(None, description="Its split.")
    revision: str | None = Field(None, description="Its revision.")
    rows: str | None = Field(
        None, description="Rows to take, counted from 0 without the header: '0-7999', '8000-'."
    )
    where: dict[str, str | int | bool | list[str | int | bool]] = Field(
        default_factory=dict,
        description="Values that columns must have: {genre = 'fiction'}, or one of a list.",
    )
    subsets: list[str | list[str]] = Field(
        [], description="Columns whose values name subsets; ['a', 'b'] joins those of two."
    )

    @field_validator("rows")
    @classmethod
    def _rows(cls, value: str | None) -> str | None:
        if value is not None:
            parse_rows(value)
        return value

    @model_validator(mode="after")
    def _one_source(self) -> SourceSection:
        if (self.file is None) == (self.hub is None) or self.file == []:
            raise ValueError("give either file or hub (with a split)")
        if self.hub is not None and self.split is None:
            raise ValueError("hub needs a split, such as split = 'validation'")
        if self.file is not None:
            for key in ("config", "split", "revision"):
                if getattr(self, key) is not None:
                    raise ValueError(f"{key} is of a hub data set, and file is given")
        if self.hub is not None and (self.format is not None or self.columns is not None):
            raise ValueError("format and columns are of a file, and hub is given")
        return self


class DiagnosticSection(SourceSection):
    """A diagnostic, which may have labels of its own that stand for some of the task's."""

    labels: dict[str, list[str]] | None = Field(
        None,
        description="Labels of its own by the task's labels that each stands for: "
        "{entailment = 'entailment', non-entailment = ['neutral', 'contradiction']}.",
    )
    projection: Literal["max", "logsumexp"] | None = Field(
        None,
        description="How logits become one for such a label: the largest, or log-sum-exp.",
    )

    @field_validator("labels", mode="before")
    @classmethod
    def _lists(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {
            label: [names] if isinstance(names, str) else names for label, names in value.items()
        }

    @model_validator(mode="after")
    def _projected(self) -> DiagnosticSection:
        several = any(len(names) != 1 for names in (self.labels or {}).values())
        if several and self.projection is None:
            raise ValueError("a label stands for several: give projection = 'max' or 'logsumexp'")
        if self.labels is None and self.projection is not None:
            raise ValueError("projection needs labels: which of the task's each stands for")
        return self


class TabularTask(Columns):
    name: Literal["tabular"]
    data_dir: str | None = Field(
        None,
        description="Folder of the files, relative to the study file; else LMC_DATA_DIR, else the "
        "study file's own folder.",
    )
    labels: list[str] = Field(
        max_length=MOST_LABELS, description="The labels in the order of the logits. Required."
    )
    metric: Literal["accuracy", "matthews_correlation", "f1", "balanced_accuracy"] = Field(
        "accuracy", description="The task's own metric beside loss and accuracy."
    )
    train: SourceSection | None = Field(None, description="What models are finetuned on.")
    validation: SourceSection = Field(description="What gaps are measured on. Required.")
    diagnostics: dict[str, DiagnosticSection] = Field(
        default_factory=dict, description="Further evaluation sets by name."
    )

    @field_validator("labels")
    @classmethod
    def _labels(cls, value: list[str]) -> list[str]:
        if len(value) < 2 or len(set(value)) != len(value):
            raise ValueError("name at least two labels, each once")
        return value

    @field_validator("diagnostics")
    @classmethod
    def _names(cls, value: dict[str, DiagnosticSection]) -> dict[str, DiagnosticSection]:
        for name in value:
            checked_name(name)
            if name in _TAKEN:
                raise ValueError(f"a diagnostic cannot be called {name!r}: that is another set")
        return value

    @model_validator(mode="after")
    def _fits(self) -> TabularTask:
        if self.metric == "f1" and len(self.labels) != 2:
            raise ValueError("metric: F1 is of two labels, of which the second is the positive one")
        _check_known(self.label_values.values(), self.labels, "label_values")
        sets = {"train": self.train, "validation": self.validation} | {
            f"diagnostics.{name}": section for name, section in self.diagnostics.items()
        }
        for name, section in sets.items():
            if section is None:
                continue
            for key in ("text", "label"):
                if getattr(self, key) is None and getattr(section, key) is None:
                    raise ValueError(f"{key}: missing; which column of {name} holds it?")
            own = section.labels if isinstance(section, DiagnosticSection) else None
            known = self.labels if own is None else list(own)
            _check_known(section.label_values.values(), known, f"{name}.label_values")
            stands_for = [one for names in (own or {}).values() for one in names]
            _check_known(stands_for, self.labels, f"{name}.labels")
            each_once = len(set(stands_for)) == len(stands_for)
            if own is not None and not (each_once and len(own) > 1 and all(own.values())):
                raise ValueError(
                    f"{name}.labels: give two labels or more; each stands for one of the task's "
                    "or more, and none of these for two"
                )
        return self

    def identity(self) -> dict[str, Any]:
        """Training data, labels and evaluation sets are pinned by their digests."""
        return {"name": self.name}


def _check_known(names: Iterable[str], labels: list[str], key: str) -> None:
    for name in names:
        if name not in labels:
            raise ValueError(f"{key}: {name!r} is no label; {hint(name, labels, _LIKENESS)}")
