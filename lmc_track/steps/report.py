"""Writing a study's report and keeping it with the record."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from lmc_track.errors import InputError
from lmc_track.progress import Progress
from lmc_track.report.facts import gather
from lmc_track.report.findings import sentences
from lmc_track.report.page import render_report
from lmc_track.steps.commands import reproduction, ui_command
from lmc_track.tracking.keys import report_key
from lmc_track.tracking.location import Location
from lmc_track.tracking.studies import StudyFacts, StudyRecord
from lmc_track.tracking.tags import versions
from lmc_track.warehouse.results import open_results


@dataclass(frozen=True)
class WrittenReport:
    """Where the page is, and what it says in five lines."""

    path: Path
    findings: list[str]


def check_out(out: Path | None) -> None:
    """Raise InputError where no file ``out`` can be written, before hours of work go into it."""
    if out is None:
        return
    folder = out.parent
    while not folder.exists():
        folder = folder.parent
    if out.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise _not_written(out, "it is a folder" if out.is_dir() else f"{folder} is not writable")


def _not_written(path: Path, why: str) -> InputError:
    return InputError(
        f"the report {path} cannot be written: {why}", "Name another file with --out."
    )


def write_report(
    record: StudyRecord, location: Location, progress: Progress, out: Path | None = None
) -> WrittenReport:
    """Render a study's report to ``out`` (default: ``reports/`` in the home).

    The page is also an artifact of a run of kind ``report``; an unchanged page is not
    recorded twice.

    Raises:
        InputError: nothing is ingested yet, or ``out`` cannot be written.
    """
    study = record.facts.name
    results = open_results(location.results_path, location.tracking_uri)
    path = out or location.home / "reports" / f"{study}.html"
    with progress.track("Writing the report", 1, "pages") as work:
        with results.at_once() as source:
            facts = gather(source, study)
            page = render_report(
                source,
                facts,
                provenance=_provenance(record, location),
                commands=reproduction(
                    study, location, imported=bool(record.facts.identity.get("imported"))
                ),
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(page, encoding="utf-8")
        except OSError as error:
            raise _not_written(path, error.strerror or str(error)) from None
        _keep(record, page, study)
        work.advance()
    return WrittenReport(path, sentences(facts))


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
        "The study's report: report.html in the tab Artifacts.",
    )
    recorder.artifacts.put_text(run.run_id, run.artifact_uri, page, "report.html")
    recorder.finish(run)
    record.index.add(run)


def _made(facts: StudyFacts) -> dict[str, str]:
    """What models and paths were made with, as far as that is known."""
    if facts.identity.get("imported"):
        return {
            "Base model": facts.base,
            "Made": "elsewhere; the runs' tag lmc.source says what they were imported from",
        }
    base, data = facts.identity["base_digest"], facts.identity["training_data_digest"]
    rows = {}
    if base is not None:
        rows["Base model"] = f"{facts.base} (digest {base[:16]})"
    if data is not None:
        rows["Training data"] = f"digest {data[:16]}"
        rows["Recipe"] = json.dumps(facts.identity["finetune"], sort_keys=True)
    return rows | {
        "Common grid": ", ".join(f"{alpha:.4g}" for alpha in facts.alphas),
        "Precision of evaluation": facts.precision,
    }


def _provenance(record: StudyRecord, location: Location) -> dict[str, str]:
    """What the numbers rest on; nothing in it changes when nothing was measured."""
    facts = record.facts
    rows = {
        "Tracking store": location.shown_uri,
        "MLflow experiment": f"{facts.name} (id {record.experiment_id})",
        "MLflow UI": ui_command(location),
        **_made(facts),
    }
    for data in facts.datasets:
        told = "" if data.encoding == data.digest else f", tokens {data.encoding[:16]}"
        rows[f"Data set {data.name}"] = f"digest {data.digest[:16]}{told}"
    recorded = json.loads(record.run.tags.get("lmc.versions", "{}")) or versions()
    rows["Versions"] = ", ".join(f"{name} {value}" for name, value in recorded.items())
    if "mlflow.source.git.commit" in record.run.tags:
        rows["Program's commit"] = record.run.tags["mlflow.source.git.commit"]
    return rows
