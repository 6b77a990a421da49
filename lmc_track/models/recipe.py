"""How a model is finetuned, apart from its seeds: checked, and reduced to what matters."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import types
from collections.abc import Mapping
from enum import Enum
from typing import Any, Union, get_args, get_origin

from lmc_track.errors import InputError
from lmc_track.spelling import nearest
from lmc_track.study.sections import RESERVED_TRAINER_KEYS, FinetuneSection

RECIPE_SCHEMA = 1

# What the program decides, beside the keys that the study file itself refuses.
DECIDED_HERE = frozenset(
    {
        "auto_find_batch_size", "disable_tqdm", "enable_jit_checkpoint", "eval_on_start",
        "logging_nan_inf_filter", "log_level", "log_level_replica", "remove_unused_columns",
        "save_steps",
    }
)  # fmt: skip

# Settings that change what is shown or how fast it goes, not the model that comes out.
_WITHOUT_EFFECT = frozenset(
    {
        "log_on_each_node", "logging_first_step", "logging_steps", "logging_strategy",
        "dataloader_multiprocessing_context", "dataloader_num_workers",
        "dataloader_persistent_workers", "dataloader_pin_memory", "dataloader_prefetch_factor",
        "include_num_input_tokens_seen", "skip_memory_metrics", "torch_empty_cache_steps",
    }
)  # fmt: skip


def total_steps(examples: int, section: FinetuneSection) -> int:
    """How many optimizer steps ``section`` asks for on so many training examples."""
    if section.max_steps is not None:
        return section.max_steps
    accumulated = int(section.trainer.get("gradient_accumulation_steps", 1))
    batches = examples / section.batch_size
    whole = math.floor if section.trainer.get("dataloader_drop_last") else math.ceil
    return math.ceil(max(math.ceil(whole(batches) / accumulated), 1) * section.epochs)


def recipe(finetune: FinetuneSection, *, renews_head: bool = False) -> dict[str, Any]:
    """A schema version and the training settings that differ from their defaults.

    Seeds, evaluation, paths and package versions are no part of it. Settings of ``trainer``
    stand under their own names, with the defaults of ``transformers.TrainingArguments``.
    ``renews_head`` is of base models that have a head, which is made anew: once it was kept.
    """
    settings: dict[str, Any] = {"schema": RECIPE_SCHEMA}
    names = ["max_steps" if finetune.max_steps is not None else "epochs"]
    names += ["learning_rate", "batch_size", "precision"]
    for name in names:
        value = getattr(finetune, name)
        if value != FinetuneSection.model_fields[name].default:
            settings[name] = value
    if renews_head:
        settings["head"] = "new"
    fields = _trainer_fields() if finetune.trainer else {}
    changed = {
        name: _canonical(value, fields[name])
        for name, value in finetune.trainer.items()
        if name not in _WITHOUT_EFFECT and not _is_default(value, fields[name])
    }
    if changed:
        settings["trainer"] = dict(sorted(changed.items()))
    return settings


def recipe_digest(settings: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of a recipe, whatever the order of its keys."""
    text = json.dumps(settings, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def check_trainer_options(finetune: FinetuneSection) -> None:
    """Raise InputError for names and values in ``[finetune.trainer]`` that cannot work.

    All problems are told at once.
    """
    if not finetune.trainer:
        return
    fields = _trainer_fields()
    problems = [
        problem
        for name, value in finetune.trainer.items()
        if (problem := _problem(name, value, fields)) is not None
    ]
    if problems:
        raise InputError("\n".join(f"finetune.trainer.{problem}" for problem in problems))


def _problem(name: str, value: Any, fields: dict[str, dataclasses.Field[Any]]) -> str | None:
    if name in DECIDED_HERE or name in RESERVED_TRAINER_KEYS:
        return f"{name}: decided by the program; leave it out"
    if name not in fields:
        if name == "warmup_ratio":
            return "warmup_ratio: now called warmup_steps, where less than 1 is a share of all"
        known = [n for n in fields if n not in DECIDED_HERE | RESERVED_TRAINER_KEYS]
        near = nearest(name, known, likeness=0)
        return f"{name}: no setting of transformers.TrainingArguments; did you mean {near!r}?"
    if not _fits(value, fields[name].type):
        return f"{name}: must be {_shown(fields[name].type)}, not {value!r}"
    choices = [kind for kind in _alternatives(fields[name].type) if _is_enum(kind)]
    if choices and isinstance(value, str):
        allowed = [str(member.value) for kind in choices for member in kind]
        if value not in allowed:
            return f"{name}: must be one of {', '.join(allowed)}, not {value!r}"
    return None


def _trainer_fields() -> dict[str, dataclasses.Field[Any]]:
    from transformers import TrainingArguments

    return {field.name: field for field in dataclasses.fields(TrainingArguments) if field.init}


def _alternatives(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _fits(value: Any, kind: Any) -> bool:
    for one in _alternatives(kind):
        plain = get_origin(one) or one
        if not isinstance(plain, type):
            return True
        if _is_enum(plain) and isinstance(value, str):
            return True
        if isinstance(value, bool):
            if plain is bool:
                return True
        elif isinstance(value, plain) or (plain is float and isinstance(value, int)):
            return True
    return False


def _shown(kind: Any) -> str:
    names = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
    kinds = [get_origin(one) or one for one in _alternatives(kind) if one is not type(None)]
    shown = [names.get(one, getattr(one, "__name__", str(one))) for one in kinds]
    return " or ".join(dict.fromkeys(shown))


def _canonical(value: Any, field: dataclasses.Field[Any]) -> Any:
    """0 and 0.0 are one setting where a number with a fraction is expected."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if whole and float in _alternatives(field.type):
        return float(value)
    return value


def _is_default(value: Any, field: dataclasses.Field[Any]) -> bool:
    default = field.default
    if default is dataclasses.MISSING:
        default = None
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
    if isinstance(default, Enum):
        default = default.value
    return bool(value == default)
