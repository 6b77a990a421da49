"""Putting a table of scores on record: values of models on evaluation sets, without predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lmc_track.importers.naming import NamedModel
from lmc_track.importers.scores import ScoreTable
from lmc_track.progress import Progress
from lmc_track.steps.import_records import record_models, record_value_sets
from lmc_track.steps.import_study import Import, StudyWords, importing
from lmc_track.tracking.keys import values_digest
from lmc_track.tracking.location import Location
from lmc_track.tracking.studies import RecordedDataset, RecordedModel
from lmc_track.tracking.values import Value, check_agreement, record_values, recorded_values

VALIDATION = "validation"
_KIND = "scores"


@dataclass(frozen=True)
class ImportedScores:
    """What an import of scores did: models that gained values, and values in all."""

    n_models: int
    n_values: int
    n_changed: int


def import_scores(
    study: str,
    table: ScoreTable,
    location: Location,
    progress: Progress,
    words: StudyWords | None = None,
    if_new: StudyWords | None = None,
) -> ImportedScores:
    """Record the scores of ``table`` in ``study``; what is on record already is not repeated.

    ``if_new`` is what a study that is made gets where ``words`` are silent.

    Raises:
        InputError: a score differs from the recorded one, the study's data set of that name holds
            other examples, or the study is of other models. Nothing was recorded.
    """
    source = f"scores {table.file.name}"
    with importing(study, location, words or StudyWords(), if_new or StudyWords()) as work:
        models = [work.model(named) for named in table.models]
        datasets = _datasets(work, table)
        values = [
            [Value(s.target.dataset, s.target.subset, s.target.metric, s.value) for s in scores]
            for scores in table.scores
        ]
        _check(work, list(zip(models, table.models, values, strict=True)))
        digests = {data.name: data.digest for data in datasets}
        record = work.record()
        record_value_sets(record, datasets, source)
        named = list(zip(models, table.models, strict=True))
        runs = record_models(record, named, source)
        changed = 0
        with progress.track("Recording scores", len(models), "models") as tracked:
            for model, of_model in zip(models, values, strict=True):
                run = runs[model.key]
                changed += record_values(record, run, of_model, digests)
                if not run.finished:
                    record.recorder.finish(run)
                    record.index.add(run)
                tracked.advance()
    return ImportedScores(len(models), sum(map(len, values)), changed)


def _datasets(work: Import, table: ScoreTable) -> list[RecordedDataset]:
    names = dict.fromkeys(target.dataset for target in table.targets)
    planned = []
    for name in names:
        digest = values_digest(name, _KIND)
        role = VALIDATION if name == VALIDATION else "diagnostic"
        data = RecordedDataset(name, role, digest, digest)
        work.dataset(data)
        planned.append(data)
    return planned


def _check(
    work: Import, wanted: Sequence[tuple[RecordedModel, NamedModel, Sequence[Value]]]
) -> None:
    if work.existing is None:
        return
    for model, named, values in wanted:
        run = work.existing.index.find("model", model.key)
        if run is not None:
            known = recorded_values(work.existing, run)
            check_agreement(known, values, model.name, named.where)
