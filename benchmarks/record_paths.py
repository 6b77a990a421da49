"""Recording measured paths with all their points: together against one client call after another.

    python benchmarks/record_paths.py --models 100
    python benchmarks/record_paths.py --store postgresql://USER:PASSWORD@HOST/DATABASE
    python benchmarks/record_paths.py --server --models 8

A made study goes through the steps' own functions: predictions of two data sets of 512 examples, so
four metrics a point, with notes, tags, params and inputs. The two ways take turns in one store,
SQLite in WAL mode where none is named, so that they share whatever else the machine does. Seconds
of rows (everything but files) and of files (Parquet, JSON, copies, syncs) are told apart.
"""

from __future__ import annotations

import argparse
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from lmc_track.steps import recording
from lmc_track.tracking.artifacts import Artifacts
from lmc_track.tracking.location import locate
from lmc_track.tracking.recorder import Recorder
from lmc_track.tracking.store import Store
from support.made_paths import MadeStudy, made_study
from support.same_runs import OneByOne
from support.stopwatch import Stopwatch


@dataclass
class Way:
    """One way of recording: what it has taken so far."""

    name: str
    study: MadeStudy
    paths: int
    files: Stopwatch
    batch: int = 1
    done: int = 0
    rows: float = 0.0
    artifacts: float = 0.0

    def record(self, share: int) -> None:
        """Record the next of ``share`` equal parts of the paths."""
        works = list(self.study.works())[self.done : self.done + -(-self.paths // share)]
        works = works[: self.paths - self.done]
        for start in range(0, len(works), self.batch):
            measured = [(one, self.study.result(one)) for one in works[start : start + self.batch]]
            before, begun = self.files.seconds, time.perf_counter()
            self.study.put_on_record(measured)
            spent, files = time.perf_counter() - begun, self.files.seconds - before
            self.rows += spent - files
            self.artifacts += files
        self.done += len(works)

    def told(self, points: int) -> str:
        runs = self.done * (points + 1)
        return (
            f"{self.name:11} {self.done:6,} paths {runs:7,} runs   rows {self.rows:7.2f} s "
            f"({1000 * self.rows / self.done:7.2f} ms a path)   files {self.artifacts:7.2f} s "
            f"({1000 * self.artifacts / self.done:6.2f} ms a path)"
        )


def main() -> None:
    options = _options()
    files = Stopwatch()
    recording.predictions_file = files.around(recording.predictions_file)
    if not options.server:  # whose files are sent by many threads at once
        for name in ("put", "put_bytes", "settle"):
            setattr(Artifacts, name, files.around(getattr(Artifacts, name)))
    with tempfile.TemporaryDirectory(dir=options.folder) as folder, _uri(options, folder) as uri:
        store = Store(locate(folder, uri))
        every = options.models * (options.models - 1) // 2
        ways = []
        for name, paths, kind, batch in (
            ("together", options.paths or every, Recorder, options.batch),
            ("one by one", options.client_paths, OneByOne, 1),
        ):
            study = made_study(
                store,
                f"{name.replace(' ', '-')}-{time.time_ns()}",
                models=options.models,
                points=options.points,
                examples=options.examples,
            )
            record = study.record
            recorder = kind(store, record.facts.name, record.experiment_id)
            study = replace(study, record=replace(record, recorder=recorder))
            ways.append(Way(name, study, min(paths, every), files, batch))
            if recorder.notice:
                print(recorder.notice)
        for _ in range(options.turns):
            for way in ways:
                way.record(options.turns)
        for way in ways:
            print(way.told(options.points))
        one, other = ((way.rows / way.done, way.artifacts / way.done) for way in ways)
        print(f"rows: {other[0] / one[0]:.1f} times as fast together", end="")
        print(f"; with files {sum(other) / sum(one):.1f} times")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, default=16, help="all their pairs are paths")
    parser.add_argument("--paths", type=int, help="fewer paths than the models have pairs")
    parser.add_argument("--client-paths", type=int, default=20, help="paths one by one")
    parser.add_argument("--points", type=int, default=9, help="interior points of a path")
    parser.add_argument("--examples", type=int, default=512, help="of each of two data sets")
    parser.add_argument("--batch", type=int, default=1, help="paths in one transaction")
    parser.add_argument("--turns", type=int, default=10, help="how often the ways take turns")
    parser.add_argument("--store", help="tracking URI; default: a new SQLite file")
    parser.add_argument("--server", action="store_true", help="a new `mlflow server` on SQLite")
    parser.add_argument("--folder", help="where the temporary home is made")
    return parser.parse_args()


@contextmanager
def _uri(options: argparse.Namespace, folder: str) -> Iterator[str]:
    if not options.server:
        yield options.store or f"sqlite:///{folder}/mlflow.db"
        return
    served = Store(locate(f"{folder}/served", f"sqlite:///{folder}/served/mlflow.db"))
    served.client.search_experiments(max_results=1)  # makes it, in WAL mode
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
        "--backend-store-uri", served.location.tracking_uri,
        "--artifacts-destination", f"{folder}/served/artifacts",
    ]  # fmt: skip
    with Path(folder, "server.log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _await(f"http://127.0.0.1:{port}/health", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def _await(url: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise SystemExit("the server did not start")


if __name__ == "__main__":
    main()
