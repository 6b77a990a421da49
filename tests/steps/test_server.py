"""A study kept by an MLflow server, which holds the artifacts too, is the study kept at home."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from lmc_track.tracking.location import Location, locate
from lmc_track.tracking.server import free_port
from support.studies import measured, run_tiny, runs_of

pytestmark = pytest.mark.full

SEEDS = {"seeds": "0-1"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an MLflow server with proxied artifacts."""
    folder = tmp_path_factory.mktemp("server")
    address = f"http://127.0.0.1:{(port := free_port())}"
    process = subprocess.Popen(
        [
            sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
            "--workers", "1", "--backend-store-uri", f"sqlite:///{folder}/server.db",
            "--artifacts-destination", str(folder / "artifacts"),
        ],
        cwd=folder,
        env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        _await_start(process)
        # Read on, so that the server never waits for somebody to take what it says.
        threading.Thread(target=process.communicate, daemon=True).start()
        yield address
    finally:
        process.terminate()
        process.wait(timeout=60)


def _await_start(process: subprocess.Popen[bytes]) -> None:
    assert process.stderr is not None
    said = b""
    while b"Application startup complete" not in said:
        ready, _, _ = select.select([process.stderr], [], [], 120)
        more = os.read(process.stderr.fileno(), 65_536) if ready else b""
        assert more, said.decode()
        said += more


def test_a_server_holds_the_same_study(
    server: str, home_with_base: Location, tmp_path: Path
) -> None:
    remote = locate(str(tmp_path / "remote"), server)
    run_tiny(remote, finetune=SEEDS)
    run_tiny(home_with_base, finetune=SEEDS)
    mine = measured(remote)
    for name, frame in measured(home_with_base).items():
        assert_frame_equal(mine[name], frame, abs_tol=1e-5)
    index = runs_of(remote)
    assert index.duplicates == []
    outcome = run_tiny(remote, finetune=SEEDS)
    assert (outcome.models, outcome.paths) == (0, 0)
    assert {run.run_id for run in runs_of(remote).all("point")} == {
        run.run_id for run in index.all("point")
    }
