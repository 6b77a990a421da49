"""The MLflow UI on a store, as a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import NoReturn

from lmc_track.errors import InputError
from lmc_track.tracking.location import Location
from lmc_track.tracking.places import check_in_place
from lmc_track.tracking.store import Store, reporting

# Nothing is told to anybody by a page on loopback, and no jobs run that a study does not have.
_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}

_OPENER = """
import os, socket, sys, time, webbrowser
address, port, parent = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for _ in range(600):
    if os.getppid() != parent:
        break
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        time.sleep(0.2)
    else:
        webbrowser.open(address)
        break
"""


def open_when_ready(address: str, port: int) -> subprocess.Popen[bytes]:
    """Show ``address`` in a browser once ``port`` answers; gives up with this process, or in time.

    A process of its own, which is returned, does it, since this one becomes the server.
    """
    return subprocess.Popen(
        [sys.executable, "-c", _OPENER, address, str(port), str(os.getpid())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def free_port() -> int:
    """A port on loopback that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def check_port(port: int) -> None:
    """Raise InputError when somebody listens on ``port`` already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise InputError(
                f"port {port} on 127.0.0.1 is taken",
                "Choose another with --port, or --port 0 for a free one.",
            ) from None


def check_servable(location: Location) -> None:
    """Raise InputError where the store is a server, which has a UI of its own, or is no use."""
    if location.artifact_root is None:
        raise InputError(
            f"{location.shown_uri} is a server and shows its own UI", "Open that address."
        )
    check_in_place(location)  # MLflow would show, and change, what is at the recorded place
    with reporting(location):
        Store(location).client.search_experiments(max_results=1)


def serve_ui(location: Location, port: int) -> NoReturn:
    """Become the MLflow server of this store on 127.0.0.1, which shows its artifacts as well.

    The process is replaced, so that whoever ends it ends the server.

    Raises:
        InputError: as ``check_servable``.
    """
    check_servable(location)
    assert location.artifact_root is not None
    # By environment: a password in the URI must not show in the list of processes.
    environ = {**_QUIET, **os.environ, "MLFLOW_BACKEND_STORE_URI": location.tracking_uri}
    command = [
        sys.executable, "-m", "mlflow", "server",
        "--default-artifact-root", location.artifact_root,
        "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
    ]  # fmt: skip
    os.execve(sys.executable, command, environ)
