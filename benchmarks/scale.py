"""What a whole simulated study costs: recorded, ingested, asked, reported, shown.

    python benchmarks/scale.py --models 10 30 100
    python benchmarks/scale.py --models 10 --stores postgresql

Predictions are made, not computed; everything else is what ``lmc-track run`` does: every pair of
the models is a path of 9 points inside, with four data sets of 512 examples, recorded through the
steps' own functions into a new SQLite home and a new PostgreSQL database, ingested three ways,
asked and reported, and opened in the MLflow UI in Chromium, sorted by a metric. Beside each step is
what plain use of MLflow's client takes for the same, on some of the paths. It prints a Markdown
table for each store, and to stderr each measure as soon as it is there.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from lmc_track.execution.carry import MOST_TOGETHER
from lmc_track.progress import Silent
from lmc_track.steps import recording
from lmc_track.steps.ingest import ingest
from lmc_track.steps.path_works import PathWork
from lmc_track.steps.run import report_step
from lmc_track.tracking.artifacts import Artifacts
from lmc_track.tracking.location import Location, locate
from lmc_track.tracking.pages import experiment_page, experiments_page
from lmc_track.tracking.runs import read_runs
from lmc_track.tracking.store import Store
from lmc_track.warehouse.results import open_results
from support.browser import chromium, wait_for
from support.made_paths import MadeStudy, made_study
from support.same_runs import OneByOne
from support.servers import postgres_cluster
from support.stopwatch import Stopwatch
from support.ui import served_ui

DATASETS = ("validation", "train_sample", "main_only", "embedded_only")
STUDY = "scale"
TIMES = 3  # how often what takes little is measured
QUERIES = ("barrier_matrix", "barrier_pairs", "gap_summary", "study_summary")


def main() -> None:
    options = _options()
    found: dict[str, dict[int, dict[str, str]]] = {kind: {} for kind in options.stores}
    for models in options.models:
        for kind in options.stores:
            measures = found[kind].setdefault(models, {})
            with _store(kind, options.folder) as (location, size):
                for name, value in _measured(location, size, models, options):
                    print(f"{models} models, {kind}: {name}: {value}", file=sys.stderr, flush=True)
                    measures[name] = value
    for kind, columns in found.items():
        _print(kind, columns)


def _measured(
    location: Location, size: Callable[[], int], models: int, options: argparse.Namespace
) -> Iterator[tuple[str, str]]:
    """Each thing that was measured, and what it came to."""
    files = Stopwatch()
    store = Store(location)
    with _timed_files(files):
        study = made_study(store, STUDY, models=models, datasets=DATASETS)
        works = list(study.works())
        later = works[-TIMES:]
        rows, artifacts = _record(study, works[:-TIMES], files)
        plain = _plainly(store, models, files, options.client_paths)
    store.analyze()
    n = len(works) - TIMES
    yield "paths and points", f"{len(works):,} and {9 * len(works):,}"
    yield "record rows", _against(rows, n * plain[0])
    yield "record files", _against(artifacts, n * plain[1])
    yield "MLflow database", f"{size() / 2**20:,.0f} MiB"
    folder = location.home / "artifacts" / STUDY
    yield "artifacts", f"{_bytes(folder) / 2**20:,.0f} MiB"

    client = _seconds(lambda: read_runs(store, study.record.experiment_id))
    yield "read all runs by MLflow's client", f"{client:,.1f} s"
    yield "ingest all", f"{_seconds(lambda: ingest(location, Silent(), everything=True)):,.1f} s"
    nothing = [_seconds(lambda: ingest(location, Silent())) for _ in range(TIMES)]
    yield "ingest nothing new", _times(nothing)
    one_path = []
    for work in later:
        _record(study, [work], files)
        one_path.append(_seconds(lambda: ingest(location, Silent())))
    yield "ingest one new path", _times(one_path)
    yield "results.duckdb", f"{location.results_path.stat().st_size / 2**20:,.0f} MiB"

    results = open_results(location.results_path)
    for query in QUERIES:
        asked = min(_seconds(partial(results.query, query)) for _ in range(3))
        yield f"query {query}", f"{1000 * asked:,.0f} ms"
    yield "report", f"{_seconds(lambda: report_step(STUDY, location, Silent())):,.1f} s"
    yield "paths sorted by gap in the MLflow UI", _sorted(location, study.record.experiment_id)


def _record(study: MadeStudy, works: list[PathWork], files: Stopwatch) -> tuple[float, float]:
    """Seconds of rows and of files that recording ``works`` takes, as many together as in a run."""
    spent = 0.0
    before = files.seconds
    for start in range(0, len(works), MOST_TOGETHER):
        measured = [(work, study.result(work)) for work in works[start : start + MOST_TOGETHER]]
        spent += _seconds(partial(study.put_on_record, measured))
    return spent - (files.seconds - before), files.seconds - before


def _plainly(store: Store, models: int, files: Stopwatch, paths: int) -> tuple[float, float]:
    """Seconds a path, of rows and of files, by one call of MLflow's client after another."""
    made = made_study(store, f"{STUDY}-plainly", models=models, datasets=DATASETS)
    recorder = OneByOne(store, made.record.facts.name, made.record.experiment_id)
    made = replace(made, record=replace(made.record, recorder=recorder))
    works = list(islice(made.works(), paths))
    rows, artifacts = _record(made, works, files)
    store.client.delete_experiment(made.record.experiment_id)
    return rows / len(works), artifacts / len(works)


