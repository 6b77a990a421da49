"""What a study will do, worked out and checked before anything is written."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lmc_track.errors import InputError
from lmc_track.geometry.encoding import EncodedDataset
from lmc_track.geometry.grid import common_grid
from lmc_track.geometry.token_cache import TokenCache
from lmc_track.models.base import (
    base_digest,
    longest_input,
    read_base,
    reader_digest,
    resolve_base,
    tokenizer_digest,
)
from lmc_track.models.base_loading import check_base
from lmc_track.models.padding import padding_of
from lmc_track.models.padding_probe import check_batches, probe_rows
from lmc_track.models.pretraining import pretrained_base
from lmc_track.models.recipe import (
    check_trainer_options,
    recipe,
    recipe_digest,
    total_steps,
)
from lmc_track.progress import Progress
from lmc_track.spelling import suggestion
from lmc_track.steps.pairs import check_pairs
from lmc_track.study import ModelSeeds, Study, parse_seeds
from lmc_track.study.tabular_section import TabularTask
from lmc_track.study.task_sections import AgreementTask
from lmc_track.tasks.dataset import Dataset
from lmc_track.tasks.loading import load_task
from lmc_track.tasks.sampling import sample
from lmc_track.tasks.task import Task
from lmc_track.tracking.keys import model_key
from lmc_track.tracking.location import Location, prepare
from lmc_track.tracking.studies import RecordedDataset, RecordedModel, StudyFacts

# Texts of which the longest is what a base model is tried with.
_TRIED = 50


@dataclass(frozen=True)
class Plan:
    """A checked study: its data, its base model, and the facts that go on record.

    ``base`` gives configuration and tokenizer; ``origin`` is where finetuning began, None in a
    study of registered models that names no base model.
    """

    study: Study
    location: Location
    task: Task
    base: Path
    origin: Path | None
    datasets: dict[str, Dataset]
    encoded: dict[str, EncodedDataset]
    facts: StudyFacts
    recipe: dict[str, Any]

    @property
    def precision(self) -> str:
        return self.study.evaluate.precision


def plan_study(
    study: Study,
    location: Location,
    progress: Progress,
    environ: Mapping[str, str] | None = None,
    *,
    registered: Sequence[RecordedModel] = (),
    stand_in: Path | None = None,
) -> Plan:
    """Read the data, find (or make) the base model, and work out every model's key.

    ``registered`` are the models on record that no seed makes; ``stand_in`` is a classifier that
    gives configuration and tokenizer where no base model is named and no seed needs one.

    Raises:
        InputError: anything the study names is missing or does not fit; nothing was recorded.
    """
    environ = os.environ if environ is None else environ
    check_trainer_options(study.finetune)
    task = load_task(study.task, environ)
    names = evaluation_sets(study, task)
    seeds = planned_seeds(study)
    trained_on = {one: task.train_for(one).digest for one in seeds}
    datasets = {
        name: sample(task.evaluation(name), study.evaluate.max_examples, study.evaluate.sample)
        for name in names
    }
    _check_diagnostic(study, datasets)
    _check_steps(study, task, seeds)
    wanted = [(step, one) for step in (None, *study.finetune.track_steps) for one in seeds]
    model_names = [one.name if step is None else f"{one.name}-step-{step}" for step, one in wanted]
    check_pairs(study, [*model_names, *(model.name for model in registered)])
    origin: Path | None
    if isinstance(study.task, AgreementTask) and study.makes_base:
        prepare(location)
        origin = base = pretrained_base(study.task, location.cache, progress)
    elif study.model.base or seeds or stand_in is None:
        origin = base = resolve_base(
            study.model.base, study.model.revision, location.cache, environ
        )
    else:
        origin, base = None, stand_in
    renews_head = _check_model(study, task, base, origin, datasets, progress)
    # What a user can get wrong was found by now: a home is not made for what cannot be run.
    prepare(location)
    encoded = _encode(datasets, base, location.cache / "tokens")
    settings = recipe(study.finetune, renews_head=renews_head)
    recipe_id = recipe_digest(settings)
    base_id = base_digest(origin) if origin is not None else ""
    models = tuple(
        RecordedModel(
            name,
            position,
            one.head,
            one.data,
            model_key(recipe_id, one.head, one.data, base_id, trained_on[one], step),
            task.planted_kind(one),
            step=step,
            checkpoint_of=None if step is None else one.name,
        )
        for position, (name, (step, one)) in enumerate(zip(model_names, wanted, strict=True))
    )
    facts = StudyFacts(
        name=study.name,
        file=_resolved(study, environ),
        identity={
            "task": study.task.identity(),
            "base_digest": base_id or None,
            "label_names": list(task.label_names),
            # What only finetuning needs is not looked at before a study has seeds.
            "training_data_digest": _common_digest([data.digest for data in task.training_sets()])
            if seeds
            else None,
            "finetune": settings if seeds else None,
        }
        | ({} if origin else {"reader_digest": reader_digest(base)}),
        metric=task.metric,
        label_names=task.label_names,
        text_columns=task.text_columns,
        base=_base_name(study, task),
        base_folder=str(base),
        precision=study.evaluate.precision,
        primary_diagnostic=study.cluster.primary_diagnostic or task.primary_diagnostic,
        primary_method=study.cluster.methods[0],
        alphas=_grid(study),
        models=(*models, *registered),
        datasets=tuple(
            RecordedDataset(name, data.role, data.digest, encoded[name].digest)
            for name, data in datasets.items()
        ),
    )
    return Plan(study, location, task, base, origin, datasets, encoded, facts, settings)


def planned_seeds(study: Study) -> list[ModelSeeds]:
    """The models of a study in seed order: every head seed with every data seed, or pairs."""
    section = study.finetune
    if section.seeds == []:
        return []
    if section.head_seeds is None and section.data_seeds is None:
        return [ModelSeeds(seed, seed) for seed in parse_seeds(section.seeds)]
    heads = parse_seeds(section.head_seeds if section.head_seeds is not None else [0])
    data = parse_seeds(section.data_seeds if section.data_seeds is not None else [0])
    return [ModelSeeds(head, order) for head in heads for order in data]


def _check_model(
    study: Study,
    task: Task,
    base: Path,
    origin: Path | None,
    datasets: Mapping[str, Dataset],
    progress: Progress,
) -> bool:
    """Load the base model once, and say whether models get a new head instead of one it has.

    Raises:
        InputError: its encoder does not load whole, its head cannot be kept, or it reads padded
            texts as other texts.
    """
    shown = f"model.base: {study.model.base or base}"
    model, head = check_base(base, len(task.label_names), shown, study.finetune.keep_head)
    config, tokenizer = read_base(base)
    rows = probe_rows(tokenizer, _tried_texts(datasets), longest_input(config, tokenizer))
    check_batches(model, padding_of(config, tokenizer), rows, shown)
    if origin is None or not head or not planned_seeds(study) or study.finetune.keep_head:
        return False
    progress.note(
        f"The base model has a classification head already ({', '.join(head)}): every model gets "
        "a new one from its head seed (finetune.keep_head = true keeps it)."
    )
    return True


def _tried_texts(datasets: Mapping[str, Dataset]) -> list[str]:
    """The longest of the first texts, or the two of an example that are read together."""
    data = next(iter(datasets.values()))
    rows = data.frame.select(data.text_columns).head(_TRIED).rows()
    return list(max(rows, key=lambda texts: sum(map(len, texts))))


def _check_steps(study: Study, task: Task, seeds: Sequence[ModelSeeds]) -> None:
    """Raise InputError where a tracked step does not come before the end of training."""
    tracked = study.finetune.track_steps
    if tracked and seeds:
        last = total_steps(len(task.train_for(seeds[0])), study.finetune)
        if tracked[-1] >= last:
            raise InputError(
                f"finetune.track_steps: {tracked[-1]} does not come before the end of training, "
                f"which is step {last}",
                f"Name steps from 1 to {last - 1}; the end is a model anyway.",
            )


def _common_digest(digests: list[str]) -> str:
    """The digest of the one training set, or one of the digests of several."""
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256(" ".join(sorted(digests)).encode()).hexdigest()


def _resolved(study: Study, environ: Mapping[str, str]) -> dict[str, Any]:
    """The study file with every default filled in and folders absolute.

    So a recorded study can be run by its name from anywhere.
    """
    content = study.model_dump(mode="json")
    if isinstance(study.task, TabularTask) and not environ.get("LMC_DATA_DIR"):
        content["task"]["data_dir"] = study.task.data_dir or "."
    for section, key in (("model", "base"), ("task", "data_dir")):
        folder = content[section].get(key)
        if folder and Path(folder).expanduser().is_dir():
            content[section][key] = str(Path(folder).expanduser().resolve())
    return content


def _base_name(study: Study, task: Task) -> str:
    """The base model as people know it; empty where none is named."""
    if isinstance(study.task, AgreementTask) and study.makes_base:
        return f"{task.name} base model, seed {study.task.base_seed}"
    return study.model.base


def _grid(study: Study) -> tuple[float, ...]:
    if study.interpolate.alphas is not None:
        return tuple(study.interpolate.alphas)
    return common_grid(study.interpolate.points)


def evaluation_sets(study: Study, task: Task) -> list[str]:
    wanted = study.evaluate.datasets
    if wanted is None:
        return list(task.evaluation_sets)
    for name in wanted:
        if name not in task.evaluation_sets:
            raise InputError(
                f"evaluate.datasets: the task {task.name} has no evaluation set {name!r}",
                suggestion(name, task.evaluation_sets, listing="It has"),
            )
    return wanted


def _check_diagnostic(study: Study, datasets: Mapping[str, Dataset]) -> None:
    if study.cluster.primary_diagnostic is None:
        return
    dataset, subset, _ = study.cluster.primary_diagnostic.split(":")
    if dataset not in datasets:
        raise InputError(
            f"cluster.primary_diagnostic: the study evaluates no set {dataset!r}",
            suggestion(dataset, datasets, listing="It evaluates"),
        )
    subsets = sorted({name for row in datasets[dataset].frame["subsets"] for name in row})
    if subset not in ("all", *subsets):
        raise InputError(
            f"cluster.primary_diagnostic: {dataset} has no subset {subset!r}",
            suggestion(
                subset, ["all", *(name for name in subsets if name != "all")], listing="It has"
            ),
        )


def _encode(datasets: Mapping[str, Dataset], base: Path, cache: Path) -> dict[str, EncodedDataset]:
    config, tokenizer = read_base(base)
    tokens = TokenCache(
        cache,
        tokenizer_digest(base),
        longest_input(config, tokenizer),
        padding_of(config, tokenizer),
    )
    return {name: tokens.get(data, tokenizer) for name, data in datasets.items()}
