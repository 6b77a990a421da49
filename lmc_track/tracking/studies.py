"""A study as MLflow holds it: one experiment, whose own run keeps ``study.json``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from lmc_track.errors import InputError
from lmc_track.plain_text import markdown_escaped
from lmc_track.tracking.artifact_reading import DamagedArtifactError, damaged, read_json
from lmc_track.tracking.artifacts import Artifacts, set_aside
from lmc_track.tracking.keys import study_key
from lmc_track.tracking.pages import describe_experiment, saved_views
from lmc_track.tracking.recorder import Recorder
from lmc_track.tracking.runs import RunEntry, RunIndex, read_runs
from lmc_track.tracking.stamps import stamped
from lmc_track.tracking.store import Store, reading_store, reporting
from lmc_track.tracking.tags import STUDY_TAG, versions

_FILE, _COPY = "study.json", "study.copy.json"
_FORMAT = 1
_LATE = ("training_data_digest", "finetune")
_OF_IDENTITY = ("task.name", "base_digest")
_OF_FILE = ("study.description",)
_RESTORE = "Restore it from a backup; it is an artifact of the study's own run."


@dataclass(frozen=True)
class RecordedModel:
    """A model of a study; ``position`` is given once, in seed order, and kept.

    ``source`` is ``finetuned``, ``registered`` or ``imported``; only a finetuned model has seeds.
    ``step`` is the training step of a checkpoint, None at the end of training or where not told.
    ``planted`` is the kind of model that its training data are to make of it, in a control.
    ``checkpoint_of`` is the name of the model that the same training ended with, None of that
    model itself: results speak of models without it unless they are asked about training.
    """

    name: str
    position: int
    head_seed: int | None
    data_seed: int | None
    key: str
    planted: str | None = None
    source: str = "finetuned"
    step: int | None = None
    checkpoint_of: str | None = None


@dataclass(frozen=True)
class RecordedDataset:
    """An evaluation set; ``digest`` pins the name to these data, ``encoding`` to their tokens."""

    name: str
    role: str
    digest: str
    encoding: str


@dataclass(frozen=True)
class StudyFacts:
    """What is recorded about a study.

    ``identity`` is what may never change under one name; seeds, evaluation sets and the grid
    may grow.
    """

    name: str
    file: dict[str, Any]
    identity: dict[str, Any]
    metric: str
    label_names: tuple[str, ...]
    text_columns: tuple[str, ...]
    base: str
    base_folder: str
    precision: str
    primary_diagnostic: str
    primary_method: str
    alphas: tuple[float, ...]
    models: tuple[RecordedModel, ...]
    datasets: tuple[RecordedDataset, ...]

    def to_json(self) -> dict[str, Any]:
        return {"format": _FORMAT, "versions": versions(), **asdict(self)}

    def lacking(self) -> str | None:
        """The first part of the study that every study has and this one lacks, or None."""
        parts = ((self.identity, _OF_IDENTITY), (self.file, _OF_FILE))
        return next((key for table, keys in parts for key in keys if not _has(table, key)), None)


def _has(table: Any, dotted: str) -> bool:
    for key in dotted.split("."):
        if not isinstance(table, Mapping) or key not in table:
            return False
        table = table[key]
    return True


class _MadeBy(BaseModel):
    """What ``study.json`` says of the program that wrote it."""

    format: int
    versions: dict[str, str]


@dataclass(frozen=True)
class StudyRecord:
    """An open study: its facts, its runs, and the means to write more of them.

    ``damage``: what is wrong with its file, where the facts are those of the copy.
    """

    facts: StudyFacts
    versions: dict[str, str]
    experiment_id: str
    run: RunEntry
    index: RunIndex
    recorder: Recorder
    artifacts: Artifacts
    damage: DamagedArtifactError | None = None


def study_names(store: Store) -> list[str]:
    """The studies in the store, in the order they were made."""
    return list(study_experiments(store))


def study_experiments(store: Store) -> dict[str, str]:
    """Name of each study in the store to the id of its experiment, in the order they were made."""
    if store.absent:
        return {}
    with reading_store(store.location):
        found = [e for e in store.client.search_experiments() if STUDY_TAG in e.tags]
    ordered = sorted(found, key=lambda e: (e.creation_time or 0, e.name))
    return {e.name: e.experiment_id for e in ordered}


def find_study(store: Store, name: str, kinds: Iterable[str] | None = None) -> StudyRecord | None:
    """The recorded study ``name`` with all its runs, or only those of ``kinds``; or None.

    Raises:
        InputError: MLflow has an experiment of that name that is deleted, or that is not a
            study of this program.
    """
    if store.absent:
        return None
    with reporting(store.location):
        experiment = store.client.get_experiment_by_name(name)
    if experiment is None:
        return None
    if experiment.lifecycle_stage == "deleted":
        raise InputError(
            f"the study {name!r} was deleted in MLflow",
            "Restore it with `mlflow experiments restore -x "
            f"{experiment.experiment_id}` or take another study.name.",
        )
    if STUDY_TAG not in experiment.tags:
        raise InputError(
            f"MLflow has an experiment {name!r} that is not a study of lmc-track",
            "Take another study.name.",
        )
    wanted = None if kinds is None else {"study", *kinds}
    return open_study(
        store, name, experiment.experiment_id, read_runs(store, experiment.experiment_id, wanted)
    )


def open_study(
    store: Store, name: str, experiment_id: str, runs: Iterable[RunEntry]
) -> StudyRecord | None:
    """The study ``name`` with ``runs``, which have its own one if it was ever finished; or None.

    Raises:
        DamagedArtifactError: its file is damaged.
        InputError: it is of a newer version.
    """
    index = RunIndex(runs)
    run = index.find("study", study_key(name))
    if run is None:
        return None
    recorder = Recorder(store, name, experiment_id)
    facts, made_by, damage = _read_facts(recorder.artifacts, run, name)
    return StudyRecord(
        facts, made_by.versions, experiment_id, run, index, recorder, recorder.artifacts, damage
    )


def _read_facts(
    artifacts: Artifacts, run: RunEntry, name: str
) -> tuple[StudyFacts, _MadeBy, DamagedArtifactError | None]:
    """What ``study.json`` says, or its copy where that file is damaged; then also what is wrong.

    A file that can be read but is not the one that its tag tells of was written by a step that
    was interrupted before its tags, which do not count: the copy is then the older state.
    """
    stamps = stamped(run)
    read: list[tuple[StudyFacts, _MadeBy]] = []
    errors: list[DamagedArtifactError] = []
    for artifact in (_FILE, _COPY):
        try:
            path = artifacts.get(run.run_id, run.artifact_uri, artifact, immutable=False)
            read.append(_read_file(run, path, name))
            stamp = stamps.get(artifact)
            if stamp is None or (why := stamp.difference(path)) is None:
                return *read[-1], errors[0] if errors else None
            raise damaged(run, path, why, _RESTORE)
        except DamagedArtifactError as error:
            errors.append(error)
    if not read:
        raise errors[0]
    return *read[0], errors[0]


def _read_file(run: RunEntry, path: Path, name: str) -> tuple[StudyFacts, _MadeBy]:
    made_by = read_json(run, path, _MadeBy, _RESTORE)
    if made_by.format > _FORMAT:
        raise InputError(
            f"the study {name!r} was written by a newer lmc-track", "Upgrade lmc-track."
        )
    facts = read_json(run, path, StudyFacts, _RESTORE)
    if lacking := facts.lacking():
        raise damaged(run, path, f"{lacking} is missing", _RESTORE)
    return facts, made_by


def _write_facts(recorder: Recorder, run: RunEntry, facts: StudyFacts) -> None:
    """The file and, after it, its copy, of which an accident to one leaves the other."""
    for artifact in (_FILE, _COPY):
        recorder.artifacts.put_json(run.run_id, run.artifact_uri, facts.to_json(), artifact)


def sound_artifact(record: StudyRecord, run: RunEntry, name: str) -> Path:
    """The file of an artifact that is never rewritten, which is what was written.

    Raises:
        DamagedArtifactError: it is not.
        WorkError: it cannot be fetched.
    """
    file = record.artifacts.get(run.run_id, run.artifact_uri, name)
    stamp = stamped(run).get(name)
    why = None if stamp is None else stamp.difference(file)
    if why is not None and record.artifacts.drop_cached(run.run_id, run.artifact_uri, name):
        assert stamp is not None
        file = record.artifacts.get(run.run_id, run.artifact_uri, name)
        why = stamp.difference(file)
    if why is not None:
        raise damaged(run, file, why)
    return file


def write_study(store: Store, facts: StudyFacts) -> StudyRecord:
    """Record ``facts``: a new study, or what an old one has gained.

    Raises:
        InputError: the name is taken by a deleted study, or the identity differs.
    """
    record = find_study(store, facts.name)
    if record is None:
        _create(store, facts)
    else:
        merged = record.facts if record.facts == facts else merge(record.facts, facts)
        _describe(store, merged, record.experiment_id)
        if merged == record.facts and record.damage is None:
            return record
        if record.damage is not None and (local := Path(record.damage.file)).is_file():
            set_aside(local)
        _write_facts(record.recorder, record.run, merged)
        record.recorder.log(record.run, tags=record.recorder.raised_revision(record.run))
    written = find_study(store, facts.name)
    assert written is not None
    return written


def add_models(record: StudyRecord, models: Sequence[RecordedModel]) -> StudyRecord:
    """The study with ``models``, which are on record already, among its facts."""
    listed = {model.key for model in record.facts.models}
    added = tuple(model for model in models if model.key not in listed)
    if not added:
        return record
    facts = replace(record.facts, models=record.facts.models + added)
    _write_facts(record.recorder, record.run, facts)
    record.recorder.log(record.run, tags=record.recorder.raised_revision(record.run))
    return replace(record, facts=facts)


def _create(store: Store, facts: StudyFacts) -> None:
    client = store.client
    tags = {STUDY_TAG: facts.name, "mlflow.experimentKind": "custom_model_development"}
    with reporting(store.location):
        experiment = client.get_experiment_by_name(facts.name)
        if experiment is None:
            root = store.location.artifact_root
            experiment_id = client.create_experiment(
                facts.name,
                artifact_location=None if root is None else f"{root}/{facts.name}",
                tags=tags,
            )
        else:
            experiment_id = experiment.experiment_id
    recorder = Recorder(store, facts.name, experiment_id)
    # An experiment without a finished study run is one whose creation was interrupted.
    recorder.delete(run for run in read_runs(store, experiment_id, ["study"]))
    run = recorder.start(
        "study",
        study_key(facts.name),
        f"study {facts.name}",
        f"{_description(facts)}\n\nThe study itself. Artifact study.json: its file as resolved, "
        "and the digests of its parts.",
    )
    _describe(store, facts, experiment_id)
    _write_facts(recorder, run, facts)
    recorder.finish(run)


def _description(facts: StudyFacts) -> str:
    given = facts.file["study"].get("description")
    return markdown_escaped(str(given or f"Linear mode connectivity study {facts.name}."))


def _describe(store: Store, facts: StudyFacts, experiment_id: str) -> None:
    dataset, _, metric = facts.primary_diagnostic.split(":")
    views = saved_views([data.name for data in facts.datasets], facts.metric, dataset, metric)
    describe_experiment(store, experiment_id, _description(facts), views)


def merge(recorded: StudyFacts, wanted: StudyFacts) -> StudyFacts:
    """The recorded study, grown by what ``wanted`` adds.

    Raises:
        InputError: the two are different studies, or the grid or a data set would change.
    """
    known, asked = recorded.identity, wanted.identity
    # A study of registered models learns of finetuning when it gets its first seed.
    late = {name for name in _LATE if known.get(name) is None or asked.get(name) is None}
    differences = _differences(
        {k: v for k, v in known.items() if k not in late},
        {k: v for k, v in asked.items() if k not in late},
    )
    if differences:
        raise InputError(
            f"the study {recorded.name!r} is recorded with another recipe:\n"
            + "\n".join(f"  {line}" for line in differences),
            "Give the study another name, or set these back.",
        )
    pinned = {data.name: data for data in recorded.datasets}
    for data in wanted.datasets:
        if data.name in pinned and pinned[data.name].digest != data.digest:
            raise InputError(
                f"the data set {data.name!r} of the study {recorded.name!r} holds other "
                f"examples than before (digest {data.digest[:12]}, "
                f"recorded {pinned[data.name].digest[:12]})",
                "A name is pinned to its data: go back to them, or give the study another name.",
            )
    missing = [alpha for alpha in recorded.alphas if alpha not in wanted.alphas]
    if missing:
        raise InputError(
            f"the grid lacks {', '.join(f'{a:.6g}' for a in missing[:5])}, which the study "
            f"{recorded.name!r} has already measured",
            "A grid may only gain points: keep its "
            f"{len(recorded.alphas)} alphas and add to them (such as "
            f"interpolate.points = {2 * len(recorded.alphas) - 1}).",
        )
    keys = {model.key for model in recorded.models}
    position = max((model.position for model in recorded.models), default=-1) + 1
    added = [model for model in wanted.models if model.key not in keys]
    names = {model.name for model in recorded.models}
    if taken := [model.name for model in added if model.name in names]:
        raise InputError(
            f"the study {recorded.name!r} has another model named {taken[0]!r}",
            "Take other seeds, or register that model under another name in a new study.",
        )
    models = recorded.models + tuple(
        replace(model, position=position + n) for n, model in enumerate(added)
    )
    datasets = recorded.datasets + tuple(d for d in wanted.datasets if d.name not in pinned)
    return replace(
        wanted,
        identity=asked | {name: known.get(name) or asked.get(name) for name in late},
        models=models,
        datasets=datasets,
        precision=recorded.precision,
    )


def _differences(recorded: Any, wanted: Any, key: str = "") -> list[str]:
    if isinstance(recorded, dict) and isinstance(wanted, dict):
        lines: list[str] = []
        for name in sorted(recorded.keys() | wanted.keys()):
            inner = f"{key}.{name}" if key else name
            lines += _differences(recorded.get(name), wanted.get(name), inner)
        return lines
    if recorded == wanted:
        return []
    return [f"{key}: recorded {_shown(recorded)}, now {_shown(wanted)}"]


def _shown(value: Any) -> str:
    if isinstance(value, str) and len(value) == 64:
        return value[:12]
    return "its default" if value is None else json.dumps(value)
