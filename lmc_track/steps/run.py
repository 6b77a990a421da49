"""A whole study: every step in order, each skipping what is done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from lmc_track.execution import Placement
from lmc_track.geometry.modules import ALL
from lmc_track.progress import Progress
from lmc_track.steps.cluster import cluster_models
from lmc_track.steps.cluster_records import ClusteringOutcome
from lmc_track.steps.computing import Computing, computing_on
from lmc_track.steps.damage import Damage, left_out
from lmc_track.steps.data_summary import concerns
from lmc_track.steps.finetune import finetune_models
from lmc_track.steps.ingest import Ingested, ingest
from lmc_track.steps.interpolate import evaluate_models, evaluate_points, interpolate_paths
from lmc_track.steps.planning import Plan
from lmc_track.steps.recording import find_recorded, working_on
from lmc_track.steps.report import Wanted, WrittenReport, write_report
from lmc_track.steps.report_files import check_out
from lmc_track.steps.set_aside import changed_files, damaged_clusterings, set_damage_aside
from lmc_track.study import Study
from lmc_track.tracking.location import Location, is_read_only
from lmc_track.tracking.lock import study_lock
from lmc_track.tracking.places import displacement
from lmc_track.tracking.studies import StudyRecord


@dataclass(frozen=True)
class RunOutcome:
    """What ``run`` did: new models and paths, clusterings, and the report.

    ``experiment_id`` is the study's in MLflow.
    """

    models: int
    paths: int
    clusterings: list[ClusteringOutcome]
    report: WrittenReport
    experiment_id: str


def run_study(
    study: Study,
    location: Location,
    progress: Progress,
    out: Path | None = None,
    placement: Placement | None = None,
) -> RunOutcome:
    """Finetune, evaluate, interpolate, ingest, cluster and report."""
    check_out(out)
    with _computing(study, location, progress, placement) as (plan, record, computing):
        for line in concerns(plan):
            progress.note(line)
        _repair(plan, record, progress, computing, changed_files(record))
        models = finetune_models(plan, record, progress, computing)
        evaluate_models(plan, record, progress, computing)
        paths = interpolate_paths(plan, record, progress, computing)
        damaged = ingest(location, progress, record).damaged
        if _repair(plan, record, progress, computing, damaged):
            damaged = ingest(location, progress, record).damaged
        if damaged:
            progress.note(left_out(damaged, location.results_path).args[0])
        clusterings = _clusters(study, record, location, progress)
        report = write_report(record, location, progress, Wanted(out))
    return RunOutcome(models, paths, clusterings, report, record.experiment_id)


def _repair(
    plan: Plan,
    record: StudyRecord,
    progress: Progress,
    computing: Computing,
    damage: Iterable[Damage],
) -> bool:
    """Set aside what of the study is damaged and measure it again; whether there was any."""
    own = [one for one in damage if one.study == record.facts.name]
    if not set_damage_aside(record, own, plan.datasets, progress):
        return False
    evaluate_models(plan, record, progress, computing)
    evaluate_points(plan, record, progress, computing)
    return True


def finetune_step(
    study: Study, location: Location, progress: Progress, placement: Placement | None = None
) -> int:
    """Finetune the models that are missing; returns how many that were."""
    with _computing(study, location, progress, placement) as (plan, record, computing):
        return finetune_models(plan, record, progress, computing)


def evaluate_step(
    study: Study, location: Location, progress: Progress, placement: Placement | None = None
) -> tuple[int, int]:
    """Evaluate recorded models and points on the data sets they lack; (models, paths)."""
    with _computing(study, location, progress, placement) as (plan, record, computing):
        set_damage_aside(record, changed_files(record), plan.datasets, progress)
        models = evaluate_models(plan, record, progress, computing)
        return models, evaluate_points(plan, record, progress, computing)


def interpolate_step(
    study: Study,
    location: Location,
    progress: Progress,
    modules: Sequence[str] = (ALL,),
    placement: Placement | None = None,
) -> int:
    """Measure the paths along which ``modules`` move; returns how many lacked something."""
    with _computing(study, location, progress, placement) as (plan, record, computing):
        evaluate_models(plan, record, progress, computing)
        return interpolate_paths(plan, record, progress, computing, modules)


@contextmanager
def _computing(
    study: Study, location: Location, progress: Progress, placement: Placement | None
) -> Iterator[tuple[Plan, StudyRecord, Computing]]:
    with (
        working_on(study, location, progress) as (plan, record),
        computing_on(plan, record, progress, placement or Placement()) as computing,
    ):
        yield plan, record, computing


def ingest_step(location: Location, progress: Progress, *, everything: bool = False) -> Ingested:
    """Bring the results up to date with the record, or build them anew from ``everything``.

    Raises:
        WorkError: artifacts are damaged; all the rest is taken in.
    """
    report = ingest(location, progress, everything=everything)
    if report.damaged:
        raise left_out(report.damaged, location.results_path)
    return report


def cluster_step(study: Study, location: Location, progress: Progress) -> list[ClusteringOutcome]:
    """Cluster on the ingested gaps, and ingest the clusters where there are new ones.

    Raises:
        InputError: nothing is recorded or ingested yet.
        WorkError: gaps are missing.
    """
    find_recorded(study.name, location, kinds=())  # before the lock, which makes a home
    with study_lock(location, study.name):
        # Of single paths and points the results file knows all that is needed.
        record = find_recorded(study.name, location, kinds=("clusters",))
        return _clusters(study, record, location, progress)


def report_step(
    study: str, location: Location, progress: Progress, wanted: Wanted | None = None
) -> WrittenReport:
    """Write the report of the recorded study ``study``, by default its page in the home.

    Where the home cannot be written it goes elsewhere alone, and is not kept with the record.

    Raises:
        InputError: it is not recorded or not ingested, or what is wanted cannot be written.
    """
    wanted = wanted or Wanted()
    wanted.check(location, study)
    found = find_recorded(study, location, kinds=())  # before the lock, which makes a home
    if wanted.out is not None and is_read_only(location):
        progress.note(f"{location.home} cannot be written: the report is not kept in MLflow.")
        return write_report(found, location, progress, replace(wanted, kept=False))
    if (moved := displacement(location)) is not None:
        progress.note(f"{moved.message}: the report is not kept in MLflow. {moved.remedy}")
        return write_report(found, location, progress, replace(wanted, kept=False))
    with study_lock(location, study):
        record = find_recorded(study, location, kinds=["report"])
        return write_report(record, location, progress, wanted)


def _clusters(
    study: Study, record: StudyRecord, location: Location, progress: Progress
) -> list[ClusteringOutcome]:
    if study.interpolate.pairs != "all":
        progress.note("Clusters need the gap of every pair; this study measures only some.")
        return []
    set_damage_aside(record, damaged_clusterings(record), {}, progress)
    outcomes = cluster_models(study, record, location, progress)
    if any(outcome.made for outcome in outcomes):
        ingest(location, progress)
    return outcomes
