"""Real servers for tests: PostgreSQL and ``mlflow server``, on loopback, ended with their block.

Both can be stopped and started again where they were, at the same address and with what they held.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lmc_track.tracking.server import free_port
from support.needs import missing

PATIENCE = 120
"""Seconds after which a server that has not started or ended is a failure."""

USER = "lmc"
PASSWORD = "s3cret-Pass:/@%"
"""Of every server here; with what has to be quoted in a URI."""

QUOTED_PASSWORD = "s3cret-Pass%3A%2F%40%25"
_QUIET = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
_HOW_TO_GET_IT = (
    "this test needs PostgreSQL's server programs: on Debian and Ubuntu `apt-get install "
    "postgresql`, on macOS `brew install postgresql`"
)


@dataclass
class Postgres:
    """A cluster of its own in a temporary folder, reached with ``USER`` and ``PASSWORD``."""

    folder: Path
    programs: Path
    port: int = 0

    def start(self) -> None:
        """Start it, at its port if it has one; a chosen port may be taken until it is."""
        for _ in range(5):
            port = self.port or free_port()
            # It writes its own files alone, and speaks to this machine alone.
            settings = f"-p {port} -c listen_addresses=127.0.0.1 -k {self.folder}"
            started = self._run(
                "pg_ctl", "start", "--silent", "--wait", "--timeout", str(PATIENCE),
                "--log", str(self.folder / "log"), "--options", settings,
            )  # fmt: skip
            if started == 0:
                self.port = port
                return
        raise AssertionError((self.folder / "log").read_text())

    def stop(self, *, crash: bool = False) -> None:
        """End it and every connection to it; after a ``crash`` it has to recover at its start."""
        mode = "immediate" if crash else "fast"
        assert self._run("pg_ctl", "stop", "--mode", mode, "--timeout", str(PATIENCE)) == 0

    def database(self, name: str) -> str:
        """The tracking URI of a new and empty database."""
        import psycopg2

        connection = psycopg2.connect(
            host="127.0.0.1", port=self.port, user=USER, password=PASSWORD, dbname="postgres"
        )
        try:
            connection.autocommit = True
            connection.cursor().execute(f'CREATE DATABASE "{name}"')
        finally:
            connection.close()
        return self.uri(name)

    def uri(self, name: str) -> str:
        return f"postgresql://{USER}:{QUOTED_PASSWORD}@127.0.0.1:{self.port}/{name}"

    def make(self) -> None:
        """Fill the folder with an empty cluster."""
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        if (owner := _owner()) is not None:
            for path in (self.folder, secret):
                shutil.chown(path, owner, owner)
        code = self._run(
            "initdb", "--no-sync", "--username", USER, "--pwfile", str(secret),
            "--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale",
        )  # fmt: skip
        assert code == 0, (self.folder / "commands").read_text()

    def _run(self, program: str, *arguments: str) -> int:
        owner = _owner()
        # What it says goes to a file: the server that pg_ctl leaves behind would keep a pipe open.
        with (self.folder / "commands").open("a") as said:
            return subprocess.run(
                [str(self.programs / program), "--pgdata", str(self.folder / "data"), *arguments],
                cwd=self.folder,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                timeout=2 * PATIENCE,
                user=owner,
                group=owner,
                extra_groups=None if owner is None else [],
            ).returncode


@contextmanager
def postgres_cluster() -> Iterator[Postgres]:
    """A running PostgreSQL without a database of its own; ``database`` makes one.

    Where there is no PostgreSQL the test is passed over, or fails (``support.needs``).
    """
    programs = _postgres_programs()
    if programs is None:
        missing(_HOW_TO_GET_IT)
    # Not among pytest's own folders, which nobody but their owner may pass through.
    cluster = Postgres(Path(tempfile.mkdtemp(prefix="lmc-postgres-")), programs)
    try:
        cluster.make()
        cluster.start()
        try:
            yield cluster
        finally:
            if (cluster.folder / "data" / "postmaster.pid").exists():
                cluster.stop()
    finally:
        shutil.rmtree(cluster.folder, ignore_errors=True)


def _owner() -> str | None:
    """Whom PostgreSQL runs as: it refuses to run as root, and Debian has a user for it."""
    return "postgres" if os.geteuid() == 0 else None


def _postgres_programs() -> Path | None:
    """The newest folder with PostgreSQL's server programs; Debian has them on no PATH."""
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: float(path.parts[-3])
    )
    found = debian[-1] if debian else shutil.which("pg_ctl")
    return None if found is None else Path(found).resolve().parent


