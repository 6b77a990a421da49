"""Rebuilding the weights of a recorded model or point from its run alone."""

from __future__ import annotations

from pathlib import Path

from lmc_track.errors import InputError, WorkError
from lmc_track.geometry.interpolation import materialize
from lmc_track.models.checkpoints import weights_digest
from lmc_track.models.label_rows import copy_checkpoint
from lmc_track.steps.model_folders import weights_folder
from lmc_track.tracking.artifacts import Artifacts
from lmc_track.tracking.location import Location
from lmc_track.tracking.runs import RunEntry, read_run
from lmc_track.tracking.store import Store
from lmc_track.tracking.tags import SOURCE_TAG


def materialize_run(run_id: str, out: Path, location: Location) -> Path:
    """Save the weights of the model or point ``run_id`` in ``out``, in Hugging Face format.

    Raises:
        InputError: the run is no model or point, or ``out`` exists and is not empty.
        WorkError: an endpoint's weights are not those the point was measured with.
    """
    store = Store(location)
    run = read_run(store, run_id)
    if run is None:
        raise InputError(
            f"there is no run {run_id!r} of a study in {location.shown_uri}",
            'List points with: lmc-track sql "SELECT * FROM points"',
        )
    if run.kind not in ("model", "point") or not run.finished:
        raise InputError(
            f"run {run_id} is {run.status.lower()} and of kind {run.kind}: it has no weights",
            "Name a finished model or point.",
        )
    digest = "weights_digest" if run.kind == "model" else "weights_digest_a"
    if digest not in run.params:
        raise InputError(
            f"run {run_id} was imported from {run.tags.get(SOURCE_TAG, 'elsewhere')}: only its "
            "results are known, not its weights",
            "Register the checkpoints themselves: lmc-track register STUDY SOURCE",
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} exists already", "Name a folder that is new or empty.")
    artifacts = Artifacts(store)
    if run.kind == "model":
        copy_checkpoint(weights_folder(artifacts, location, run), out)
        return out
    a = _endpoint(store, artifacts, run, "a")
    b = _endpoint(store, artifacts, run, "b")
    materialize(a, b, float(run.params["alpha"]), out, run.params["modules"])
    return out


def _endpoint(store: Store, artifacts: Artifacts, point: RunEntry, side: str) -> Path:
    model = read_run(store, point.params[f"model_{side}_run"])
    if model is None:
        raise WorkError(
            f"the run of {point.params[f'model_{side}']} is gone from MLflow",
            "Restore it there; without it the point cannot be rebuilt.",
        )
    folder = weights_folder(artifacts, store.location, model)
    if weights_digest(folder) != point.params[f"weights_digest_{side}"]:
        raise WorkError(
            f"the weights of {model.name} in {folder} are not those the point was measured with",
            "Restore the original checkpoint.",
        )
    return folder
