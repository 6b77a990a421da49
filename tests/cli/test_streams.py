"""Output that is closed, and warnings that are errors: the program does its work all the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.studies import tiny_content
from support.study_files import to_toml

from .conftest import Run

PROGRAM = [sys.executable, "-m", "lmc_track.cli"]


def test_a_reader_that_has_enough_is_no_error(tmp_path: Path) -> None:
    # More than a pipe holds, so that the program is still writing when the reader goes.
    program = f"import lmc_track.cli.main as m\n{_REPEATING}\nm.main()"
    done = subprocess.Popen(
        [sys.executable, "-c", program, "schema", "--format", "csv"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert done.stdout is not None
    assert done.stdout.readline()
    done.stdout.close()
    assert done.stderr is not None
    assert done.stderr.read() == ""
    assert done.wait(timeout=120) == 0


# The rows of the schema, many times over.
_REPEATING = (
    "import lmc_track.cli.output as output, polars as pl; flat = output._flat\n"
    "output._flat = lambda frame: pl.concat([flat(frame)] * 200)"
)


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_output_that_was_closed_before_is_no_error(closed: str, tmp_path: Path) -> None:
    redirection = {"stdout": ">&-", "stderr": "2>&-"}[closed]
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {redirection}', "sh", *PROGRAM, "schema"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is full")
def test_output_to_a_full_disk_is_told_once(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*PROGRAM, "schema"],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
        )
    assert done.returncode == 1
    assert "There is no room left" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.full
@pytest.mark.parametrize("how", ["option", "environment"])
def test_warnings_as_errors_change_nothing(how: str, tmp_path: Path, lmc: Run) -> None:
    (tmp_path / "study.toml").write_text(to_toml(tiny_content()))
    arguments = ("check", "study.toml", "--format", "json", "--quiet")
    usual = lmc(*arguments)
    option = ["-W", "error"] if how == "option" else []
    environ = {} if how == "option" else {"PYTHONWARNINGS": "error"}
    strict = subprocess.run(
        [sys.executable, *option, "-m", "lmc_track.cli", *arguments],
        cwd=tmp_path,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (strict.returncode, strict.stderr) == (0, usual.stderr)
    assert json.loads(strict.stdout) == json.loads(usual.stdout)
