"""What watches a training while it runs: its curve, its checkpoints, and whether it is finite."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import TrainerCallback

from lmc_track.errors import WorkError
from lmc_track.study.seeds import ModelSeeds


class Watch(TrainerCallback):  # type: ignore[misc]
    """Keeps the training curve, tells every step, and stops when the loss is not finite."""

    def __init__(self, seeds: ModelSeeds, advance: Callable[[], object]) -> None:
        self.steps: list[tuple[int, dict[str, float]]] = []
        self._seeds = seeds
        self._advance = advance

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._advance()

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **_: Any) -> None:
        if "loss" not in logs:
            return
        if not math.isfinite(logs["loss"]):
            raise diverged(self._seeds, state.global_step)
        kept = ("loss", "learning_rate", "grad_norm")
        self.steps.append((state.global_step, {k: float(logs[k]) for k in kept if k in logs}))


class Saving(TrainerCallback):  # type: ignore[misc]
    """Saves the model after some steps, and stops after the last where the end is not wanted."""

    def __init__(
        self,
        seeds: ModelSeeds,
        steps: Sequence[int | None],
        save: Callable[[int | None], object],
    ) -> None:
        self.saved: set[int | None] = set()
        self._seeds = seeds
        self._steps = steps
        self._save = save

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any, **_: Any) -> None:
        step = state.global_step
        if step not in self._steps:
            return
        if not all(bool(torch.isfinite(weight).all()) for weight in model.state_dict().values()):
            raise diverged(self._seeds, step)
        self._save(step)
        self.saved.add(step)
        if None not in self._steps and len(self.saved) == len(self._steps):
            control.should_training_stop = True


class DivergedError(WorkError):
    """A training whose numbers are not finite: of its models there is none that could be used."""


def diverged(seeds: ModelSeeds, step: int) -> DivergedError:
    """The error that a training of ``seeds`` ends with when its numbers are not finite."""
    return DivergedError(
        f"finetuning {seeds.name} diverged: the loss was not finite at step {step}",
        "Lower finetune.learning_rate, or use precision fp32 if it is bf16.",
    )
