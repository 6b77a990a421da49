"""The schema of a study file: every key with its type, default and one line of help.

This is the one source of what a study may say; the ``init`` template is made from it.
"""

from __future__ import annotations

import itertools
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from lmc_track.metrics import METRICS
from lmc_track.spelling import hint
from lmc_track.study.schema import Section, checked_name
from lmc_track.study.seeds import Seeds, parse_seeds, refuse_lone_number
from lmc_track.study.task_sections import AgreementTask, TaskSection

ClusterMethod = Literal["verdict", "juneja2023", "threshold"]
Basis = Literal["loss", "error", "calibrated_loss"]
Precision = Literal["fp32", "bf16"]
Sample = Literal["head", "random", "stratified"]

# Settings of transformers.TrainingArguments that the study file names itself, or that the
# program must decide so that runs stay deterministic, local and resumable.
RESERVED_TRAINER_KEYS = frozenset(
    {
        "bf16", "data_seed", "do_eval", "do_predict", "do_train", "eval_strategy", "fp16",
        "full_determinism", "hub_model_id", "hub_token", "learning_rate", "load_best_model_at_end",
        "logging_dir", "max_steps", "num_train_epochs", "output_dir",
        "per_device_train_batch_size", "push_to_hub", "report_to", "resume_from_checkpoint",
        "run_name", "save_strategy", "seed",
    }
)  # fmt: skip


class StudySection(Section):
    name: str = Field(description="The study's name: one MLflow experiment. Required.")
    description: str = Field("", description="A sentence for the MLflow UI and the report.")
    preset: Literal["juneja2023"] | None = Field(
        None,
        description="Defaults of a published procedure: 10 points, the first 512 examples, "
        "its clustering first.",
    )

    _check_name = field_validator("name")(checked_name)


class ModelSection(Section):
    base: str = Field(
        "",
        description="The pretrained encoder: hub id, or folder relative to the study file. Without "
        "it the agreement task makes a tiny one.",
    )
    revision: str | None = Field(None, description="Revision on the hub: a commit, tag or branch.")


class FinetuneSection(Section):
    seeds: Seeds = Field(
        "0-7",
        description="One model a seed (head and data order): '0-7', '1,5,9-12' or a list; [] where "
        "all models are registered.",
    )
    head_seeds: Seeds | None = Field(
        None, description="Head seeds alone: every head seed with every data seed."
    )
    data_seeds: Seeds | None = Field(None, description="Data-order (and dropout) seeds alone.")
    epochs: float = Field(3.0, gt=0, description="Passes over the training set.")
    max_steps: int | None = Field(None, gt=0, description="Optimizer steps instead of epochs.")
    learning_rate: float = Field(2e-5, gt=0, description="Peak learning rate of AdamW.")
    batch_size: int = Field(32, gt=0, description="Sentences a step.")
    precision: Precision = Field("fp32", description="fp32, or bf16 (autocast, weights in fp32).")
    keep_head: bool = Field(
        False,
        description="Whether a classification head that the base model has already is kept; "
        "otherwise every model gets a new one from its head seed.",
    )
    track_steps: list[int] = Field(
        default=[],
        description="Optimizer steps whose checkpoints become models too, such as [100, 200].",
    )
    trainer: dict[str, Any] = Field(
        default_factory=dict,
        description="Further settings of transformers.TrainingArguments by name.",
    )

    @field_validator("seeds", "head_seeds", "data_seeds")
    @classmethod
    def _seeds(cls, value: Seeds | None, info: ValidationInfo) -> Seeds | None:
        if isinstance(value, int):
            refuse_lone_number(value)
        if value is not None and not (value == [] and info.field_name == "seeds"):
            parse_seeds(value)
        return value

    @field_validator("track_steps")
    @classmethod
    def _track_steps(cls, value: list[int]) -> list[int]:
        if wrong := [step for step in value if step < 1]:
            raise ValueError(f"{wrong[0]} is no step: they count from 1")
        if len(set(value)) != len(value):
            raise ValueError("a step is named twice")
        return sorted(value)

    @field_validator("trainer")
    @classmethod
    def _trainer(cls, value: dict[str, Any]) -> dict[str, Any]:
        if taken := sorted(RESERVED_TRAINER_KEYS & set(value)):
            raise ValueError(
                f"{', '.join(taken)}: set by the study itself (see [finetune]), not by trainer"
            )
        return value

    @model_validator(mode="after")
    def _one_way_to_seed(self) -> FinetuneSection:
        apart = self.head_seeds is not None or self.data_seeds is not None
        if apart and self._says("seeds"):
            raise ValueError("give either seeds, or head_seeds and data_seeds, not both")
        if self.max_steps is not None and self._says("epochs"):
            raise ValueError("give either epochs or max_steps, not both")
        return self


class EvaluateSection(Section):
    datasets: list[str] | None = Field(
        None, description="Evaluation sets; without it all that the task has."
    )
    max_examples: int = Field(0, ge=0, description="Examples of each set; 0 = all.")
    sample: Sample = Field("head", description="Which ones: head, random or stratified.")
    precision: Precision = Field("fp32", description="Precision of the forward pass.")
    include_failed: bool = Field(
        False,
        description="Whether models that failed (at chance, or of a loss that is not finite or "
        "exploded) count in paths, clusters, summaries and tests.",
    )
    token_budget: int = Field(
        0, ge=0, description="Most tokens of a batch, padding included; 0 = what is fastest here."
    )

    @field_validator("datasets")
    @classmethod
    def _datasets(cls, value: list[str] | None) -> list[str] | None:
        if value is None:
            return None
        if len(set(value)) != len(value):
            raise ValueError("a data set is named twice")
        if "validation" not in value:
            raise ValueError("'validation' is missing: gaps are measured on it")
        return [checked_name(name) for name in value]


