"""The program in processes that start at once, with a fault in each where a test wants one."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SERVER = Path(__file__).parents[1] / "faults" / "faulty.py"
_PATIENCE = 300


@dataclass(frozen=True)
class Ended:
    """How a process ended, as ``subprocess`` says it, and what it printed."""

    code: int
    out: str
    err: str

    def went_well(self) -> Ended:
        assert self.code == 0, f"ended with {self.code}:\n{self.err}"
        return self

    def refused(self, *words: str, code: int = 1) -> Ended:
        """One clear error, in which ``words`` are."""
        assert "Traceback" not in self.err, self.err
        assert "defect of the program" not in self.err, self.err
        assert self.code == code, f"ended with {self.code}:\n{self.err}"
        assert len([one for one in self.err.splitlines() if one.startswith("Error: ")]) == 1, (
            self.err
        )
        for word in words:
            assert word in self.err, f"{word!r} is not in:\n{self.err}"
        return self


class Programs:
    """Runs ``lmc-track``, one after the other, in processes forked from a server of them."""

    def __init__(self, server: subprocess.Popen[str], folder: Path) -> None:
        self._server, self._folder = server, folder
        self._orders = 0

    def __call__(
        self, *arguments: str, fault: tuple[object, ...] = ("none",), **environ: str
    ) -> Ended:
        self.begin(*arguments, fault=fault, **environ)
        return self.end()

    def begin(self, *arguments: str, fault: tuple[object, ...] = ("none",), **environ: str) -> None:
        """Start the program; ``end`` waits for it."""
        self._orders += 1
        order = {
            "arguments": arguments,
            "environ": environ,
            "fault": fault,
            "folder": str(self._folder),
            "out": str(self._out),
            "err": str(self._err),
        }
        assert self._server.stdin is not None
        print(json.dumps(order), file=self._server.stdin, flush=True)

    def end(self) -> Ended:
        assert self._server.stdout is not None
        answered, _, _ = select.select([self._server.stdout], [], [], _PATIENCE)
        assert answered, f"no end in {_PATIENCE} s: {self._err.read_text()}"
        code = int(self._server.stdout.readline() or 71)
        return Ended(code, self._out.read_text(), self._err.read_text())

    @property
    def _out(self) -> Path:
        return self._folder / f"{self._orders}.out"

    @property
    def _err(self) -> Path:
        return self._folder / f"{self._orders}.err"


@contextmanager
def served_programs(folder: Path) -> Iterator[Programs]:
    """The means to run programs, whose output goes to ``folder``."""
    with (folder / "server.err").open("w") as stderr:
        server = subprocess.Popen(
            [sys.executable, str(_SERVER)],
            env={**os.environ, "PYTHONPATH": str(_SERVER.parents[1])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    try:
        yield Programs(server, folder)
    finally:
        server.kill()
        server.wait(timeout=60)
