"""The evaluation logs of the models that Juneja et al. (2023) published, a JSON file a model.

``label_dict`` says which number a label has; each of ``samples`` has ``logits``,
``probabilities``, ``label`` and ``sentence``, the input as the tokenizer spells it, with [CLS] and
[SEP]. This does not know which models or data sets are on record.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lmc_track.errors import InputError
from lmc_track.importers.naming import ModelNames, NamedModel, check_distinct, step_in
from lmc_track.importers.text_files import read_json

_PARTS = ("label_dict", "samples")
_REMEDY = "Take the file as it was published."
# Of a label that a model gave no probability at all, the smallest that single precision has.
_LEAST = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True)
class LoggedExamples:
    """The n examples of an evaluation set: labels as indices into ``label_names``, and texts.

    ``texts`` holds the parts between [CLS] and [SEP], a tuple an example, all of one length.
    """

    label_names: tuple[str, ...]
    labels: NDArray[np.int64]
    texts: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class EvaluationLog:
    """What one model said: ``logits`` (n, labels) and ``loss`` (n,) in nats, both float32.

    Where the log has logits of other labels than its own, as of three-way models on HANS, its
    probabilities stand for them, as logarithms: ``projected``.
    """

    model: NamedModel
    logits: NDArray[np.float32]
    loss: NDArray[np.float32]
    projected: bool


@dataclass(frozen=True)
class EvaluationLogs:
    """Logs of several models on the same examples; ``skipped`` are names that are no models."""

    examples: LoggedExamples
    logs: tuple[EvaluationLog, ...]
    skipped: tuple[str, ...]


def read_evaluation_logs(paths: Sequence[Path], names: ModelNames) -> EvaluationLogs:
    """The logs in ``paths``: files, or folders whose ``.json`` files they are.

    A model is called by the name of its file without ``.json``. All must have the same examples in
    the same order; labels may be numbered differently.

    Raises:
        InputError: there is no log, one cannot be read, or they are of different examples or
            labels; names the file and where in it.
    """
    reference: tuple[Path, LoggedExamples] | None = None
    logs: list[EvaluationLog] = []
    skipped: list[str] = []
    for file in _files(paths):
        name = names.name(file.stem)
        if name is None:
            skipped.append(file.name)
            continue
        model = NamedModel(name, file.stem, str(file), step_in(Path(file.name)))
        examples, log = read_evaluation_log(file, model)
        if reference is None:
            reference = file, examples
        else:
            log = _as_in(reference, file, examples, log)
        logs.append(log)
    if reference is None:
        raise InputError(
            f"{', '.join(map(str, paths[:3]))}: no file is the log of a model by "
            f"{names.match.pattern!r}",
            "Name .json files, or folders of them; --match says which are models.",
        )
    check_distinct(log.model for log in logs)
    seen: dict[tuple[str, int | None], str] = {}
    for log in logs:
        other = seen.setdefault((log.model.name, log.model.step), log.model.where)
        if other != log.model.where:
            raise InputError(
                f"{log.model.where}: the model {log.model.name!r} is there twice (first: {other})",
                "Keep one log for each model.",
            )
    return EvaluationLogs(reference[1], tuple(logs), tuple(skipped))


def _files(paths: Iterable[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        if not path.exists():
            raise InputError(f"there is no {path}", "Name .json files, or folders of them.")
        files += sorted(path.glob("*.json")) if path.is_dir() else [path]
    return list(dict.fromkeys(files))


def read_evaluation_log(file: Path, model: NamedModel) -> tuple[LoggedExamples, EvaluationLog]:
    """One log: its examples, and what the model said.

    Raises:
        InputError: it is not of that form; names the file, and the sample counted from 0.
    """
    content = read_json(file)
    if not isinstance(content, dict) or any(part not in content for part in _PARTS):
        raise InputError(f"{file}: no {' and '.join(_PARTS)} in it", _REMEDY)
    label_names = _label_names(file, content["label_dict"])
    samples = content["samples"]
    if not isinstance(samples, list) or not samples:
        raise InputError(f"{file}: samples is no list of samples", _REMEDY)
    n, width = len(samples), len(label_names)
    labels = np.empty(n, dtype=np.int64)
    probabilities = np.empty((n, width))
    raw: list[list[float]] = []
    texts: list[tuple[str, ...]] = []
    for k, sample in enumerate(samples):
        where = f"{file}, samples[{k}]"
        if not isinstance(sample, dict):
            raise InputError(f"{where}: no sample", _REMEDY)
        labels[k] = _label(where, sample.get("label"), label_names)
        probabilities[k] = _shares(where, sample.get("probabilities"), width)
        raw.append(_numbers(where, "logits", sample.get("logits")))
        texts.append(_parts(where, sample.get("sentence")))
    for what, lengths in (
        ("logits", [len(row) for row in raw]), ("parts", [len(parts) for parts in texts])
    ):  # fmt: skip
        if len(set(lengths)) > 1:
            odd = next(k for k, length in enumerate(lengths) if length != lengths[0])
            raise InputError(
                f"{file}, samples[{odd}]: {lengths[odd]} {what}, samples[0] has {lengths[0]}",
                _REMEDY,
            )
    projected = len(raw[0]) != width
    logits = np.log(np.maximum(probabilities, _LEAST)) if projected else np.array(raw)
    highest = logits.max(axis=1)
    total = highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1))
    loss = total - logits[np.arange(n), labels]
    return (
        LoggedExamples(label_names, labels, tuple(texts)),
        EvaluationLog(model, logits.astype(np.float32), loss.astype(np.float32), projected),
    )


def _label_names(file: Path, content: Any) -> tuple[str, ...]:
    if not isinstance(content, dict) or len(content) < 2:
        raise InputError(f"{file}: label_dict has no two labels", _REMEDY)
    numbers = list(content.values())
    whole = all(isinstance(number, int) and not isinstance(number, bool) for number in numbers)
    if not whole or sorted(numbers) != list(range(len(numbers))):
        raise InputError(
            f"{file}: label_dict numbers its labels {numbers!r:.80}, not from 0 on", _REMEDY
        )
    return tuple(sorted(content, key=lambda name: int(content[name])))


def _label(where: str, value: Any, names: Sequence[str]) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < len(names):
        raise InputError(
            f"{where}: the label is {value!r:.40}, not one of 0 to {len(names) - 1}", _REMEDY
        )
    return value


def _numbers(where: str, what: str, value: Any) -> list[float]:
    if isinstance(value, list) and value:
        numbers = [
            float(x)
            for x in value
            if isinstance(x, int | float) and not isinstance(x, bool) and abs(x) < 1e30
        ]
        if len(numbers) == len(value):
            return numbers
    raise InputError(f"{where}: {what} is {value!r:.60}, no list of numbers", _REMEDY)


def _shares(where: str, value: Any, width: int) -> list[float]:
    shares = _numbers(where, "probabilities", value)
    if len(shares) != width:
        raise InputError(f"{where}: {len(shares)} probabilities of {width} labels", _REMEDY)
    if min(shares) < 0 or not math.isclose(sum(shares), 1, abs_tol=1e-3):
        raise InputError(f"{where}: the probabilities do not add up to 1", _REMEDY)
    return shares


def _parts(where: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, str):
        raise InputError(f"{where}: the sentence is {value!r:.40}, no text", _REMEDY)
    text = value.strip().removeprefix("[CLS]").removesuffix("[SEP]")
    return tuple(part.strip() for part in text.split("[SEP]"))


def _as_in(
    reference: tuple[Path, LoggedExamples],
    file: Path,
    examples: LoggedExamples,
    log: EvaluationLog,
) -> EvaluationLog:
    """``log`` with its labels in the order of the first file's, whose examples it must have."""
    first, wanted = reference
    if set(examples.label_names) != set(wanted.label_names):
        raise InputError(
            f"{file}: the labels are {', '.join(examples.label_names)}; in {first} they are "
            f"{', '.join(wanted.label_names)}",
            "Import the logs of one evaluation set at a time.",
        )
    if len(examples.texts) != len(wanted.texts):
        raise InputError(
            f"{file}: {len(examples.texts):,} samples; {first} has {len(wanted.texts):,}",
            "Import the logs of one evaluation set at a time.",
        )
    place = [examples.label_names.index(name) for name in wanted.label_names]
    labels = np.argsort(place)[examples.labels]
    for k, (text, other) in enumerate(zip(examples.texts, wanted.texts, strict=True)):
        if text != other or labels[k] != wanted.labels[k]:
            raise InputError(
                f"{file}, samples[{k}]: another example than in {first}",
                "Import the logs of one evaluation set at a time.",
            )
    return replace(log, logits=log.logits[:, place])