# MLflow shows a point at the step round(10,000 α): a finer grid has no steps of its own.
MOST_POINTS = 10_001


class InterpolateSection(Section):
    points: int = Field(
        11, ge=3, le=MOST_POINTS, description="Points of the common grid, endpoints included."
    )
    alphas: list[float] | None = Field(
        None,
        max_length=MOST_POINTS,
        description="The grid itself instead of points: increasing from 0 to 1.",
    )
    pairs: Literal["all"] | int | list[tuple[str, str]] = Field(
        "all", description="all, a number of random pairs, or a list of pairs of model names."
    )
    across_steps: bool = Field(
        False, description="Whether paths also join models of different training steps."
    )
    refine: int = Field(
        0,
        ge=0,
        le=MOST_POINTS,
        description="The most points added to a path where its gap is uncertain; 0 = none.",
    )
    refine_tolerance: float = Field(
        0.02, gt=0, lt=1, description="Share of the gap that counts as certain enough."
    )

    @field_validator("alphas")
    @classmethod
    def _alphas(cls, value: list[float] | None) -> list[float] | None:
        if value is None:
            return None
        increasing = all(a < b for a, b in itertools.pairwise(value))
        if len(value) < 3 or value[0] != 0 or value[-1] != 1 or not increasing:
            raise ValueError("alphas must increase from 0 to 1, with a point between")
        return value

    @field_validator("pairs")
    @classmethod
    def _pairs(cls, value: Any) -> Any:
        if isinstance(value, int) and value < 1:
            raise ValueError("a number of pairs must be at least 1")
        return value

    @model_validator(mode="after")
    def _one_grid(self) -> InterpolateSection:
        if self.alphas is not None and self._says("points"):
            raise ValueError("give either points or alphas, not both")
        return self


# What was once a setting of [cluster] and is none now, as is still on record of earlier studies.
RETIRED_CLUSTER_KEYS = ("max_clusters", "significance", "permutations", "least_relative_gap")


class ClusterSection(Section):
    methods: list[ClusterMethod] = Field(
        default=["verdict", "threshold", "juneja2023"],
        min_length=1,
        description="Clusterings to make; the first is the one that the report describes.",
    )
    metric: Basis = Field(
        "error",
        description="What the verdict is about, named before anything is measured: gaps of the "
        "loss, of the error, or of the loss at one fitted temperature per point. The others are "
        "judged beside it, corrected for being three.",
    )
    primary_diagnostic: str | None = Field(
        None, description="dataset:subset:metric that clusters are compared on; else the task's."
    )
    resamples: int = Field(
        199,
        ge=99,
        description="Resamples of the examples, and of the models, that the stability of the "
        "clusters is judged from.",
    )
    tau_error: float = Field(
        0.02,
        gt=0,
        lt=0.5,
        description="Greatest gap of the error, as a share of examples, that a connected pair may "
        "have; threshold joins pairs by it.",
    )
    tau: float | None = Field(
        None,
        ge=0,
        description="The same of the loss, in nats; threshold then joins pairs by their loss. "
        "Without it losses are judged by what tau_error costs a calibrated model.",
    )

    @model_validator(mode="before")
    @classmethod
    def _earlier(cls, content: Any) -> Any:
        """Records of earlier versions: settings that are gone, and the verdict's former name."""
        if not isinstance(content, dict):
            return content
        kept = {key: value for key, value in content.items() if key not in RETIRED_CLUSTER_KEYS}
        if isinstance(methods := kept.get("methods"), list):
            kept["methods"] = ["verdict" if name == "spectral" else name for name in methods]
        return kept

    @field_validator("primary_diagnostic")
    @classmethod
    def _diagnostic(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = value.split(":")
        if len(parts) != 3:
            raise ValueError("write dataset:subset:metric, such as out_of_domain:all:accuracy")
        if parts[2] not in METRICS:
            raise ValueError(f"{parts[2]!r} is no metric; {hint(parts[2], METRICS)}")
        return value


class Study(Section):
    """A validated study: one base model, one task, one recipe, many seeds."""

    study: StudySection
    task: TaskSection = AgreementTask(name="agreement")
    model: ModelSection = ModelSection()
    finetune: FinetuneSection = FinetuneSection()
    evaluate: EvaluateSection = EvaluateSection()
    interpolate: InterpolateSection = InterpolateSection()
    cluster: ClusterSection = ClusterSection()

    @model_validator(mode="after")
    def _one_base(self) -> Study:
        given = self.task.pretraining_given() if isinstance(self.task, AgreementTask) else []
        if given and self.model.base:
            raise ValueError(
                f"task.{', task.'.join(given)}: with model.base no base model is pretrained; "
                "leave either out"
            )
        return self

    @property
    def makes_base(self) -> bool:
        """Whether the task's own base model is pretrained: the study names none."""
        return isinstance(self.task, AgreementTask) and not self.model.base

    @property
    def name(self) -> str:
        return self.study.name
