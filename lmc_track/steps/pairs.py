"""Which pairs of a study's models are joined by paths."""

from __future__ import annotations

import hashlib
import itertools

from lmc_track.errors import InputError
from lmc_track.spelling import suggestion
from lmc_track.study import Study
from lmc_track.tracking.studies import RecordedModel


def planned_pairs(study: Study, models: tuple[RecordedModel, ...]) -> list[tuple[int, int]]:
    """Indices (a, b) into ``models``, a before b in study order, of the pairs asked for.

    A number of pairs is drawn by a hash of the two models, so that a study that grows keeps
    most of what it had. Checkpoints on the way are paired as the models that they became, at
    equal steps; ``across_steps`` pairs every model with every other. A list names its pairs, of
    which those of a model that is not among ``models`` are left out.
    """
    wanted = study.interpolate.pairs
    if wanted == "all" and study.interpolate.across_steps:
        return list(itertools.combinations(range(len(models)), 2))
    ends = [n for n, model in enumerate(models) if model.checkpoint_of is None]
    everything = list(itertools.combinations(ends, 2))
    if wanted == "all":
        return sorted(everything + _at_equal_steps(models, everything))
    if isinstance(wanted, int):

        def drawn(pair: tuple[int, int]) -> str:
            text = f"{models[pair[0]].key} {models[pair[1]].key}"
            return hashlib.sha256(text.encode()).hexdigest()

        chosen = sorted(everything, key=drawn)[:wanted]
        return sorted(chosen + _at_equal_steps(models, chosen))
    index = {model.name: n for n, model in enumerate(models)}
    pairs = {
        (min(index[a], index[b]), max(index[a], index[b]))
        for a, b in wanted
        if a in index and b in index
    }
    return sorted(pairs)


def _at_equal_steps(
    models: tuple[RecordedModel, ...], pairs: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """The pairs of checkpoints of one step whose trainings ended with ``pairs``."""
    joined = {frozenset((models[a].name, models[b].name)) for a, b in pairs}
    by_step: dict[int | None, list[int]] = {}
    for number, model in enumerate(models):
        if model.checkpoint_of is not None:
            by_step.setdefault(model.step, []).append(number)
    return [
        (a, b)
        for numbers in by_step.values()
        for a, b in itertools.combinations(numbers, 2)
        if frozenset((models[a].checkpoint_of, models[b].checkpoint_of)) in joined
    ]


def check_pairs(study: Study, names: list[str]) -> None:
    """Raise InputError where the study file pairs models that the study does not have."""
    wanted = study.interpolate.pairs
    if not isinstance(wanted, list):
        return
    for pair in wanted:
        for name in pair:
            if name not in names:
                raise InputError(
                    f"interpolate.pairs: the study plans no model {name!r}",
                    suggestion(name, names, listing="It plans"),
                )
        if pair[0] == pair[1]:
            raise InputError(
                f"interpolate.pairs: {pair[0]!r} is paired with itself", "Name two models."
            )