@dataclass
class Served:
    """A program that answers at ``address`` when it is ready; ``folder`` has what it says."""

    command: list[str]
    address: str
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def said(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def start(self) -> None:
        """Start it, and return when it answers."""
        with (self.folder / "log").open("ab") as said:
            self._process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=os.environ | _QUIET | self.settings,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._await(self._process)

    def _await(self, process: subprocess.Popen[bytes]) -> None:
        for _ in range(10 * PATIENCE):
            try:
                with urllib.request.urlopen(f"{self.address}/health", timeout=PATIENCE):
                    return
            except OSError:
                pass  # not yet, unless the process is gone
            try:
                process.wait(timeout=0.1)
            except subprocess.TimeoutExpired:
                continue
            break
        raise AssertionError(f"{self.address} does not answer:\n{self.said}")

    def stop(self, *, crash: bool = False) -> None:
        """End it with all its processes; ``start`` brings it back."""
        if self._process is None:
            return
        _signal(self._process, signal.SIGKILL if crash else signal.SIGTERM)
        try:
            self._process.wait(timeout=PATIENCE)
        finally:
            _signal(self._process, signal.SIGKILL)
            self._process.wait(timeout=PATIENCE)
            self._process = None


@contextmanager
def serving(server: Served) -> Iterator[None]:
    """``server`` runs when the block begins, and not after it."""
    try:
        server.start()
        yield
    finally:
        server.stop()


@dataclass
class MlflowServer(Served):
    """``mlflow server`` in a folder that holds all its state; ``env`` is what its users need."""

    env: dict[str, str] = field(default_factory=dict)

    @property
    def uri(self) -> str:
        return self.address

    def add_user(self, name: str, password: str) -> dict[str, str]:
        """The environment of a new user, who may read everything but write only what is theirs."""
        self.call("POST", "/api/2.0/mlflow/users/create", {"username": name, "password": password})
        return _credentials(name, password)

    def call(self, method: str, path: str, content: dict[str, Any]) -> Any:
        """What the server answers to a call of its administrator."""
        import requests

        answer = requests.request(
            method, self.uri + path, json=content, auth=(USER, PASSWORD), timeout=PATIENCE
        )
        assert answer.ok, answer.text
        return answer.json()


@contextmanager
def mlflow_server(
    folder: Path, backend: str | None = None, *, secured: bool = False
) -> Iterator[MlflowServer]:
    """A running server that passes artifacts on; ``secured`` by names and passwords.

    Its runs are in the database ``backend``, else in an SQLite file in ``folder``. A secured one
    knows the administrator ``USER`` with ``PASSWORD``, whose environment is ``env``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = [
        sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
        "--workers", "1", "--serve-artifacts", "--artifacts-destination", str(folder / "artifacts"),
    ]  # fmt: skip
    # By environment: a list of processes would show a password.
    settings = {"MLFLOW_BACKEND_STORE_URI": backend or f"sqlite:///{folder}/server.db"}
    if secured:
        command += ["--app-name", "basic-auth"]
        settings["MLFLOW_AUTH_CONFIG_PATH"] = str(folder / "auth.ini")
        settings["MLFLOW_FLASK_SERVER_SECRET_KEY"] = "of tests"
        (folder / "auth.ini").write_text(
            "[mlflow]\ndefault_permission = READ\n"
            f"database_uri = sqlite:///{folder}/auth.db\n"
            f"admin_username = {USER}\nadmin_password = {PASSWORD.replace('%', '%%')}\n"
        )
    env = _credentials(USER, PASSWORD) if secured else {}
    server = MlflowServer(command, f"http://127.0.0.1:{port}", folder, settings, env=env)
    with serving(server):
        yield server


def _credentials(name: str, password: str) -> dict[str, str]:
    return {"MLFLOW_TRACKING_USERNAME": name, "MLFLOW_TRACKING_PASSWORD": password}


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to the process and those it began, which are its own session."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
