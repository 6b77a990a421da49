"""Finetuning one classifier with transformers.Trainer, fixed by its two seeds.

The head seed alone decides the initial weights that the base model does not have; the data
seed alone decides the order of the examples and dropout. What ran before in the process
changes neither, and nothing of the caller's random state is changed.
"""

from __future__ import annotations

import gc
import math
import random
import shutil
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoTokenizer, PrinterCallback, Trainer, TrainingArguments, set_seed

from lmc_track.errors import InputError
from lmc_track.models.base import longest_input
from lmc_track.models.base_loading import encoder_problems, renew_head, stored_head
from lmc_track.models.callbacks import Saving, Watch, diverged
from lmc_track.models.loading import load_reported
from lmc_track.models.padding import Padding, name_padding, padding_of, read_names
from lmc_track.models.recipe import total_steps
from lmc_track.models.silence import silent_transformers
from lmc_track.models.threads import threads_for
from lmc_track.study.sections import FinetuneSection
from lmc_track.study.seeds import ModelSeeds
from lmc_track.tasks.dataset import Dataset

_LOGGED = 50


@dataclass(frozen=True)
class TrainingLog:
    """``steps`` holds (optimizer step, values since the step before): ``loss`` in nats,
    ``learning_rate``, ``grad_norm``. ``seconds`` is the wall time of the training loop."""

    steps: list[tuple[int, dict[str, float]]]
    seconds: float


def finetune(
    base: Path,
    label_names: Sequence[str],
    train: Dataset,
    seeds: ModelSeeds,
    section: FinetuneSection,
    out: Path,
    advance: Callable[[], object] = lambda: None,
    steps: Sequence[int | None] = (None,),
) -> TrainingLog:
    """Finetune the encoder in ``base`` on ``train`` and save the classifier in the folder ``out``.

    ``steps`` are the optimizer steps after which it is saved, None for the end of training;
    where that is not among them training stops at the last one, on the schedule of the whole.
    With None alone the classifier is ``out`` itself, else ``out`` holds one in ``checkpoint(…)``
    for each. Saving draws no random numbers, so what is saved does not depend on ``steps``.

    ``advance`` is called after every optimizer step. ``out`` appears whole or not at all; a
    classifier is config.json with the label names, model.safetensors and the tokenizer.
    Nothing of the model stays in memory.

    Raises:
        InputError: ``base`` does not load whole.
        WorkError: the loss or the weights became infinite or NaN.
        FileExistsError: ``out`` is there already.
    """
    if out.exists():
        raise FileExistsError(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        with silent_transformers(), _own_randomness(), _own_garbage():
            log = _finetuned(base, label_names, train, seeds, section, unfinished, advance, steps)
        unfinished.rename(out)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return log


def _finetuned(
    base: Path,
    label_names: Sequence[str],
    train: Dataset,
    seeds: ModelSeeds,
    section: FinetuneSection,
    folder: Path,
    advance: Callable[[], object],
    steps: Sequence[int | None],
) -> TrainingLog:
    """As ``finetune``, in a ``folder`` that is there; its model is its own, and goes with it."""
    tokenizer = AutoTokenizer.from_pretrained(
        str(base), local_files_only=True, trust_remote_code=False
    )
    model = _classifier(base, label_names, seeds.head, keep_head=section.keep_head)
    name_padding(model, padding_of(model.config, tokenizer).token_id)

    def save(step: int | None) -> None:
        place = folder if list(steps) == [None] else checkpoint(folder, step)
        model.save_pretrained(place)
        tokenizer.save_pretrained(place)

    saving = Saving(seeds, steps, save)
    log = _train(model, tokenizer, train, seeds, section, folder, advance, saving)
    if None in steps:
        save(None)
    elif lost := set(steps) - saving.saved:
        raise ValueError(f"the training has no step {max(s for s in lost if s)}")
    return log


def checkpoint(folder: Path, step: int | None) -> Path:
    """Where in ``folder`` the classifier after ``step`` is; None is the end of training."""
    return folder / ("end" if step is None else f"step-{step}")


@contextmanager
def _own_randomness() -> Iterator[None]:
    """Random numbers of one's own: the global generators are put back afterwards."""
    python, legacy = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng():
            yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)


def _classifier(
    base: Path, label_names: Sequence[str], head_seed: int, *, keep_head: bool = False
) -> Any:
    """A classifier on the encoder in ``base``, with a head of the seed's.

    Unless ``keep_head``, a head that ``base`` has is made anew, whole: a part of it that was
    finetuned to other labels would be a head start that no seed changes.
    """
    names = dict(enumerate(label_names))
    set_seed(head_seed)
    model, report = load_reported(
        base,
        num_labels=len(names),
        id2label=names,
        label2id={name: index for index, name in names.items()},
    )
    problems = report if keep_head else encoder_problems(model, report)
    if not problems.is_whole:
        raise InputError(
            f"{base} does not load whole: {problems.problems()}",
            "Put the files back that the study was planned with.",
        )
    if not keep_head and stored_head(base, len(names)):
        renew_head(model, head_seed)
    return model


