"""kill -9 at any moment, then the same command again: the results of an undisturbed run."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from lmc_track.tracking.location import Location
from support.stores import empty_home
from support.studies import measured, run_tiny, runs_of

pytestmark = pytest.mark.full

Killed = Callable[..., None]

MORE = ["validation", "main_only", "embedded_only"]
KINDS = ("study", "dataset", "model", "path", "point", "clusters", "report")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Location:
    location = empty_home(tmp_path_factory.mktemp("undisturbed"))
    run_tiny(location)
    return location


@pytest.fixture(scope="module")
def undisturbed_with_more(
    undisturbed: Location, tmp_path_factory: pytest.TempPathFactory
) -> Location:
    location = empty_home(tmp_path_factory.mktemp("more"))
    shutil.copytree(undisturbed.cache / "base", location.cache / "base")
    run_tiny(location, evaluate={"datasets": MORE})
    return location


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killed]:
    """Runs the study in a process that is killed the given time that a moment comes."""
    script = Path(__file__).with_name("interrupted.py")
    errors = tmp_path_factory.mktemp("killed") / "stderr"
    with errors.open("w") as stderr:
        server = subprocess.Popen(
            [sys.executable, str(script)],
            env={**os.environ, "PYTHONPATH": str(script.parents[1])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )

    def kill(location: Location, moment: str, count: int, *datasets: str) -> None:
        assert server.stdin is not None
        assert server.stdout is not None
        print(
            json.dumps([str(location.home), moment, count, datasets]),
            file=server.stdin,
            flush=True,
        )
        answered, _, _ = select.select([server.stdout], [], [], 240)
        assert answered, f"no answer in 240 s: {errors.read_text()}"
        assert int(server.stdout.readline() or 1) == -signal.SIGKILL, errors.read_text()

    yield kill
    server.kill()
    server.wait(timeout=60)


def assert_as_undisturbed(location: Location, expected: Location) -> None:
    index, other = runs_of(location), runs_of(expected)
    for kind in KINDS:
        if kind in ("report", "clusters"):
            continue
        keys = Counter(run.key for run in index.all(kind))
        assert keys == Counter(run.key for run in other.all(kind)), kind
    assert index.duplicates == []
    assert not any(index.unfinished(kind) for kind in KINDS)
    mine = measured(location)
    for name, frame in measured(expected).items():
        assert_frame_equal(mine[name], frame, abs_tol=1e-5)


@pytest.mark.parametrize(
    ("moment", "count"),
    [
        ("finetuning", 6),
        ("model-log", 3),
        ("path-logging", 4),
        ("path-logging-by-client", 4),
        ("path-curves", 5),
        ("clustering", 2),
        ("cluster-finish", 1),
        ("ingest", 1),
        ("ingest", 2),
    ],
)
def test_a_killed_study_goes_on_where_it_was(
    moment: str, count: int, undisturbed: Location, killed: Killed, tmp_path: Path
) -> None:
    location = empty_home(tmp_path / "home")
    shutil.copytree(undisturbed.cache / "base", location.cache / "base")
    killed(location, moment, count)
    before = {
        run.run_id for kind in ("model", "point", "path") for run in runs_of(location).all(kind)
    }
    run_tiny(location)
    after = {
        run.run_id for kind in ("model", "point", "path") for run in runs_of(location).all(kind)
    }
    assert before <= after
    assert_as_undisturbed(location, undisturbed)


def test_a_killed_added_evaluation_goes_on_where_it_was(
    undisturbed: Location, undisturbed_with_more: Location, killed: Killed, tmp_path: Path
) -> None:
    location = empty_home(tmp_path / "home")
    shutil.copytree(undisturbed.cache / "base", location.cache / "base")
    run_tiny(location)
    killed(location, "evaluation", 7, *MORE)
    run_tiny(location, evaluate={"datasets": MORE})
    mine = measured(location)
    for name, frame in measured(undisturbed_with_more).items():
        assert_frame_equal(mine[name], frame, abs_tol=1e-5)
    index = runs_of(location)
    assert index.duplicates == []
    assert len(index.all("point")) == len(runs_of(undisturbed).all("point"))
