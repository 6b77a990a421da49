"""Writing a study's report and keeping it with the record."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from lmc_track.progress import Progress
from lmc_track.report.facts import gather
from lmc_track.report.figures.catalogue import drawn_figures, left_out
from lmc_track.report.figures.figure import PaperFigure
from lmc_track.report.findings import sentences
from lmc_track.report.markdown import render_markdown
from lmc_track.report.page import render_report
from lmc_track.steps.commands import reproduction, runs_url, study_ui_command, ui_command
from lmc_track.steps.report_files import (
    check_folder,
    check_out,
    given_up,
    write_figures,
    write_pictures,
)
from lmc_track.tracking.keys import report_key
from lmc_track.tracking.location import Location
from lmc_track.tracking.studies import StudyFacts, StudyRecord
from lmc_track.tracking.tags import versions
from lmc_track.warehouse.results import open_results


@dataclass(frozen=True)
class Wanted:
    """What is to be written: the report to ``out`` (default: ``reports/`` in the home) as HTML or,
    with its pictures in a folder beside it, as Markdown; and the figures of a paper to ``figures``.
    """

    out: Path | None = None
    markdown: bool = False
    figures: Path | None = None
    kept: bool = True

    def path(self, location: Location, study: str) -> Path:
        """Where the report goes."""
        suffix = "md" if self.markdown else "html"
        return self.out or location.home / "reports" / f"{study}.{suffix}"

    def check(self, location: Location, study: str) -> None:
        """Raise InputError where something cannot be written, before work goes into it."""
        check_out(self.out)
        check_folder(self.figures)
        if self.markdown:
            check_folder(pictures_of(self.path(location, study)))


def pictures_of(path: Path) -> Path:
    """The folder of the pictures of the Markdown report at ``path``."""
    return path.with_name(f"{path.stem}-figures")


@dataclass(frozen=True)
class WrittenReport:
    """Where the report is, and what it says in five lines.

    ``figures`` are the names of the figures written for a paper, ``left_out`` of those that the
    study has no data for; both are empty where none were asked for.
    """

    path: Path
    findings: list[str]
    figures: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def write_report(
    record: StudyRecord, location: Location, progress: Progress, wanted: Wanted | None = None
) -> WrittenReport:
    """Render a study's report, and figures where they are ``wanted``.

    The HTML page is also an artifact of a run of kind ``report``, unless that is not ``wanted``;
    an unchanged page is not recorded twice.

    Raises:
        InputError: nothing is ingested yet, or what is wanted cannot be written.
    """
    study = record.facts.name
    wanted = wanted or Wanted()
    results = open_results(location.results_path, location.tracking_uri)
    path = wanted.path(location, study)
    told: _Told = {
        "provenance": _provenance(record, location),
        "commands": reproduction(
            study, location, imported=bool(record.facts.identity.get("imported"))
        ),
    }
    figures: list[PaperFigure] = []
    with progress.track("Writing the report", 1, "pages") as work:
        with results.at_once() as source:
            facts = gather(source, study)
            if wanted.markdown or wanted.figures is not None:
                figures = drawn_figures(source, facts)
            if wanted.markdown:
                beside = pictures_of(path)
                text = render_markdown(source, facts, figures=figures, images=beside.name, **told)
            else:
                text = render_report(
                    source,
                    facts,
                    **told,
                    runs_url=runs_url(location, record.experiment_id),
                    runs_command=study_ui_command(study, location),
                )
        if wanted.markdown:
            write_pictures(beside, figures, progress)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise given_up(path, error) from None
        if wanted.kept and not wanted.markdown:
            _keep(record, text, study)
        work.advance()
    if wanted.figures is None:
        return WrittenReport(path, sentences(facts))
    write_figures(wanted.figures, facts, figures, progress)
    return WrittenReport(
        path, sentences(facts), tuple(figure.name for figure in figures), tuple(left_out(figures))
    )


class _Told(TypedDict):
    """What a report of either form is told beside the results."""

    provenance: dict[str, str]
    commands: list[tuple[str, str]]


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
