"""Putting registered models on record: where they are, in which order they answer, how well."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from lmc_track.analysis.label_order import in_order
from lmc_track.geometry.engine import shared_engine
from lmc_track.geometry.evaluation import Predictions
from lmc_track.geometry.weights_cache import Checkpoint
from lmc_track.models.checkpoints import weights_digest
from lmc_track.models.label_rows import copy_checkpoint, write_reordered
from lmc_track.models.references import REFERENCE_FILE, open_reference, reference
from lmc_track.steps.candidates import Candidate
from lmc_track.steps.computing import usual_settings
from lmc_track.steps.model_folders import REFERENCE_PARAM, STORED
from lmc_track.steps.notes import model_note
from lmc_track.steps.planning import Plan
from lmc_track.steps.recording import record_predictions
from lmc_track.tracking.studies import RecordedModel, StudyRecord

# The digest of what a registered model computes (models/functions.py).
FUNCTION_PARAM = "function_digest"


def record_registered(
    plan: Plan, record: StudyRecord, model: RecordedModel, one: Candidate, *, copy: bool
) -> None:
    """Record ``model``: its weights or where they are, then its answers on every data set.

    A model whose outputs stand in another order than the study's is kept as a copy in the
    study's order, since all models between which lines are drawn must answer in one.
    """
    recorder, folder = record.recorder, one.found.folder
    note = model_note(f"Registered from {one.found.origin}.")
    run = recorder.start("model", model.key, model.name, note)
    with tempfile.TemporaryDirectory(dir=plan.location.cache, prefix="registering-") as place:
        kept = copy or not one.in_study_order
        content = reference(one.found)
        if kept:
            folder = Path(place) / STORED
            _write_copy(plan, one, folder)
            recorder.artifacts.put(run.run_id, run.artifact_uri, folder, STORED)
        recorder.artifacts.put_json(run.run_id, run.artifact_uri, content, REFERENCE_FILE)
        params = _params(plan, model, one, folder, kept)
        recorder.log(run, params=params)
        recorder.log_model(
            run, f"{record.facts.name}-{model.name}", params, None if kept else one.found.origin
        )
        predictions = _predictions(plan, one, folder)
        # Weights and answers belong together: a file that changed meanwhile is noticed here.
        open_reference(content, model.name, plan.location.cache, os.environ)
        record_predictions(plan, record, run, predictions, plan.precision)
    recorder.finish(run)
    record.index.add(run)


def _write_copy(plan: Plan, one: Candidate, out: Path) -> None:
    assert one.order is not None
    if one.in_study_order:
        copy_checkpoint(one.found.folder, out)
        return
    labels = plan.facts.label_names
    write_reordered(one.found.folder, out, one.order, labels, one.frame.outputs)


def _predictions(plan: Plan, one: Candidate, folder: Path) -> dict[str, Predictions]:
    """Answers on every data set; those on validation are there where the order is the study's."""
    known = {"validation": one.answers} if one.in_study_order and one.answers else {}
    missing = [name for name in plan.datasets if name not in known]
    if missing:
        engine = shared_engine(plan.encoded, usual_settings(plan), plan.origin)
        known |= engine.model_predictions(Checkpoint(folder), missing)
    return {name: known[name] for name in plan.datasets}


def _params(
    plan: Plan, model: RecordedModel, one: Candidate, folder: Path, kept: bool
) -> dict[str, object]:
    assert one.order is not None
    digest = weights_digest(folder)
    return {
        "name": model.name,
        "position": model.position,
        "source": "registered",
        "origin": one.found.origin,
        "base": plan.facts.base or None,
        "base_digest": plan.facts.identity["base_digest"],
        "weights_digest": digest,
        "original_weights_digest": weights_digest(one.found.folder) if kept else None,
        "label_order": ",".join(in_order(plan.facts.label_names, one.order)),
        "label_order_from": one.order_from,
        FUNCTION_PARAM: one.function,
        REFERENCE_PARAM: STORED if kept else REFERENCE_FILE,
    }
