"""kill -9 at any moment, then the same command again: the results of an undisturbed run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from lmc_track.tracking.location import Location
from support.stores import empty_home
from support.studies import measured, run_tiny, runs_of

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


def killed(location: Location, moment: str, count: int, *datasets: str) -> None:
    script = Path(__file__).with_name("interrupted.py")
    done = subprocess.run(
        [sys.executable, str(script), str(location.home), moment, str(count), *datasets],
        env={**os.environ, "PYTHONPATH": str(script.parents[1])},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


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
        ("path-curves", 5),
        ("clustering", 2),
        ("cluster-finish", 1),
        ("ingest", 1),
        ("ingest", 2),
    ],
)
def test_a_killed_study_goes_on_where_it_was(
    moment: str, count: int, undisturbed: Location, tmp_path: Path
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
    undisturbed: Location, undisturbed_with_more: Location, tmp_path: Path
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
