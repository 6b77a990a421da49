"""The MLflow UI on a store, as a process of its own."""

from __future__ import annotations

import socket
import subprocess
import sys

from lmc_track.errors import InputError
from lmc_track.tracking.location import Location
from lmc_track.tracking.store import Store


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


def start_ui(location: Location, port: int) -> subprocess.Popen[bytes]:
    """Start the MLflow UI on 127.0.0.1; it serves the artifacts of the store as well.

    Raises:
        InputError: the store is a server, which has a UI of its own, or cannot be used.
    """
    if location.artifact_root is None:
        raise InputError(
            f"{location.shown_uri} is a server and shows its own UI", "Open that address."
        )
    Store(location).client.search_experiments(max_results=1)
    return subprocess.Popen(
        [
            sys.executable, "-m", "mlflow", "server",
            "--backend-store-uri", location.tracking_uri,
            "--default-artifact-root", location.artifact_root,
            "--host", "127.0.0.1",
            "--port", str(port),
            "--workers", "1",
        ]
    )  # fmt: skip