@contextmanager
def _timed_files(files: Stopwatch) -> Iterator[None]:
    """While this lasts, ``files`` counts what is spent on making and writing artifacts."""
    with ExitStack() as stack:
        stack.enter_context(
            patch.object(recording, "predictions_file", files.around(recording.predictions_file))
        )
        for name in ("put", "put_bytes", "settle"):
            timed = files.around(getattr(Artifacts, name))
            stack.enter_context(patch.object(Artifacts, name, timed))
        yield


def _sorted(location: Location, experiment_id: str) -> str:
    """Seconds from opening the saved view of paths, sorted by their gap, to its rows."""
    with (
        tempfile.TemporaryDirectory() as profile,
        served_ui(location, STUDY) as address,
        chromium(Path(profile)) as driver,
    ):
        server = address.partition("#")[0]
        driver.get(server + experiments_page())  # the page's own program, once
        wait_for(driver, lambda d: d.find_element("link text", STUDY), "the study's link")
        page = server + experiment_page(experiment_id, "lmc-paths")
        return f"{_seconds(lambda: _shown(driver, page)):,.1f} s"


def _shown(driver: Any, page: str) -> None:
    driver.get(page)
    rows = ".ag-row[row-index] a[href*='/runs/']"
    wait_for(driver, lambda d: d.find_elements("css selector", rows), "the paths")


@contextmanager
def _store(kind: str, folder: str | None) -> Iterator[tuple[Location, Callable[[], int]]]:
    """A new home whose store is of this kind, and what tells the size of its database."""
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(dir=folder))
        if kind == "sqlite":
            yield locate(home, environ={}), lambda: _bytes(Path(home), "mlflow.db*")
        else:
            cluster = stack.enter_context(postgres_cluster())
            uri = cluster.database("lmc")
            yield locate(home, uri, environ={}), lambda: _bytes(cluster.folder / "data" / "base")


def _bytes(folder: Path, pattern: str = "**/*") -> int:
    return sum(path.stat().st_size for path in folder.glob(pattern) if path.is_file())


def _against(ours: float, plain: float) -> str:
    return f"{ours:,.1f} s (MLflow's client: {plain:,.0f} s, {plain / ours:.1f} times)"


def _times(seconds: list[float]) -> str:
    return " s, ".join(f"{one:,.2f}" for one in seconds) + " s"


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _print(kind: str, columns: dict[int, dict[str, str]]) -> None:
    print(f"\n| {kind} | " + " | ".join(f"{models} models" for models in columns) + " |")
    print("|---|" + "---:|" * len(columns))
    for name in next(iter(columns.values())):
        print(f"| {name} | " + " | ".join(column[name] for column in columns.values()) + " |")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--models", type=int, nargs="+", default=[10, 30, 100])
    parser.add_argument(
        "--stores", nargs="+", choices=("sqlite", "postgresql"), default=["sqlite", "postgresql"]
    )
    parser.add_argument("--client-paths", type=int, default=20, help="paths by MLflow's client")
    parser.add_argument("--folder", help="where the temporary homes are made")
    return parser.parse_args()


if __name__ == "__main__":
    main()
