"""The data of a study file, looked at before anything is trained: no model is needed for it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from lmc_track.errors import InputError
from lmc_track.geometry.encoding import EncodedDataset
from lmc_track.models.base import longest_input, read_base
from lmc_track.models.hub import fetch_tokenizer
from lmc_track.models.pretraining import base_tokenizer
from lmc_track.progress import Progress
from lmc_track.steps.planning import Plan, evaluation_sets, planned_seeds
from lmc_track.study import Study
from lmc_track.study.imported_section import ImportedTask
from lmc_track.study.task_sections import AgreementTask
from lmc_track.tasks.dataset import Dataset
from lmc_track.tasks.loading import load_task
from lmc_track.tasks.sampling import sample
from lmc_track.tasks.summary import Count, Truncated, summarize
from lmc_track.tasks.task import Task
from lmc_track.tracking.location import Location

# Texts that are tokenized together.
_TEXTS = 10_000
_SCHEMA = {
    "set": pl.String,
    "what": pl.String,
    "detail": pl.String,
    "examples": pl.Int64,
    "share": pl.Float64,
    "concern": pl.Boolean,
}


def data_summary(
    study: Study,
    location: Location,
    progress: Progress,
    environ: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """One row for each count, columns set, what, detail, examples, share and concern.

    Nothing is recorded, and no home is made. Of a base model only the tokenizer is read; where
    there is none at hand, how many texts are truncated is null.

    Raises:
        InputError: the data cannot be read.
    """
    environ = os.environ if environ is None else environ
    if isinstance(study.task, ImportedTask):
        raise InputError(
            f"The study {study.name!r} is of imported results: there are no data to look at",
            "Name a study file with a task of its own.",
        )
    task = load_task(study.task, environ)
    evaluated = [
        sample(task.evaluation(name), study.evaluate.max_examples, study.evaluate.sample)
        for name in evaluation_sets(study, task)
    ]
    train = training_data(study, task)
    with progress.track("Counting texts", len(train) + len(evaluated), "sets") as work:
        count = _counting(study, location, environ, progress)

        def truncated(data: Dataset) -> int:
            assert count is not None
            n = count(data)
            work.advance()
            return n

        counts = summarize(train, evaluated, task.label_names, None if count is None else truncated)
    return _frame(counts)


def training_data(study: Study, task: Task) -> list[Dataset]:
    """The different training sets of the study; none where it finetunes nothing."""
    sets = [task.train_for(seeds) for seeds in planned_seeds(study)]
    return list({data.digest: data for data in sets}.values())


def concerns(plan: Plan) -> list[str]:
    """What of the data of a planned study results may suffer from, a line each, and one of sizes.

    Of training texts nothing is tokenized.
    """
    train = training_data(plan.study, plan.task)
    _, tokenizer = config_and_tokenizer = read_base(plan.base)
    longest = longest_input(*config_and_tokenizer)

    def truncated(data: Dataset) -> int:
        encoded = plan.encoded.get(data.name)
        if encoded is None or data.role == "train" or longest is None:
            return 0
        return _cut(data, encoded, tokenizer, longest)

    counts = summarize(train, plan.datasets.values(), plan.facts.label_names, truncated)
    sizes = ", ".join(f"{one.name} {one.n:,}" for one in counts if one.what == "examples")
    lines = [f"Data: {sizes} examples; lmc-track check tells more."]
    return lines + [f"  {_line(one)}" for one in counts if one.concern]


def _line(one: Count) -> str:
    share = "" if one.share is None else f" ({one.share:.1%})"
    detail = f", {one.detail}" if one.detail else ""
    return f"{one.name}: {one.what}{detail}: {one.n:,}{share}"


def _cut(data: Dataset, encoded: EncodedDataset, tokenizer: Any, longest: int) -> int:
    """How many texts were longer: only those that fill all places are tokenized again."""
    full = (encoded.lengths >= longest).nonzero()[0]
    if not len(full):
        return 0
    return _longer(data.frame[full.tolist()], data.text_columns, tokenizer, longest)


def _longer(frame: pl.DataFrame, columns: Sequence[str], tokenizer: Any, longest: int) -> int:
    n = 0
    for part in frame.iter_slices(_TEXTS):
        texts = [part[column].to_list() for column in columns]
        encoded = tokenizer(*texts, truncation=False, verbose=False)
        n += sum(len(ids) > longest for ids in encoded["input_ids"])
    return n


def _counting(
    study: Study, location: Location, environ: Mapping[str, str], progress: Progress
) -> Truncated | None:
    """What counts the texts that are longer than the base model reads, or None."""
    try:
        if isinstance(study.task, AgreementTask) and study.makes_base:
            tokenizer, longest = base_tokenizer(), base_tokenizer().model_max_length
        else:
            if not study.model.base:
                return None
            folder = Path(study.model.base).expanduser()
            if not folder.is_dir():
                folder = fetch_tokenizer(
                    study.model.base, study.model.revision, location.cache, environ
                )
            config, tokenizer = read_base(folder)
            longest = longest_input(config, tokenizer)
    except InputError as error:
        progress.note(f"Truncated texts are not counted: {error.message}.")
        return None
    if longest is None:
        return lambda data: 0
    limit = int(longest)
    return lambda data: _longer(data.frame, data.text_columns, tokenizer, limit)


def _frame(counts: Sequence[Count]) -> pl.DataFrame:
    rows = [
        (one.name, one.what, one.detail or None, one.n, one.share, one.concern) for one in counts
    ]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")
