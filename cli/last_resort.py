"""Ending a statement of the user's that DuckDB's own limits do not stop.

DuckDB looks at its clock between two chunks of rows and counts the blocks of its own pool: the
planning of a long statement, or one function on one enormous text, is outside both. A command is a
process of its own, so the system can bound its memory and the process can end itself.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_STATUS = Path("/proc/self/status")
_GRACE = 10.0
# What DuckDB counts, rows that have left it, their copy as a frame, stacks of threads.
_MEMORY = 6_000_000_000


@contextmanager
def last_resort(seconds: float, *, grace: float = _GRACE, memory: int = _MEMORY) -> Iterator[None]:
    """End the process when what is inside takes ``grace`` longer than ``seconds``; on Linux,
    refuse it more than ``memory`` bytes, which are to be well above what DuckDB counts.
    """
    timer = threading.Timer(seconds + grace, _end, [seconds])
    timer.daemon = True
    timer.start()
    try:
        with _bounded(memory):
            yield
    finally:
        timer.cancel()


def _end(seconds: float) -> None:
    sys.stdout.flush()
    os.write(2, f"Error: the statement took longer than {seconds:g} s and was ended\n".encode())
    os._exit(2)


@contextmanager
def _bounded(more: int) -> Iterator[None]:
    """Let this process have ``more`` bytes of memory than it has, on Linux."""
    if not _STATUS.is_file():
        yield
        return
    import resource

    before, hard = resource.getrlimit(resource.RLIMIT_DATA)
    lines = _STATUS.read_text(encoding="ascii", errors="replace").splitlines()
    used = next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmData:"))
    bounds = [used + more, *(limit for limit in (before, hard) if limit >= 0)]
    resource.setrlimit(resource.RLIMIT_DATA, (min(bounds), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (before, hard))
