"""What is started or told to be started listens on this machine alone."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import psutil
import pytest

import lmc_track
from lmc_track.execution.cluster import opened_cluster
from lmc_track.execution.placement import Placement
from lmc_track.steps.commands import ui_command
from lmc_track.tracking import server
from lmc_track.tracking.location import locate


def test_the_command_that_is_told_is_of_loopback() -> None:
    for uri in ("sqlite:////srv/mlflow.db", "postgresql://me@db/x"):
        words = shlex.split(ui_command(locate("h", uri, {}), 5000))
        assert words[words.index("--host") + 1] == "127.0.0.1"


def test_the_ui_is_started_on_loopback_without_a_password_among_its_arguments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple[list[str], dict[str, str]]] = []

    def start(_program: str, command: list[str], environ: dict[str, str]) -> None:
        started.append((command, environ))

    monkeypatch.setattr(server, "check_servable", lambda _location: None)
    monkeypatch.setattr("os.execve", start)
    location = locate(str(tmp_path), "postgresql://me:hunter2@127.0.0.1/db", {})
    server.serve_ui(location, 5001)
    ((command, environ),) = started
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert "hunter2" not in " ".join(command)
    assert "hunter2" in environ["MLFLOW_BACKEND_STORE_URI"]


def test_ports_are_looked_for_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    bound: list[Any] = []
    real = server.socket.socket.bind

    class Recording(server.socket.socket):
        def bind(self, address: Any, /) -> None:
            bound.append(address)
            real(self, address)

    monkeypatch.setattr(server.socket, "socket", Recording)
    server.check_port(server.free_port())
    assert {address[0] for address in bound} == {"127.0.0.1"}


def listening() -> set[tuple[int, str, int]]:
    """(process, address, port) of what this process and its children listen on."""
    driver = psutil.Process()
    return {
        (process.pid, socket.laddr.ip, socket.laddr.port)
        for process in (driver, *driver.children(recursive=True))
        for socket in process.net_connections()
        if socket.status == psutil.CONN_LISTEN
    }


@pytest.mark.full
def test_processes_of_a_local_cluster_listen_on_loopback() -> None:
    before = listening()
    with opened_cluster(Placement("cpu", 1, 1, None)):
        found = listening() - before
    assert len({pid for pid, _, _ in found}) > 1
    assert {address for _, address, _ in found} == {"127.0.0.1"}


def test_no_source_names_an_address_of_all_interfaces() -> None:
    here = Path(str(lmc_track.__file__)).parent
    named = [
        str(file)
        for file in here.rglob("*.py")
        if any(word in file.read_text(encoding="utf-8") for word in ('"0.0.0.0"', '"::"'))
    ]
    assert named == []
