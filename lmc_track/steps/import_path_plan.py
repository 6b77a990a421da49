"""The paths that interpolation logs tell, in models and directions of the study they go into.

In the logs the first point is the second model (coefficients [0, 1]). Here alpha 0 is model_a, the
one that comes first in study order, whichever of the two the log names first. Nothing is written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from lmc_track.errors import InputError
from lmc_track.importers.interpolation_logs import LoggedPair
from lmc_track.importers.naming import ModelNames, NamedModel, check_distinct
from lmc_track.metrics import METRICS
from lmc_track.steps.import_path_records import PathValues
from lmc_track.steps.import_study import Import
from lmc_track.tracking.keys import path_key
from lmc_track.tracking.studies import RecordedModel
from lmc_track.tracking.values import Value

SAME = 2e-4
"""Values that are nearer are the same: logs have four decimals, of models evaluated ever anew."""

_DIGITS = re.compile(r"\d+")
_Ends = dict[tuple[str, str, str], tuple[float, LoggedPair]]


@dataclass
class PathPlan:
    """Paths by key, each with its values by data set; values of the models by model key."""

    paths: dict[str, PathValues] = field(default_factory=dict)
    ends: dict[str, list[Value]] = field(default_factory=dict)
    models: dict[str, tuple[RecordedModel, NamedModel]] = field(default_factory=dict)
    n_repeated: int = 0

    @property
    def holes(self) -> tuple[tuple[str, str], ...]:
        """Pairs of models of one step that no log has."""
        models = [model for model, _ in self.models.values()]
        have = {(path.model_a.key, path.model_b.key) for path in self.paths.values()}
        return tuple(
            (a.name, b.name)
            for a in models
            for b in models
            if a.position < b.position and a.step == b.step and (a.key, b.key) not in have
        )


def plan_paths(
    work: Import, pairs: Sequence[LoggedPair], names: ModelNames, sets: dict[str | None, str]
) -> PathPlan:
    """The paths of ``pairs``; ``sets`` says what the logs' evaluation sets are called here.

    Raises:
        InputError: a pair or a model is there with different values, or a name is that of no
            model, or of the same one twice.
    """
    plan = PathPlan()
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
