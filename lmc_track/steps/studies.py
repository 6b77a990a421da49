"""The studies of a home, side by side."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime

import polars as pl

from lmc_track.steps.orphans import orphaned_runs
from lmc_track.steps.status import StudyState, planned_and_done
from lmc_track.study import restore_study
from lmc_track.tracking.census import CountedRun, take_census
from lmc_track.tracking.left_out import counting_facts, left_out
from lmc_track.tracking.location import Location
from lmc_track.tracking.runs import RunEntry
from lmc_track.tracking.store import Store
from lmc_track.tracking.studies import DROPPED, FAILED, OUTSIDE, StudyRecord, find_study

SCHEMA = pl.Schema(
    {
        "study": pl.String,
        "models": pl.Int64,
        "models_done": pl.Int64,
        "failed": pl.Int64,
        "dropped": pl.Int64,
        "not_in_file": pl.Int64,
        "paths": pl.Int64,
        "paths_done": pl.Int64,
        "clusters": pl.Int64,
        "changed": pl.Datetime("us"),
        "description": pl.String,
    }
)


def studies_of(location: Location) -> pl.DataFrame:
    """One row for each study on record, the one that changed last first; columns as ``SCHEMA``.

    ``models`` and ``paths`` are those planned that count; ``failed``, ``dropped`` and
    ``not_in_file`` are models that do not, earlier checkpoints not among them. ``clusters`` are
    those of the newest clustering of the study's method, NULL where there is none. ``changed`` is
    when the last run ended or began, UTC.

    Raises:
        InputError: the store cannot be reached.
    """
    store = Store(location)
    census = take_census(store)
    records = {
        one.experiment_id: record
        for one in census.studies
        if not one.deleted and (record := find_study(store, one.study, ("model", "clusters")))
    }
    lost = {r.run_id for r in orphaned_runs(census, {n: r.facts for n, r in records.items()})}
    runs: dict[str, list[CountedRun]] = defaultdict(list)
    for run in census.runs:
        if run.run_id not in lost:
            runs[run.experiment_id].append(run)
    rows = [_row(record, runs[number]) for number, record in records.items()]
    return pl.DataFrame(rows, schema=SCHEMA).sort("changed", descending=True, maintain_order=True)


def _row(record: StudyRecord, runs: list[CountedRun]) -> dict[str, object]:
    facts, out = record.facts, left_out(record)
    study = restore_study(facts.file, source=f"the recorded study {facts.name!r}")
    done = planned_and_done(StudyState(counting_facts(facts, out), runs, worked_on=False), study)
    ends = {model.name for model in facts.models if model.checkpoint_of is None}
    reasons = [one.reason for one in out if one.kind == "model" and one.name in ends]
    counting = [name for name in ends if name not in {one.name for one in out}]
    newest = _newest_clustering(record, len(counting))
    changed = max((run.changed for run in runs if not run.deleted), default=0)
    return {
        "study": facts.name,
        "models": done["model"][0],
        "models_done": done["model"][1],
        "failed": reasons.count(FAILED),
        "dropped": reasons.count(DROPPED),
        "not_in_file": reasons.count(OUTSIDE),
        "paths": done["path"][0],
        "paths_done": done["path"][1],
        "clusters": None if newest is None else int(newest.metrics["n_clusters"]),
        "changed": datetime.fromtimestamp(changed / 1000, UTC).replace(tzinfo=None),
        "description": facts.file["study"].get("description") or None,
    }


def _newest_clustering(record: StudyRecord, n_models: int) -> RunEntry | None:
    """The newest clustering of the study's method that is not known to be of other models."""
    found = [
        run
        for run in record.index.all("clusters")
        if run.params.get("method") == record.facts.primary_method
        and n_models > 0
        and run.metrics.get("n_models", n_models) == n_models
    ]
    return found[-1] if found else None
