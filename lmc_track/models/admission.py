"""Whether a checkpoint from elsewhere can be a model of a study.

Knows what two classifiers must have in common for the straight line between their weights to
be a line of classifiers: architecture, vocabulary, labels, tensors. Everything is checked
before anything is recorded, and code that comes with a checkpoint is never run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from lmc_track.errors import InputError
from lmc_track.models.checkpoints import check_checkpoint, stored_tensors
from lmc_track.models.foreign import of_others, read_object
from lmc_track.models.functions import settings_that_matter
from lmc_track.models.loading import listed, load_reported
from lmc_track.models.silence import silent_transformers

_FLOATS = frozenset({"F64", "F32", "F16", "BF16"})
_INTEGERS = frozenset({"I64", "I32", "I16", "I8", "U8", "BOOL"})
_MERGE = (
    'python -c "from peft import AutoPeftModelForSequenceClassification as A; '
    "A.from_pretrained('{folder}').merge_and_unload().save_pretrained('{folder}-merged')\""
)


@dataclass(frozen=True)
class Frame:
    """What every classifier of a study must be like.

    ``shapes`` are those of all tensors by name; ``outputs`` maps the tensors that belong to
    the labels to the axis along which there is one entry a label.
    """

    config: Any
    n_labels: int
    shapes: Mapping[str, tuple[int, ...]]
    outputs: Mapping[str, int]


@dataclass(frozen=True)
class Admitted:
    """A checkpoint that fits; ``label_names`` are its config's, in the order of its outputs.

    ``model`` is the classifier as loaded.
    """

    label_names: tuple[str, ...]
    model: Any


def frame_of(folder: Path, n_labels: int) -> Frame:
    """What classifiers of ``n_labels`` on the encoder (or classifier) in ``folder`` look like.

    No weights are read: the networks are made without any.
    """
    config = _read_config(folder, str(folder))
    with of_others(f"transformers cannot make the network that {folder} describes"):
        shapes, more = _shapes(config, n_labels), _shapes(config, n_labels + 1)
    outputs = {
        name: next(axis for axis, size in enumerate(shape) if size != more[name][axis])
        for name, shape in shapes.items()
        if shape != more[name]
    }
    return Frame(config, n_labels, shapes, outputs)


def _shapes(config: Any, n_labels: int) -> dict[str, tuple[int, ...]]:
    from copy import deepcopy

    from transformers import AutoModelForSequenceClassification

    sized = deepcopy(config)
    sized.num_labels = n_labels
    with silent_transformers(), torch.device("meta"):
        model = AutoModelForSequenceClassification.from_config(sized, trust_remote_code=False)
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def check_files(folder: Path, shown: str) -> None:
    """Raise InputError unless ``folder`` holds all weights of a classifier, as safetensors."""
    if (folder / "adapter_config.json").is_file():
        raise InputError(
            f"{shown} holds an adapter (LoRA or the like), not the weights of a whole model",
            f"Merge it into its base model and register that: {_MERGE.format(folder=folder)}",
        )
    inner = folder / "model"
    if not (folder / "config.json").is_file() and (inner / "config.json").is_file():
        raise InputError(
            f"{shown} holds no config.json, but {inner} does", f"Register that folder: {inner}"
        )
    check_checkpoint(folder)
    config = read_object(folder / "config.json")
    odd = [t for t in stored_tensors(folder) if t.dtype not in _FLOATS | _INTEGERS]
    if "quantization_config" in config or odd:
        raise InputError(
            f"{shown} holds quantized weights, between which there is no straight line",
            "Register the model as it was before it was quantized.",
        )


def admit(folder: Path, shown: str, frame: Frame) -> Admitted:
    """Check that the classifier in ``folder``, which users know as ``shown``, fits ``frame``.

    Raises:
        InputError: it does not, or its weights are damaged, incomplete, NaN or infinite.
    """
    config = check_settings(folder, shown, frame)
    model = _check_weights(folder, frame, shown)
    with of_others(f"{shown}: id2label does not name its labels by number"):
        names = tuple(str(config.id2label[n]) for n in range(config.num_labels))
    return Admitted(names, model)


def check_settings(folder: Path, shown: str, frame: Frame) -> Any:
    """The configuration of the classifier in ``folder``, with which weights that fit ``frame``
    compute what those of the study's models compute.

    Raises:
        InputError: with its configuration the same weights are another function.
    """
    config = _read_config(folder, shown)
    _check_config(config, frame, shown)
    return config


def _read_config(folder: Path, shown: str) -> Any:
    from transformers import AutoConfig
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES as CLASSIFIERS,
    )

    try:
        with silent_transformers():
            config = AutoConfig.from_pretrained(
                str(folder), local_files_only=True, trust_remote_code=False
            )
    except Exception as error:  # whatever transformers makes of an odd file
        if "custom code" in str(error):
            raise InputError(
                f"{shown} can only be loaded with code of its own, which is never run",
                "Only architectures that transformers has can be registered.",
            ) from None
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise InputError(
            f"transformers cannot read {shown}: {reason}", "Copy or download the model again."
        ) from None
    if config.model_type not in CLASSIFIERS:
        raise InputError(
            f"{shown} is of the architecture {config.model_type!r}, of which transformers has no "
            "sequence classifier",
            "Register text classifiers such as BERT, RoBERTa, DeBERTa or ELECTRA.",
        )
    return config


def _check_config(config: Any, frame: Frame, shown: str) -> None:
    wanted = frame.config
    if not isinstance(getattr(config, "vocab_size", None), int):
        raise InputError(
            f"{shown}: vocab_size is not a number in its configuration",
            "Copy or download the model again.",
        )
    if config.problem_type == "multi_label_classification":
        raise InputError(
            f"{shown} has a multi-label head: each label is answered by itself, so its outputs are "
            "not the probabilities of one label each",
            "Register classifiers that choose one label.",
        )
    if config.model_type != wanted.model_type:
        raise InputError(
            f"{shown} is of the architecture {config.model_type}, the study's models are "
            f"{wanted.model_type}",
            "A line of weights joins only models of one architecture: make another study of it.",
        )
    if config.vocab_size != wanted.vocab_size:
        raise InputError(
            f"{shown} has a vocabulary of {config.vocab_size:,} tokens, the study's models have "
            f"{wanted.vocab_size:,}",
            "It was finetuned from another base model: make another study of it.",
        )
    if config.num_labels != frame.n_labels:
        raise InputError(
            f"{shown} has {config.num_labels} labels, the study's task has {frame.n_labels}",
            "Register it in a study of its own task.",
        )
    theirs = settings_that_matter(config)
    for name, ours in settings_that_matter(wanted).items():
        # Where one names no padding token, that of the other or of the tokenizer is taken.
        unnamed = name == "pad_token_id" and None in (ours, theirs.get(name))
        if not unnamed and ours != theirs.get(name):
            raise InputError(
                f"{shown}: {name} is {theirs.get(name)!r} in its configuration, the study's models "
                f"have {ours!r}",
                "With other settings the same weights are another function: make another study.",
            )


def _check_weights(folder: Path, frame: Frame, shown: str) -> Any:
    try:
        model, report = load_reported(folder)
    except Exception as error:  # whatever transformers makes of odd files
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise InputError(
            f"the weights of {shown} cannot be read: {reason}", "Copy or download the model again."
        ) from None
    if report.missing:
        raise InputError(
            f"{shown} has no weights for {listed(report.missing)}: it is no whole classifier",
            "Register a model that was finetuned to classify, with its head.",
        )
    if report.mismatched:
        raise InputError(
            f"{shown}: {listed(report.mismatched)} has another shape than its configuration says",
            "Copy or download the model again.",
        )
    if report.unexpected:
        raise InputError(
            f"{shown} has weights that a {frame.config.model_type} classifier has no place for: "
            f"{listed(report.unexpected)}",
            "Load it with transformers and save it again, if they are of no use.",
        )
    for name, tensor in model.state_dict().items():
        if tuple(tensor.shape) != frame.shapes.get(name):
            raise InputError(
                f"{shown}: tensor {name!r} is {tuple(tensor.shape)}, in the study's models "
                f"{frame.shapes.get(name, 'absent')}",
                "Only models of one shape can be joined by a line.",
            )
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise InputError(
                f"the weights of {shown} are not finite: tensor {name!r} holds NaN or infinite "
                "values",
                "Leave it out: its training failed.",
            )
    return model
