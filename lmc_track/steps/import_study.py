"""The study that results made elsewhere are recorded in: made where there is none, grown else.

Everything is checked before anything is written. Models are found by name, so that results of the
same models come together whatever they were taken from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from lmc_track.errors import InputError
from lmc_track.importers.naming import NamedModel
from lmc_track.names import is_name
from lmc_track.study import build_study
from lmc_track.tracking.keys import imported_model_key
from lmc_track.tracking.location import Location, prepare
from lmc_track.tracking.lock import study_lock
from lmc_track.tracking.store import Store
from lmc_track.tracking.studies import (
    RecordedDataset,
    RecordedModel,
    StudyFacts,
    StudyRecord,
    find_study,
    write_study,
)
from lmc_track.tracking.tags import SOURCE_TAG

_NO_GRID = (0.0, 1.0)
_PRECISION = "fp32"


@dataclass(frozen=True)
class StudyWords:
    """What the user says of the study: the models' task, their base, what they are compared on."""

    task: str = ""
    base: str = ""
    primary: str = ""


@dataclass
class Import:
    """One import under way: the study as it is recorded, and as it will be."""

    name: str
    store: Store
    existing: StudyRecord | None
    facts: StudyFacts

    @property
    def is_imported(self) -> bool:
        """Whether the study holds imported results only."""
        return bool(self.facts.identity.get("imported"))

    def model(self, named: NamedModel) -> RecordedModel:
        """The model of the study that ``named`` is; planned where there is none.

        A study of finetuned or registered models gains none: results are of models that it has.

        Raises:
            InputError: it would gain one, or has not made it yet.
        """
        key = imported_model_key(named.name, named.step)
        models = self.facts.models
        for model in models:
            if model.key == key:
                return model
        alike = [m for m in models if m.name == named.name]
        for model in alike:
            if named.step is not None and model.step not in (None, named.step):
                continue
            if model.source != "imported" and not self.has_run(model):
                raise InputError(
                    f"{named.where}: the study {self.name!r} has not made its model "
                    f"{model.name!r} yet",
                    f"Run first: lmc-track finetune {self.name}",
                )
            return model
        if not self.is_imported:
            raise InputError(
                f"{named.where}: the study {self.name!r} has no model {named.name!r}",
                f"Its models are {_listed(m.name for m in models)}; --match and --name say what "
                "models are called here.",
            )
        end = alike[0] if alike else None
        if end is not None and (end.step or 0) < (named.step or 0):
            raise InputError(
                f"{named.where}: {named.name!r} is on record after step {end.step}, before "
                f"{named.step}",
                "The last step has the model's own name: import it first, or all of them together.",
            )
        name = f"{named.name}-step-{named.step}" if end else named.name
        if any(model.name == name for model in models) or not is_name(name):
            raise InputError(
                f"{named.where}: another model is called {name!r} already",
                "Name the models otherwise with --name.",
            )
        position = max((model.position for model in models), default=-1) + 1
        model = RecordedModel(
            name,
            position,
            None,
            None,
            key,
            source="imported",
            step=named.step,
            checkpoint_of=named.name if end else None,
        )
        self.facts = replace(self.facts, models=(*models, model))
        return model

    def has_run(self, model: RecordedModel) -> bool:
        """Whether ``model`` is on record, not only planned."""
        index = None if self.existing is None else self.existing.index
        return index is not None and index.find("model", model.key) is not None

    def dataset(self, data: RecordedDataset) -> None:
        """Plan the evaluation set ``data``.

        Raises:
            InputError: the study has one of that name with other examples.
        """
        for known in self.facts.datasets:
            if known.name == data.name:
                if known.digest != data.digest:
                    raise InputError(
                        f"the study {self.name!r} has a data set {data.name!r} that holds other "
                        "examples, or values from another kind of results",
                        "Numbers of different examples must not be mixed: give this one another "
                        "name.",
                    )
                return
        self.facts = replace(self.facts, datasets=(*self.facts.datasets, data))

    def record(self) -> StudyRecord:
        """Put the study on record as planned; what an interrupted import left is deleted."""
        record = write_study(self.store, self.facts)
        index = record.index
        kinds = ("model", "dataset", "path", "point", "clusters")
        left = [run for kind in kinds for run in index.unfinished(kind) if SOURCE_TAG in run.tags]
        orphans = [point for run in left for point in index.children(run)]
        record.recorder.delete([*left, *orphans])
        for point in orphans:
            index.remove(point)
        return record


@contextmanager
def importing(
    study: str, location: Location, words: StudyWords, if_new: StudyWords
) -> Iterator[Import]:
    """Hold the lock of ``study`` while results are checked and recorded.

    ``words`` are what the user says of the study; where they are silent, a new one gets
    ``if_new``.

    Raises:
        InputError: the name is none, or the study is recorded with other ``words``.
    """
    if not is_name(study):
        raise InputError(
            f"{study!r} is no name of a study",
            "Use letters, digits and _ . - (at most 100), such as feather.",
        )
    new = _new_facts(
        study,
        StudyWords(
            words.task or if_new.task, words.base or if_new.base, words.primary or if_new.primary
        ),
    )
    store = Store(location)
    prepare(location)
    with study_lock(location, study):
        existing = find_study(store, study)
        facts = existing.facts if existing else new
        if existing is not None:
            _check_words(facts, words)
            if words.primary and facts.identity.get("imported"):
                facts = replace(facts, primary_diagnostic=words.primary)
        yield Import(study, store, existing, facts)
        store.analyze()


def _new_facts(study: str, words: StudyWords) -> StudyFacts:
    content: dict[str, Any] = {
        "study": {"name": study, "description": "Results made elsewhere."},
        "task": {"name": "imported", "of": words.task},
        "model": {"base": words.base},
        "cluster": {"methods": ["juneja2023"], "primary_diagnostic": words.primary or None},
    }
    checked = build_study(content, source="the import")
    return StudyFacts(
        name=study,
        file=checked.model_dump(mode="json"),
        identity={
            "imported": True,
            "task": {"name": words.task or "imported"},
            "base": words.base,
            "base_digest": None,
            "training_data_digest": None,
            "finetune": {},
        },
        metric="accuracy",
        label_names=(),
        text_columns=(),
        base=words.base or "not told",
        base_folder="",
        precision=_PRECISION,
        primary_diagnostic=words.primary or "validation:all:accuracy",
        primary_method="juneja2023",
        alphas=_NO_GRID,
        models=(),
        datasets=(),
    )


def _check_words(facts: StudyFacts, words: StudyWords) -> None:
    imported = bool(facts.identity.get("imported"))
    said = {"--task": words.task, "--base": words.base}
    known = {
        "--task": facts.identity["task"]["name"],
        "--base": facts.identity.get("base") if imported else facts.base,
    }
    for option, value in said.items():
        if imported and value and value != known[option]:
            raise InputError(
                f"{option} {value!r}: the study {facts.name!r} is recorded with "
                f"{known[option] or 'none'!r}",
                f"Leave {option} out, or give the study another name.",
            )


def _listed(names: Iterable[str]) -> str:
    shown = list(names)
    return ", ".join(shown[:6]) + (", …" if len(shown) > 6 else "") or "none"
