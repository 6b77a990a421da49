"""Which runs on record can count in no study any more."""

from __future__ import annotations

from collections.abc import Mapping

from lmc_track.tracking.census import Census, CountedRun
from lmc_track.tracking.studies import StudyFacts

_SIDES = {"path": "ab", "plane": "abc"}


def orphaned_runs(census: Census, facts: Mapping[str, StudyFacts]) -> list[CountedRun]:
    """Runs, not deleted, that nothing will take up again; ``facts`` are by experiment id.

    These are points whose path is gone; paths and planes of a model that the study does not have,
    or has with other weights, and the points of such paths; runs outside of any study. A path
    whose model was deleted is none of them: the study finetunes that model again, and takes the
    path if the weights are the same.
    """
    studies = {one.experiment_id for one in census.studies}
    active = [run for run in census.runs if not run.deleted]
    weights = _weights(active)
    keys = {number: {model.name: model.key for model in of.models} for number, of in facts.items()}
    lost = [
        run
        for run in active
        if run.experiment_id not in studies
        or (
            run.kind in _SIDES
            and run.experiment_id in keys
            and _is_lost(run, keys[run.experiment_id], weights)
        )
    ]
    gone = {run.run_id for run in lost}
    paths = {run.run_id for run in active if run.kind == "path"} - gone
    return lost + [
        run
        for run in active
        if run.kind == "point" and run.run_id not in gone and run.parent not in paths
    ]


def _weights(runs: list[CountedRun]) -> dict[tuple[str, str], set[str]]:
    """(experiment, model key) → the digests that finished runs of the model have."""
    found: dict[tuple[str, str], set[str]] = {}
    for run in runs:
        if run.kind == "model" and run.finished and "weights_digest" in run.params:
            found.setdefault((run.experiment_id, run.key), set()).add(run.params["weights_digest"])
    return found


def _is_lost(
    run: CountedRun, keys: Mapping[str, str], weights: Mapping[tuple[str, str], set[str]]
) -> bool:
    """Whether a path or plane is of a model that is not among ``keys`` by name, or is another."""
    for side in _SIDES[run.kind]:
        name = run.params.get(f"model_{side}")
        if name is None:  # begun a moment ago, or stopped before it said what it is of
            continue
        if name not in keys:
            return True
        now = weights.get((run.experiment_id, keys[name]))
        measured = run.params.get(f"weights_digest_{side}")
        if now and measured is not None and measured not in now:
            return True
    return False
