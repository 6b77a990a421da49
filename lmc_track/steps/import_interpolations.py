"""Putting interpolation logs on record: paths and points as if they had been measured here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lmc_track.errors import InputError
from lmc_track.importers.interpolation_logs import (
    InterpolationLogs,
    LoggedPair,
    check_same_points,
)
from lmc_track.importers.naming import ModelNames
from lmc_track.names import fitting_name
from lmc_track.progress import Progress
from lmc_track.steps.import_path_plan import SAME, PathPlan, plan_paths
from lmc_track.steps.import_path_records import record_imported_path
from lmc_track.steps.import_records import record_models, record_value_sets
from lmc_track.steps.import_study import Import, StudyWords, importing
from lmc_track.tracking.keys import values_digest
from lmc_track.tracking.location import Location
from lmc_track.tracking.studies import RecordedDataset
from lmc_track.tracking.values import check_agreement, record_values, recorded_values

_KIND = "interpolation logs"
# Paths that are written in one transaction.
_TOGETHER = 16
# What is called so in the logs is the models' own validation set; other sets keep their names.
_OWN = {"mnli", "qqp", "cola"}
_CALLED = {"paws": "paws_qqp"}


@dataclass(frozen=True)
class ImportedPaths:
    """What an import of logs did. ``holes``: pairs of its models that no log has."""

    n_models: int
    n_pairs: int
    n_new: int
    n_points: int
    n_repeated: int
    datasets: tuple[str, ...]
    holes: tuple[tuple[str, str], ...]


def import_interpolations(
    study: str,
    logs: InterpolationLogs,
    names: ModelNames,
    location: Location,
    progress: Progress,
    *,
    dataset: str | None = None,
    words: StudyWords | None = None,
) -> ImportedPaths:
    """Record the pairs of ``logs`` in ``study``; what is on record already is not repeated.

    ``dataset`` is what the logs' evaluation set is called here; without it ``validation`` where
    the logs say mnli, qqp, cola or nothing, and else as they say.

    Raises:
        InputError: pairs differ in their points, or a pair or model is there with different
            values; the study has other values, other points or not these models. Nothing was
            recorded.
    """
    source = f"{_KIND} {_folder_of(logs)}"
    sets = _sets(logs.pairs, dataset)
    for name in dict.fromkeys(sets.values()):
        check_same_points([pair for pair in logs.pairs if sets[pair.dataset] == name])
    with importing(study, location, words or StudyWords(), StudyWords()) as work:
        plan = plan_paths(work, logs.pairs, names, sets)
        datasets = _datasets(work, sets)
        _check_grid(work, plan)
        _check_recorded(work, plan)
        record = work.record()
        record_value_sets(record, datasets, source)
        runs = record_models(record, list(plan.models.values()), source)
        digests = {data.name: data.digest for data in datasets}
        for key, values in plan.ends.items():
            record_values(record, runs[key], values, digests)
            if not runs[key].finished:
                record.recorder.finish(runs[key])
                record.index.add(runs[key])
        if record.recorder.notice is not None:
            progress.note(record.recorder.notice)
        n_new = n_points = 0
        with progress.track("Recording paths", len(plan.paths), "paths") as tracked:
            paths = list(plan.paths.values())
            for start in range(0, len(paths), _TOGETHER):
                some = paths[start : start + _TOGETHER]
                with record.recorder.together():
                    for path in some:
                        points = record_imported_path(record, path, runs, digests, source)
                        n_new, n_points = n_new + (points > 0), n_points + points
                tracked.advance(len(some))
    return ImportedPaths(
        len(plan.models),
        len(plan.paths),
        n_new,
        n_points,
        plan.n_repeated,
        tuple(dict.fromkeys(sets.values())),
        plan.holes,
    )


def _folder_of(logs: InterpolationLogs) -> str:
    folders = sorted({pair.file.parent.name for pair in logs.pairs})
    return ", ".join(folders[:3]) + (", …" if len(folders) > 3 else "")


def _sets(pairs: Sequence[LoggedPair], wanted: str | None) -> dict[str | None, str]:
    """What the evaluation sets are called here, by what the logs call them."""
    told = list(dict.fromkeys(pair.dataset for pair in pairs))
    if wanted is not None and len(told) > 1:
        raise InputError(
            f"the logs are on several evaluation sets, {', '.join(map(str, told))}, which cannot "
            f"all be {wanted!r}",
            "Take one at a time with --only.",
        )
    if wanted is not None:
        return {told[0]: fitting_name(wanted)}
    return {
        name: "validation"
        if name is None or name in _OWN
        else fitting_name(_CALLED.get(name, name))
        for name in told
    }


def _datasets(work: Import, sets: dict[str | None, str]) -> list[RecordedDataset]:
    planned = []
    for name in dict.fromkeys(sets.values()):
        digest = values_digest(name, _KIND)
        role = "validation" if name == "validation" else "diagnostic"
        data = RecordedDataset(name, role, digest, digest)
        work.dataset(data)
        planned.append(data)
    return planned


def _check_grid(work: Import, plan: PathPlan) -> None:
    """Take the logs' grid for a study that has none yet; refuse another than the study's."""
    grid = next(tuple(at) for path in plan.paths.values() for at in path.curves.values())
    known = work.facts.alphas
    if len(known) == 2:
        work.facts = replace(work.facts, alphas=grid)
    elif not set(grid) <= set(known):
        raise InputError(
            f"the logs have {len(grid)} points a path, the study {work.name!r} {len(known)} others",
            "Gaps of different grids cannot be compared: give the study another name.",
        )


def _check_recorded(work: Import, plan: PathPlan) -> None:
    if work.existing is None:
        return
    index = work.existing.index
    for key, values in plan.ends.items():
        run = index.find("model", key)
        if run is None:
            continue
        model, named = plan.models[key]
        known = recorded_values(work.existing, run)
        check_agreement(known, values, model.name, named.where, within=SAME)
    for path in plan.paths.values():
        run = index.find("path", path.key)
        for name in path.curves if run is not None else ():
            differing = path.differs(index, name, SAME)
            if differing is not None:
                raise InputError(
                    f"the path from {path.model_a.name} to {path.model_b.name} is on record with "
                    f"other values on {name} at alpha {differing:.4g}",
                    "Import these logs under another name of the data set, or into another study.",
                )