def _train(
    model: Any,
    tokenizer: Any,
    train: Dataset,
    seeds: ModelSeeds,
    section: FinetuneSection,
    workplace: Path,
    advance: Callable[[], object],
    saving: Saving,
) -> TrainingLog:
    arguments = _arguments(section, seeds.data, len(train), workplace)
    watch = Watch(seeds, advance)
    trainer = _Trainer(
        model=model,
        args=arguments,
        train_dataset=_examples(train, tokenizer, model),
        data_collator=_Collator(padding_of(model.config, tokenizer)),
        callbacks=[watch, saving],
    )
    trainer.remove_callback(PrinterCallback)  # it writes to stdout
    # The trainer seeds itself when it is made; seeded again, the order cannot depend on what
    # making it has drawn.
    set_seed(seeds.data)
    start = time.perf_counter()
    with threads_for(model):
        result = trainer.train()
    seconds = time.perf_counter() - start
    finite = all(bool(torch.isfinite(weight).all()) for weight in model.state_dict().values())
    if not finite or not math.isfinite(result.training_loss):
        raise diverged(seeds, result.global_step)
    return TrainingLog(watch.steps, seconds)


@contextmanager
def _own_garbage() -> Iterator[None]:
    """Garbage collections see only what was made inside, and leave nothing of it behind.

    A training begins with one, which in a process with these libraries loaded takes as long as
    thirty steps of a small model. A trainer and its model refer to each other: without one at the
    end, each model would stay until Python next looks through everything, which may be never.
    """
    gc.freeze()
    try:
        yield
    except BaseException as error:
        # An error that is kept keeps the variables of all functions that it came through.
        traceback.clear_frames(error.__traceback__)
        raise
    finally:
        gc.collect()
        gc.unfreeze()


class _Trainer(Trainer):  # type: ignore[misc]
    """A Trainer that does not count operations, which nothing here reads: counting walks all
    modules at every step and took 5 % of the time of a small model."""

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        return 0


def _arguments(
    section: FinetuneSection, data_seed: int, examples: int, workplace: Path
) -> TrainingArguments:
    settings: dict[str, Any] = {
        # Without it the Trainer refuses bf16 where there is no accelerator.
        "use_cpu": not torch.accelerator.is_available(),
        "logging_steps": max(1, total_steps(examples, section) // _LOGGED),
        "dataloader_pin_memory": torch.cuda.is_available(),
    }
    settings |= section.trainer
    settings |= {
        "output_dir": str(workplace),
        "per_device_train_batch_size": section.batch_size,
        "learning_rate": section.learning_rate,
        "num_train_epochs": section.epochs,
        "max_steps": section.max_steps if section.max_steps is not None else -1,
        "bf16": section.precision == "bf16",
        "seed": data_seed,
        "data_seed": data_seed,
        # Only the kernels of accelerators need to be told to be deterministic.
        "full_determinism": torch.cuda.is_available() and not section.trainer.get("use_cpu"),
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "log_level": "error",
        # Otherwise a loss that is NaN is shown as the mean of the ones before.
        "logging_nan_inf_filter": False,
        "remove_unused_columns": False,
    }
    return TrainingArguments(**settings)


def _examples(train: Dataset, tokenizer: Any, model: Any) -> list[dict[str, Any]]:
    limit = longest_input(model.config, tokenizer)
    columns = [train.frame[column].to_list() for column in train.text_columns]
    encoded = tokenizer(*columns, truncation=limit is not None, max_length=limit)
    names = read_names(model, (name for name in encoded if name != "attention_mask"))
    return [
        {"labels": label, **{name: encoded[name][row] for name in names}}
        for row, label in enumerate(train.frame["label"].to_list())
    ]


@dataclass(frozen=True)
class _Collator:
    """Pads the examples of a batch to the longest of them.

    It does for token ids what DataCollatorWithPadding does, without its checks, which took as
    long as a step of a small model.
    """

    padding: Padding

    def __call__(self, examples: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        lengths = [len(example["input_ids"]) for example in examples]
        batch = {"labels": torch.tensor([example["labels"] for example in examples])}
        for name in examples[0].keys() - {"labels"}:
            fill = self.padding.token_id if name == "input_ids" else 0
            rows = [example[name] for example in examples]
            batch[name] = torch.from_numpy(self.padding.table(rows, lengths, fill))
        batch["attention_mask"] = torch.from_numpy(self.padding.mask(lengths))
        return batch
