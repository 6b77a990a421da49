"""A study as MLflow holds it: one experiment, whose own run keeps ``study.json``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from lmc_track.errors import InputError
from lmc_track.plain_text import markdown_escaped, markdown_unescaped
from lmc_track.tracking.advice import own_command
from lmc_track.tracking.artifact_reading import DamagedArtifactError, damaged, read_json
from lmc_track.tracking.artifacts import Artifacts, set_aside
from lmc_track.tracking.experiments import (
    StudyExperiment,
    all_studies,
    former_tags,
    renamed_from,
    study_called,
)
from lmc_track.tracking.keys import study_key
from lmc_track.tracking.pages import describe_experiment, description_in, redescribed, saved_views
from lmc_track.tracking.recorder import Recorder
from lmc_track.tracking.runs import RunEntry, RunIndex, read_runs
from lmc_track.tracking.stamps import stamped
from lmc_track.tracking.store import Store, reporting
from lmc_track.tracking.tags import NOTE_TAG, STUDY_TAG, versions

_FILE, _COPY = "study.json", "study.copy.json"
_FORMAT = 2
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
class LeftOut:
    """A model or an evaluation set that is on record and does not count.

    ``kind`` is ``model`` or ``dataset``, ``reason`` one of ``FAILED``, ``DROPPED`` and ``OUTSIDE``,
    ``why`` what is known beyond that: how a model failed, or what the user said.
    """

    kind: str
    name: str
    reason: str
    why: str = ""


FAILED, DROPPED, OUTSIDE = "failed", "dropped", "not in the study file"
"""The reasons for which something is left out. The first follows from a model's run; the others
are recorded with the study."""


@dataclass(frozen=True)
class StudyFacts:
    """What is recorded about a study.

    ``identity`` is what may never change under one name; seeds, evaluation sets and the grid
    may grow. ``left_out``: what was dropped, or is no longer in the study file; it stays among
    ``models`` and ``datasets`` (``tracking.left_out`` decides which of them count).
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
    left_out: tuple[LeftOut, ...] = ()

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

    ``description`` is that of the study file, unless another was given in MLflow. ``damage``: what
    is wrong with the study's file, where the facts are those of its copy.
    """

    facts: StudyFacts
    versions: dict[str, str]
    experiment_id: str
    run: RunEntry
    index: RunIndex
    recorder: Recorder
    artifacts: Artifacts
    description: str
    damage: DamagedArtifactError | None = None


def study_names(store: Store) -> list[str]:
    """The studies in the store, in the order they were made."""
    return [one.name for one in study_experiments(store)]


def study_experiments(store: Store) -> list[StudyExperiment]:
    """The studies in the store that are not deleted, in the order they were made."""
    return [one for one in all_studies(store) if not one.deleted]


def find_study(store: Store, name: str, kinds: Iterable[str] | None = None) -> StudyRecord | None:
    """The recorded study ``name`` with all its runs, or only those of ``kinds``; or None.

    Raises:
        InputError: MLflow has an experiment of that name that is deleted, or that is not a
            study of this program.
    """
    study = study_called(store, name)
    return None if study is None else read_study_record(store, study, kinds)


def read_study_record(
    store: Store, study: StudyExperiment, kinds: Iterable[str] | None = None
) -> StudyRecord | None:
    """As ``find_study``, of an experiment that is known."""
    wanted = None if kinds is None else {"study", *kinds}
    return open_study(store, study, read_runs(store, study.experiment_id, wanted))


def open_study(
    store: Store, study: StudyExperiment, runs: Iterable[RunEntry]
) -> StudyRecord | None:
    """The ``study`` with ``runs``, which have its own one if it was ever finished; or None.

    Raises:
        DamagedArtifactError: its file is damaged.
        InputError: it is of a newer version.
    """
    index = RunIndex(runs)
    # By its kind: the key is of the name that the study had when it was made.
    own, name = index.all("study"), study.name
    if not own:
        return None
    run = own[0]
    recorder = Recorder(store, name, study.experiment_id)
    read, made_by, damage = _read_facts(recorder.artifacts, run, name)
    facts = _called(read, name)
    return StudyRecord(
        facts,
        made_by.versions,
        study.experiment_id,
        run,
        index,
        recorder,
        recorder.artifacts,
        _said_of(facts, study),
        damage,
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


def is_described_anew(study: StudyExperiment, before: str) -> bool:
    """Whether MLflow says something else of ``study`` than its description ``before``."""
    said = description_in(study.note)
    if said in {_unsaid(name) for name in (study.name, *study.former)}:
        return before != ""
    return said != "" and before != markdown_unescaped(said) and said != markdown_escaped(before)


def _said_of(facts: StudyFacts, study: StudyExperiment) -> str:
    """The description of a study: of two, the one that was written in MLflow."""
    said = description_in(study.note)
    own = {"", *(_description(replace(facts, name=name)) for name in (facts.name, *study.former))}
    return str(facts.file["study"]["description"]) if said in own else markdown_unescaped(said)


def _called(facts: StudyFacts, name: str) -> StudyFacts:
    """``facts`` of a study that is called ``name`` now, whatever its file says."""
    if facts.name == name:
        return facts
    return replace(
        facts, name=name, file=facts.file | {"study": facts.file["study"] | {"name": name}}
    )


def write_study(store: Store, facts: StudyFacts) -> StudyRecord:
    """Record ``facts``: a new study, or what an old one has gained.

    Raises:
        InputError: the name is taken by a deleted study, or the identity differs.
    """
    study = study_called(store, facts.name)
    record = None if study is None else read_study_record(store, study)
    if record is None:
        _create(store, facts, study)
    else:
        merged = record.facts if record.facts == facts else merge(record.facts, facts)
        _describe(store, merged, record.experiment_id, _description(record.facts))
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


def keep_left_out(record: StudyRecord, left_out: Sequence[LeftOut]) -> StudyRecord:
    """The study with ``left_out`` recorded in the place of what was left out before."""
    facts = replace(record.facts, left_out=tuple(left_out))
    _write_facts(record.recorder, record.run, facts)
    record.recorder.log(record.run, tags=record.recorder.raised_revision(record.run))
    return replace(record, facts=facts)


def _create(store: Store, facts: StudyFacts, study: StudyExperiment | None) -> None:
    """Record a new study, in the experiment of ``study`` where that has lost its own run."""
    if study is None:
        refuse_former_name(store, facts)
        tags = {STUDY_TAG: facts.name, "mlflow.experimentKind": "custom_model_development"}
        with reporting(store.location):
            experiment_id = store.client.create_experiment(
                facts.name, artifact_location=_artifact_location(store, facts.name), tags=tags
            )
    else:
        experiment_id = study.experiment_id
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


def _artifact_location(store: Store, name: str) -> str | None:
    """Where a new study has its artifacts: not where a renamed one that had its name has them."""
    root = store.location.artifact_root
    if root is None:
        return None
    taken = {one.artifact_uri for one in all_studies(store)}
    places = (f"{root}/{name}", *(f"{root}/{name}-{number}" for number in range(2, len(taken) + 2)))
    return next(place for place in places if place not in taken)


def refuse_former_name(store: Store, facts: StudyFacts) -> None:
    """Refuse to begin a study that is on record already, and was renamed since.

    Another study may have the name.

    Raises:
        InputError: it is.
    """
    study = renamed_from(store, facts.name)
    record = None if study is None else read_study_record(store, study, ())
    if record is None or _other_recipe(record.facts, facts):
        return
    now = record.facts.name
    back = own_command(store.location, "rename", now, facts.name)
    raise InputError(
        f"the study {facts.name!r} is recorded as {now!r}: it was renamed",
        f'Write name = "{now}" in the study file, or rename it back: {back}',
    )


def rename_study(store: Store, study: StudyExperiment, name: str) -> None:
    """Call ``study`` by another name; what it was called before is kept.

    Raises:
        InputError, WorkError: the store cannot be reached, or permits it not.
    """
    client = store.client
    with reporting(store.location):
        for tag, value in former_tags(study, name).items():
            client.set_experiment_tag(study.experiment_id, tag, value)
        client.rename_experiment(study.experiment_id, name)
        if description_in(study.note) == _unsaid(study.name):
            note = redescribed(study.note, _unsaid(name))
            client.set_experiment_tag(study.experiment_id, NOTE_TAG, note)


def describe_study(store: Store, record: StudyRecord, text: str) -> None:
    """Let MLflow and the results say ``text`` of a study; its file's own words where it is empty.

    Raises:
        InputError, WorkError: the store cannot be reached, or permits it not.
    """
    words = markdown_escaped(text) if text.strip() else _description(record.facts)
    with reporting(store.location):
        note = store.client.get_experiment(record.experiment_id).tags.get(NOTE_TAG, "")
        store.client.set_experiment_tag(record.experiment_id, NOTE_TAG, redescribed(note, words))


def _description(facts: StudyFacts) -> str:
    given = facts.file["study"].get("description")
    return markdown_escaped(str(given)) if given else _unsaid(facts.name)


def _unsaid(name: str) -> str:
    return markdown_escaped(f"Linear mode connectivity study {name}.")


def _describe(
    store: Store, facts: StudyFacts, experiment_id: str, before: str | None = None
) -> None:
    """``before`` is what was said of the study so far, unless somebody said otherwise."""
    dataset, _, metric = facts.primary_diagnostic.split(":")
    views = saved_views([data.name for data in facts.datasets], facts.metric, dataset, metric)
    describe_experiment(store, experiment_id, _description(facts), views, before)


def merge(recorded: StudyFacts, wanted: StudyFacts) -> StudyFacts:
    """The recorded study, grown by what ``wanted`` adds.

    Raises:
        InputError: the two are different studies, or the grid or a data set would change.
    """
    known, asked = recorded.identity, wanted.identity
    late = _late(recorded, wanted)
    if differences := _other_recipe(recorded, wanted):
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
        left_out=_left_out(recorded, wanted),
    )


def _late(recorded: StudyFacts, wanted: StudyFacts) -> set[str]:
    """A study of registered models learns of finetuning when it gets its first seed."""
    both = (recorded.identity, wanted.identity)
    return {name for name in _LATE if any(one.get(name) is None for one in both)}


def _other_recipe(recorded: StudyFacts, wanted: StudyFacts) -> list[str]:
    """In what two studies differ that may never change under one name."""
    late = _late(recorded, wanted)
    return _differences(
        {k: v for k, v in recorded.identity.items() if k not in late},
        {k: v for k, v in wanted.identity.items() if k not in late},
    )


def _left_out(recorded: StudyFacts, wanted: StudyFacts) -> tuple[LeftOut, ...]:
    """What was dropped before, and what is on record and not in ``wanted``.

    Values that were imported for a data set are in no study file, and stay.
    """
    dropped = [one for one in recorded.left_out if one.reason == DROPPED]
    known = {(one.kind, one.name) for one in dropped}
    models = {model.key for model in wanted.models}
    names = {data.name for data in wanted.datasets}
    outside = [("model", model.name) for model in recorded.models if model.key not in models]
    outside += [
        ("dataset", data.name)
        for data in recorded.datasets
        if data.name not in names and data.encoding != data.digest
    ]
    return (*dropped, *(LeftOut(*one, OUTSIDE) for one in outside if one not in known))


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
