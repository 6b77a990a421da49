"""A driver that is killed leaves no worker behind, and an interrupted one stops them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.full

DRIVER = """
import sys
from contextlib import nullcontext
from lmc_track.execution import Placement, Processes, carry_out
from support.pieces import tick_for_ever
folder, kind = sys.argv[1:]
if kind == "cluster":
    from lmc_track.execution.cluster import opened_cluster
    pool = opened_cluster(Placement(workers=2, device="cpu"))
else:
    pool = nullcontext(Processes(2))
try:
    with pool as opened:
        carry_out([folder, folder], tick_for_ever, print, lambda steps: None, pool=opened)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.parametrize("kind", ["processes", "cluster"])
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_workers_end_with_their_driver(
    sent: signal.Signals, code: int, kind: str, tmp_path: Path
) -> None:
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(tmp_path), kind],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        start_new_session=True,
    )
    try:
        workers = [psutil.Process(pid) for pid in both_started(driver, tmp_path)]
        # To the whole group, as a terminal does; workers leave it to the driver.
        os.killpg(driver.pid, sent) if sent == signal.SIGINT else driver.send_signal(sent)
        assert driver.wait(timeout=60) == code
        _, alive = psutil.wait_procs(workers, timeout=60)
        assert alive == []
    finally:
        driver.kill()
        driver.wait(timeout=60)


def both_started(driver: subprocess.Popen[bytes], folder: Path) -> list[int]:
    """The ids of both workers, once each has said that it runs."""
    end = time.monotonic() + 120
    while len(names := [file.name for file in folder.iterdir()]) < 2:
        assert driver.poll() is None, "the driver ended before its workers began"
        assert time.monotonic() < end, "no workers began"
    return [int(name) for name in names]
