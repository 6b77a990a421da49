"""Writing a study's report and keeping it with the record."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from lmc_track.errors import InputError
from lmc_track.progress import Progress
from lmc_track.report.findings import findings
from lmc_track.report.page import render_report
from lmc_track.steps.commands import reproduction, ui_command
from lmc_track.tracking.keys import report_key
from lmc_track.tracking.location import Location
from lmc_track.tracking.lock import study_lock
from lmc_track.tracking.store import Store
from lmc_track.tracking.studies import StudyRecord, find_study
from lmc_track.tracking.tags import versions
from lmc_track.warehouse.results import open_results


@dataclass(frozen=True)
class WrittenReport:
    """Where the page is, and what it says in five lines."""

    path: Path
    findings: list[str]


def write_report(
    study: str, location: Location, progress: Progress, out: Path | None = None
) -> WrittenReport:
    """Render the report of ``study`` to ``out`` (default: ``reports/`` in the home).

    The page is also an artifact of a run of kind ``report``; an unchanged page is not
    recorded twice.

    Raises:
        InputError: the study is not recorded, or ``out`` cannot be written.
    """
    store = Store(location)
    record = find_study(store, study)
    if record is None:
        raise InputError(
            f"there is no study {study!r} in {location.shown_uri}", "See: lmc-track status"
        )
    results = open_results(location.results_path, location.tracking_uri)
    path = out or location.home / "reports" / f"{study}.html"
    with progress.track("Writing the report", 1, "pages") as work:
        page = render_report(
            results,
            study,
            provenance=_provenance(record, location),
            commands=reproduction(study, location),
        )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(page, encoding="utf-8")
        except OSError as error:
            raise InputError(
                f"the report {path} cannot be written: {error.strerror or error}",
                "Name another file with --out.",
            ) from None
        with study_lock(location, study):
            _keep(record, page, study)
        work.advance()
    return WrittenReport(path, findings(results, study))


def _keep(record: StudyRecord, page: str, study: str) -> None:
    recorder = record.recorder
    recorder.delete(record.index.unfinished("report"))
    key = report_key(hashlib.sha256(page.encode()).hexdigest())
    if record.index.find("report", key) is not None:
        return
    run = recorder.start(
        "report",
        key,
        f"report {study}",
        "The study's report: open report.html among the artifacts.",
    )
    recorder.artifacts.put_text(run.run_id, run.artifact_uri, page, "report.html")
    recorder.finish(run)
    record.index.add(run)


def _provenance(record: StudyRecord, location: Location) -> dict[str, str]:
    """What the numbers rest on; nothing in it changes when nothing was measured."""
    facts = record.facts
    rows = {
        "Tracking store": location.shown_uri,
        "MLflow experiment": f"{facts.name} (id {record.experiment_id})",
        "MLflow UI": ui_command(location),
        "Base model": f"{facts.base} (digest {facts.identity['base_digest'][:16]})",
        "Training data": f"digest {facts.identity['training_data_digest'][:16]}",
        "Recipe": json.dumps(facts.identity["finetune"], sort_keys=True),
        "Common grid": ", ".join(f"{alpha:.4g}" for alpha in facts.alphas),
        "Precision of evaluation": facts.precision,
    }
    for data in facts.datasets:
        rows[f"Data set {data.name}"] = f"digest {data.digest[:16]}, tokens {data.encoding[:16]}"
    recorded = json.loads(record.run.tags.get("lmc.versions", "{}")) or versions()
    rows["Versions"] = ", ".join(f"{name} {value}" for name, value in recorded.items())
    if "mlflow.source.git.commit" in record.run.tags:
        rows["Program's commit"] = record.run.tags["mlflow.source.git.commit"]
    return rows
