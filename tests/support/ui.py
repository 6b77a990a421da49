"""The MLflow UI as ``lmc-track ui`` serves it, for as long as a test needs it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, Queue

from lmc_track.tracking.location import Location

_PATIENCE = 180


@contextmanager
def served_ui(location: Location, study: str | None) -> Iterator[str]:
    """The address that ``lmc-track ui`` prints, once it answers; the server ends with the block."""
    command = [sys.executable, "-m", "lmc_track.cli", "ui", *([study] if study else [])]
    process = subprocess.Popen(
        [*command, "--port", "0", "--home", str(location.home)],
        env={
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            "MLFLOW_TRACKING_URI": location.tracking_uri,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines: Queue[str | None] = Queue()
    # Read to the end, so that the server never waits for somebody to take what it says.
    reader = threading.Thread(target=_pass_on, args=(process, lines), daemon=True)
    reader.start()
    try:
        address = _next(lines)
        said = [address]
        while "Application startup complete" not in said[-1]:
            said.append(_next(lines, "".join(said)))
        yield address.strip()
    finally:
        process.terminate()
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=60)
        reader.join(timeout=60)


def _pass_on(process: subprocess.Popen[str], lines: Queue[str | None]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put(None)


def _next(lines: Queue[str | None], said: str = "") -> str:
    try:
        line = lines.get(timeout=_PATIENCE)
    except Empty:
        raise AssertionError(f"lmc-track ui does not start; it said:\n{said}") from None
    assert line is not None, f"lmc-track ui ended; it said:\n{said}"
    return line
