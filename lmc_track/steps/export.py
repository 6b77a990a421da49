"""Writing a study's results to a folder that can be shared, archived and cited.

The folder is made beside its place and renamed when it is whole. The same results give the same
files, byte by byte.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from lmc_track.errors import InputError, WorkError
from lmc_track.metrics import GAP_METRICS
from lmc_track.progress import Progress
from lmc_track.steps.export_texts import (
    ExportedFile,
    StudyFacts,
    bibtex,
    citation_file,
    data_package,
    dictionary,
    readme,
)
from lmc_track.warehouse.export import PREDICTIONS, StudyTables, exported_items, study_tables
from lmc_track.warehouse.rebuild import program_version
from lmc_track.warehouse.results import open_results

SUMS = "SHA256SUMS"
MEASURES = ("convexity_gap", "barrier_height")
HALVES = ("all", "discovery", "held-out")


@dataclass(frozen=True)
class ExportReport:
    """What was written where."""

    folder: Path
    n_files: int
    n_bytes: int


def export_study(
    study: str,
    results_path: Path,
    folder: Path,
    progress: Progress,
    *,
    tracking_uri: str | None = None,
    predictions: bool = True,
    overwrite: bool = False,
) -> ExportReport:
    """Write everything that the results hold of ``study`` to ``folder``.

    An earlier export in ``folder`` is replaced, anything else only with ``overwrite``.

    Raises:
        InputError: no such results or study; ``folder`` holds something else.
        WorkError: the files cannot be written. ``folder`` is as it was.
    """
    results = open_results(results_path, tracking_uri)
    target = Path(os.path.abspath(folder))  # noqa: PTH100  (a link stays a link)
    _check_target(target, results_path.parent, overwrite)
    building = target.with_name(f".{target.name}.exporting-{os.getpid()}")
    scratch = target.with_name(f".{target.name}.scratch-{os.getpid()}")
    try:
        building.mkdir(parents=True)
        with study_tables(results, study, building, scratch) as tables:
            _fill(building, tables, progress, predictions)
        _sign(building)
        sizes = [file.stat().st_size for file in _files(building)]
        _put_in_place(building, target)
    except OSError as error:
        reason = error.strerror or str(error)
        raise WorkError(f"{target} could not be written: {reason}") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
        shutil.rmtree(scratch, ignore_errors=True)
    return ExportReport(target, len(sizes), sum(sizes))


def _check_target(target: Path, home: Path, overwrite: bool) -> None:
    remedy = "Name another folder."
    precious = (home.resolve(), Path.cwd(), Path.home())
    if any(target.resolve() in (place, *place.parents) for place in precious):
        raise InputError(f"{target} holds more than an export", remedy)
    if not target.exists():
        return
    if not target.is_dir() or target.is_symlink():
        raise InputError(f"{target} is not a folder", remedy)
    strange = _foreign(target)
    if strange is not None and not overwrite:
        raise InputError(
            f"{target} holds what is not of an export, such as {strange}",
            "Name another folder, or replace everything in it: --overwrite",
        )


def _foreign(folder: Path) -> str | None:
    """A file in ``folder`` that no export put there."""
    try:
        lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    ours = {SUMS, *(line.partition("  ")[2] for line in lines)} if lines else set()
    return next(
        (name for file in _files(folder) if (name := _name(folder, file)) not in ours), None
    )


def _fill(folder: Path, tables: StudyTables, progress: Progress, predictions: bool) -> None:
    datasets = tables.datasets()
    items = exported_items()
    files: list[ExportedFile] = []
    matrices = list(product(MEASURES, GAP_METRICS, datasets, HALVES))
    steps = len(items) - 1 + (len(datasets) if predictions else 0) + len(matrices)
    with progress.track("Exporting", steps, "files") as work:
        for item in items:
            if item.name != PREDICTIONS:
                name = f"tables/{item.name}.parquet"
                files.append(ExportedFile(item, (name,), tables.write(item, folder / name)))
                work.advance()
                continue
            if predictions:
                rows, names = 0, []
                for dataset in datasets:
                    names.append(f"{PREDICTIONS}/dataset={dataset}/{PREDICTIONS}.parquet")
                    rows += tables.write_predictions(dataset, folder / names[-1])
                    work.advance()
                files.append(ExportedFile(item, tuple(names), rows))
        n_matrices = 0
        for measure, metric, dataset, half in matrices:
            file = folder / "matrices" / measure / metric / dataset / f"{half}.csv"
            n_matrices += _write_matrix(tables, file, measure, metric, dataset, half)
            work.advance()
    facts = _facts(tables, datasets)
    texts = {
        "README.md": readme(facts, files, n_matrices, predictions),
        "DICTIONARY.md": dictionary(facts, files),
        "datapackage.json": _json(data_package(facts, files)),
        "study.json": _json(facts.study_file),
        "CITATION.cff": citation_file(facts),
        "CITATION.bib": bibtex(facts),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def _write_matrix(
    tables: StudyTables, file: Path, measure: str, metric: str, dataset: str, half: str
) -> int:
    """One matrix in study order, unless not one pair of it is known; returns how many."""
    asked = {"study": tables.study, "dataset": dataset, "half": half, "metric": metric}
    matrix = tables.now.query("barrier_matrix", **asked, measure=measure, order="study")
    values = matrix.drop("model", "cluster")
    known = sum(values[name].count() for name in values.columns) - len(values.columns)
    if known <= 0:
        return 0
    file.parent.mkdir(parents=True, exist_ok=True)
    matrix.drop("cluster").write_csv(file)
    return 1


def _facts(tables: StudyTables, datasets: list[str]) -> StudyFacts:
    summary = tables.now.query("study_summary", study=tables.study).row(0, named=True)
    sets = tables.now.query("datasets", study=tables.study)
    row = tables.study_row()
    return StudyFacts(
        name=tables.study,
        description=row["description"] or "",
        task=row["task"] or "",
        base=row["base"] or "",
        base_digest=row["base_digest"] or "",
        recipe=row["recipe"] or "{}",
        created=row["created"],
        n_models=summary["n_models"],
        n_paths=summary["n_paths"],
        n_points=summary["n_points"],
        data_digests=dict(sets.select("dataset", "data_digest").iter_rows()),
        versions=json.loads(row["versions"] or "{}"),
        study_file=json.loads(row["study_file"] or "{}"),
        program=program_version(),
    )


def _sign(folder: Path) -> None:
    lines = [f"{_digest(file)}  {_name(folder, file)}\n" for file in _files(folder)]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def _put_in_place(building: Path, target: Path) -> None:
    if not target.exists():
        building.rename(target)
        return
    old = target.with_name(f".{target.name}.replaced-{os.getpid()}")
    target.rename(old)
    try:
        building.rename(target)
    except OSError:
        old.rename(target)
        raise
    shutil.rmtree(old)


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if not file.is_dir() or file.is_symlink())


def _name(folder: Path, file: Path) -> str:
    return file.relative_to(folder).as_posix()


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"
