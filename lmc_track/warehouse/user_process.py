"""SQL of the user's in a process of its own, which the system ends where DuckDB does not.

DuckDB looks at its clock between two chunks of rows and counts the blocks of its own pool: the
planning of a long statement, or one function on one enormous text, is outside both, and what it
does then cannot be interrupted. So the limits of a statement are those of the process that runs it
(``lmc_track.warehouse.user_child``), and the program that asked goes on.
"""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

import polars as pl
import pyarrow as pa

from lmc_track.errors import InputError
from lmc_track.warehouse.connection import Limits

ROWS, ERROR, DONE = b"R", b"E", b"D"
HEADER = struct.Struct("<cQ")
"""What comes before every message of the process: which it is, and how many bytes follow."""

_LONGEST_TELLING = 2_000


@dataclass(frozen=True)
class Question:
    """What the process is asked: ``text``, or the user's own query ``query``, of one file."""

    path: Path
    tracking_uri: str | None
    limits: Limits
    text: str | None = None
    query: str | None = None
    params: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """As ``from_json`` reads it. Parameters become what their text says."""
        content = {**vars(self), "path": str(self.path), "limits": asdict(self.limits)}
        return json.dumps(content, default=str).encode()

    @classmethod
    def from_json(cls, content: bytes) -> Question:
        """The question that ``to_json`` wrote."""
        values = json.loads(content)
        return cls(**{**values, "path": Path(values["path"]), "limits": Limits(**values["limits"])})


def answer(question: Question) -> pl.DataFrame:
    """The rows that answer ``question``.

    Raises:
        InputError: the statement cannot be run or was over its limits.
    """
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "lmc_track.warehouse.user_child"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            _ask(process.stdin, question)
            tables, done = [], False
            for kind, content in _messages(process.stdout):
                if kind == ERROR:
                    raise _error(content)
                done = kind == DONE
                if kind == ROWS:
                    tables.append(pa.ipc.open_stream(content).read_all())
            if not done:
                told = process.stderr.read(_LONGEST_TELLING).decode(errors="replace")
                raise _ended(process.wait(), question.limits, told)
        finally:
            process.kill()
    return _frame(tables)


def _ask(stream: IO[bytes], question: Question) -> None:
    try:
        stream.write(question.to_json())
        stream.close()
    except BrokenPipeError:  # it has ended, and what it left says why
        pass


def _messages(stream: IO[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """What the process sends, up to its end or where it was ended."""
    while len(header := stream.read(HEADER.size)) == HEADER.size:
        kind, size = HEADER.unpack(header)
        content = stream.read(size)
        if len(content) < size:
            return
        yield kind, content


def _error(content: bytes) -> Exception:
    told = json.loads(content)
    if told["defect"]:
        return RuntimeError(told["message"])
    return InputError(told["message"], told["remedy"])


def _ended(code: int, limits: Limits, told: str) -> Exception:
    if code == -signal.SIGALRM:
        return InputError(f"the statement took longer than {limits.seconds:g} s and was stopped")
    if code > 0 and "Traceback" in told:
        return RuntimeError(told)
    return InputError(
        f"the statement needed more than {limits.process_bytes / 1e9:g} GB of memory, or DuckDB "
        f"failed at it; it was stopped ({_name(code)})",
        "ask for less at once",
    )


def _name(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _frame(tables: list[pa.Table]) -> pl.DataFrame:
    try:
        frame = pl.from_arrow(pa.concat_tables(tables))
    except pl.exceptions.PolarsError as error:
        raise InputError(
            f"a column has a type that rows cannot have: {error}", "cast it to VARCHAR"
        ) from error
    assert isinstance(frame, pl.DataFrame)
    return frame
