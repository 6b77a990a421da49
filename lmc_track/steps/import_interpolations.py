"""Putting interpolation logs on record: paths and points as if they had been measured here.

In the logs the first point is the second model (coefficients [0, 1]). Here alpha 0 is model_a, the
one that comes first in study order, whichever of the two the log names first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from lmc_track.errors import InputError
from lmc_track.importers.interpolation_logs import (
    InterpolationLogs,
    LoggedPair,
    check_same_points,
)
from lmc_track.importers.naming import ModelNames, NamedModel, check_distinct
from lmc_track.names import fitting_name
from lmc_track.progress import Progress
from lmc_track.steps.import_path_records import PathValues, record_imported_path
from lmc_track.steps.import_study import (
    Import,
    StudyWords,
    importing,
    record_models,
    record_value_sets,
)
from lmc_track.study.sections import METRICS
from lmc_track.tracking.keys import path_key, values_digest
from lmc_track.tracking.location import Location
from lmc_track.tracking.studies import RecordedDataset, RecordedModel
from lmc_track.tracking.values import Value, check_agreement, record_values, recorded_values

_KIND = "interpolation logs"
# What is called so in the logs is the models' own validation set; other sets keep their names.
_OWN = {"mnli", "qqp", "cola"}
_CALLED = {"paws": "paws_qqp"}
# The logs have four decimals, and the same models were evaluated again for every pair.
SAME = 2e-4
_DIGITS = re.compile(r"\d+")
_Ends = dict[tuple[str, str, str], tuple[float, LoggedPair]]


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


@dataclass
class _Plan:
    """Paths by key, each with its values by data set; values of the models by model key."""

    paths: dict[str, PathValues] = field(default_factory=dict)
    ends: dict[str, list[Value]] = field(default_factory=dict)
    models: dict[str, tuple[RecordedModel, NamedModel]] = field(default_factory=dict)
    n_repeated: int = 0


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
    with importing(study, location, source, words or StudyWords()) as work:
        plan = _plan(work, logs.pairs, names, sets)
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
        n_new = n_points = 0
        with progress.track("Recording paths", len(plan.paths), "paths") as tracked:
            for path in plan.paths.values():
                points = record_imported_path(record, path, runs, digests, source)
                n_new, n_points = n_new + (points > 0), n_points + points
                tracked.advance()
    return ImportedPaths(
        len(plan.models),
        len(plan.paths),
        n_new,
        n_points,
        plan.n_repeated,
        tuple(dict.fromkeys(sets.values())),
        _holes(plan),
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


def _plan(
    work: Import, pairs: Sequence[LoggedPair], names: ModelNames, sets: dict[str | None, str]
) -> _Plan:
    plan = _Plan()
    models = _models(work, pairs, names)
    seen: dict[tuple[str, str], LoggedPair] = {}
    ends: _Ends = {}
    for pair in pairs:
        first, second = (models[text, pair.step] for text in (pair.first, pair.second))
        for model, named in (first, second):
            plan.models.setdefault(model.key, (model, named))
        if first[0].key == second[0].key:
            raise InputError(
                f"{pair.where}: {pair.first!r} and {pair.second!r} are one model",
                "A path needs two: tell them apart with --match and --name.",
            )
        reverse = first[0].position > second[0].position
        a, b = (second[0], first[0]) if reverse else (first[0], second[0])
        path = path_key(a.key, b.key, work.facts.precision)
        name = sets[pair.dataset]
        values = _along(pair, reverse)
        entry = plan.paths.setdefault(path, PathValues(path, a, b, pair.distance, {}))
        if name in entry.curves:
            _check_same(pair, seen[path, name], entry.curves[name], values)
            plan.n_repeated += 1
            continue
        seen[path, name] = pair
        entry.curves[name] = values
        for model, alpha in ((a, 0.0), (b, 1.0)):
            for metric, value in values[alpha].items():
                _check_end(ends, (model.key, name, metric), value, pair, model.name)
    for (key, name, metric), (value, _) in ends.items():
        plan.ends.setdefault(key, []).append(Value(name, "all", metric, value))
    return plan


def _models(
    work: Import, pairs: Sequence[LoggedPair], names: ModelNames
) -> dict[tuple[str, int | None], tuple[RecordedModel, NamedModel]]:
    """The models of the study by what the logs call them and after which step.

    Later steps first, so that the last one has the plain name; names in their natural order.
    """
    named: dict[tuple[str, int | None], NamedModel] = {}
    for pair in pairs:
        for text in (pair.first, pair.second):
            name = names.name(text)
            if name is None:
                raise InputError(
                    f"{pair.where}: {text!r} is no model by {names.match.pattern!r}",
                    "Say which texts are with --match; --only takes some pairs alone.",
                )
            named.setdefault((text, pair.step), NamedModel(name, text, pair.where, pair.step))
    check_distinct(named.values())

    ordered = sorted(named.items(), key=lambda item: (-(item[0][1] or 0), _natural(item[0][0])))
    return {key: (work.model(model), model) for key, model in ordered}


def _natural(text: str) -> tuple[str, tuple[tuple[int, str], ...], str]:
    """A key that sorts numbers inside of texts by their size."""
    parts = tuple((len(part.lstrip("0")), part) for part in _DIGITS.findall(text))
    return _DIGITS.sub("#", text), parts, text


def _along(pair: LoggedPair, reverse: bool) -> dict[float, dict[str, float]]:
    """Values by alpha, the share of model_b, in increasing order.

    A grid that is even to the logs' precision is k/(n-1), by division, as everywhere.
    """
    points = [(1 - p.share if reverse else p.share, p.values) for p in pair.points]
    points.sort(key=lambda point: point[0])
    n = len(points) - 1
    even = all(abs(alpha - k / n) < 1e-6 for k, (alpha, _) in enumerate(points))
    return {
        (k / n if even else float(k == n) if k in (0, n) else alpha): {
            metric: value for metric, value in values.items() if metric in METRICS
        }
        for k, (alpha, values) in enumerate(points)
    }


def _check_same(
    pair: LoggedPair,
    before: LoggedPair,
    known: dict[float, dict[str, float]],
    values: dict[float, dict[str, float]],
) -> None:
    same = known.keys() == values.keys() and all(
        abs(value - known[alpha].get(metric, value)) <= SAME
        for alpha, at in values.items()
        for metric, value in at.items()
    )
    if not same:
        raise InputError(
            f"{pair.where}: the pair {pair.what} is there twice with different values (first: "
            f"{before.where})",
            "Keep the log that is right.",
        )


def _check_end(
    ends: _Ends, what: tuple[str, str, str], value: float, pair: LoggedPair, model: str
) -> None:
    """Keep a model's value, or refuse one that is not what another pair says of it."""
    if what not in ends:
        ends[what] = (value, pair)
        return
    known, before = ends[what]
    if abs(known - value) > SAME:
        raise InputError(
            f"{pair.where}: the {what[2]} of {model} on {what[1]} is {value:g}; by {before.where} "
            f"it is {known:g}",
            "These logs are of other checkpoints or other examples: import them into studies of "
            "their own.",
        )


def _datasets(work: Import, sets: dict[str | None, str]) -> list[RecordedDataset]:
    planned = []
    for name in dict.fromkeys(sets.values()):
        digest = values_digest(name, _KIND)
        role = "validation" if name == "validation" else "diagnostic"
        data = RecordedDataset(name, role, digest, digest)
        work.dataset(data)
        planned.append(data)
    return planned


def _check_grid(work: Import, plan: _Plan) -> None:
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


def _check_recorded(work: Import, plan: _Plan) -> None:
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


def _holes(plan: _Plan) -> tuple[tuple[str, str], ...]:
    """Pairs of models of one step that no log has."""
    models = [model for model, _ in plan.models.values()]
    have = {(path.model_a.key, path.model_b.key) for path in plan.paths.values()}
    return tuple(
        (a.name, b.name)
        for a in models
        for b in models
        if a.position < b.position and a.step == b.step and (a.key, b.key) not in have
    )
