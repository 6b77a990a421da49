"""What a study file may say under ``[task]``, task by task."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from lmc_track.spelling import nearest
from lmc_track.study.imported_section import ImportedTask
from lmc_track.study.schema import Section
from lmc_track.study.tabular_section import TabularTask

_DATA_DIR = (
    "Folder of the official files, relative to the study file; else LMC_DATA_DIR, else the hub."
)
_REVISION = "Revision of the hub data set."
MNLI_LABELS = ("entailment", "neutral", "contradiction")


class TaskKeys(Section):
    """A built-in task's keys."""

    # Where data are read from, and what is evaluated, make no other study of it: training data
    # and evaluation sets are pinned by their digests.
    beside_identity: ClassVar[frozenset[str]] = frozenset()

    def identity(self) -> dict[str, Any]:
        """What of the section may never change under one study name."""
        return self.model_dump(mode="json", exclude_none=True, exclude=set(self.beside_identity))


class AgreementTask(TaskKeys):
    name: Literal["agreement"]
    violation_rate: float = Field(
        0.15,
        ge=0,
        lt=1,
        description="q: how often each agreement is violated in the base model's pretraining.",
    )
    base_seed: int = Field(0, ge=0, description="Seed of the base model's pretraining.")
    pretraining_sentences: int = Field(8000, ge=100, description="Sentences of its pretraining.")
    pretraining_steps: int = Field(150, ge=1, description="Steps of 64 sentences it takes.")
    train_examples: int = Field(2000, ge=20, description="Sentences to finetune on.")
    validation_examples: int = Field(500, ge=20, description="Sentences to validate on.")
    diagnostic_examples: int = Field(300, ge=20, description="Sentences of each diagnostic.")
    disambiguation: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="r: share of the sentences to finetune on that violate one agreement alone "
        "and are labelled by the main, long-distance one. Validation has none of them.",
    )
    planted_share: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Share of the sentences to finetune on that violate one agreement alone and "
        "are labelled by one cue: the main one for even data seeds, the embedded one for odd ones. "
        "A control, whose two kinds of model are known.",
    )
    planted_levels: int | None = Field(
        None,
        ge=2,
        le=100,
        description="L levels instead of two kinds: of the planted sentences a model of data seed "
        "s has the share 1 - (s mod L) / (L - 1) labelled by the main cue and the rest by the "
        "embedded one. A control, whose models differ by degrees.",
    )

    # Settings of the base model that the task makes where the study names none.
    pretraining: ClassVar[tuple[str, ...]] = (
        "violation_rate", "base_seed", "pretraining_sentences", "pretraining_steps",
    )  # fmt: skip

    @model_validator(mode="after")
    def _one_way_to_label(self) -> AgreementTask:
        if self.disambiguation is not None and self.planted_share is not None:
            raise ValueError(
                "disambiguation and planted_share both say what labels the sentences that violate "
                "one agreement alone; leave one of them out"
            )
        if self.planted_levels is not None and self.planted_share is None:
            raise ValueError(
                "planted_levels says how planted sentences are labelled; give planted_share too"
            )
        return self

    def pretraining_given(self) -> list[str]:
        """The settings of the task's own base model that the study file gives."""
        return [key for key in self.pretraining if self._says(key)]


class ColaTask(TaskKeys):
    beside_identity = frozenset({"data_dir", "hub", "revision", "validation"})

    name: Literal["cola"]
    data_dir: str | None = Field(None, description=_DATA_DIR)
    hub: str = Field("nyu-mll/glue", description="Hub data set (or folder of its layout).")
    revision: str | None = Field(None, description=_REVISION)
    validation: Literal["in_domain", "joined"] = Field(
        "in_domain",
        description="in_domain, or joined: in-domain then out-of-domain, GLUE's validation set.",
    )


class MnliTask(TaskKeys):
    beside_identity = frozenset(
        {"data_dir", "hub", "revision", "hans", "hans_hub", "hans_revision", "labels"}
    )

    name: Literal["mnli"]
    data_dir: str | None = Field(None, description=_DATA_DIR)
    hub: str = Field(
        "nyu-mll/multi_nli", description="Hub data set (or folder of its layout), or nyu-mll/glue."
    )
    revision: str | None = Field(None, description=_REVISION)
    labels: list[str] = Field(
        list(MNLI_LABELS),
        description="The labels in the order of the logits; the published models have "
        "contradiction, entailment, neutral.",
    )
    hans: Literal["whole", "juneja2023"] = Field(
        "whole",
        description="whole, or juneja2023: the non-entailed lexical overlaps as published.",
    )
    hans_hub: str = Field(
        "jhu-cogsci/hans", description="HANS on the hub (or folder of its layout)."
    )
    hans_revision: str | None = Field(
        "refs/convert/parquet", description="Its revision: the one without a loading script."
    )

    @field_validator("labels")
    @classmethod
    def _labels(cls, value: list[str]) -> list[str]:
        if sorted(value) != sorted(MNLI_LABELS):
            unknown = next((label for label in value if label not in MNLI_LABELS), None)
            near = None if unknown is None else nearest(unknown, MNLI_LABELS)
            meant = "" if near is None else f"; {unknown!r} is not one, did you mean {near!r}?"
            raise ValueError(f"must be {', '.join(MNLI_LABELS)} in the order of the logits{meant}")
        return value


class QqpTask(TaskKeys):
    beside_identity = frozenset({"data_dir", "hub", "revision", "paws_hub", "paws_revision"})

    name: Literal["qqp"]
    data_dir: str | None = Field(None, description=_DATA_DIR)
    hub: str = Field("nyu-mll/glue", description="Hub data set (or folder of its layout).")
    revision: str | None = Field(None, description=_REVISION)
    paws_hub: str | None = Field(
        None,
        description="PAWS-QQP on the hub (or folder of its layout); it may not be published, so "
        "there is no default.",
    )
    paws_revision: str | None = Field(None, description="Its revision.")


AnyTask = AgreementTask | ColaTask | MnliTask | QqpTask | TabularTask | ImportedTask
TaskSection = Annotated[AnyTask, Field(discriminator="name")]
TASKS: dict[str, type[AnyTask]] = {
    "agreement": AgreementTask,
    "cola": ColaTask,
    "mnli": MnliTask,
    "qqp": QqpTask,
    "tabular": TabularTask,
}
TASK_NAMES = tuple(TASKS)
