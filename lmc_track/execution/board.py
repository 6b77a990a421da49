"""Numbers that the driver and its workers share: who is how far, and whether to stop."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

# Called after every step of an item.
Tick = Callable[[], object]


class Stopped(BaseException):
    """The driver has asked its workers to leave what they are doing; nothing went wrong."""


class Board:
    """A file of counters, one for each item and one that says stop, mapped into memory.

    Every counter has a single writer, so nothing needs a lock.
    """

    def __init__(self, path: Path) -> None:
        self._cells = np.memmap(path, dtype=np.int64, mode="r+")

    @classmethod
    def make(cls, path: Path, items: int) -> Board:
        np.zeros(items + 1, dtype=np.int64).tofile(path)
        return cls(path)

    def done(self) -> int:
        """The steps of all items together."""
        return int(self._cells[1:].sum())

    def stop(self) -> None:
        self._cells[0] = 1

    def restart(self, item: int) -> None:
        """Count ``item`` from the start: nobody has it, or the one who had it is gone."""
        self._cells[1 + item] = 0

    def advance(self, item: int, driver: int) -> None:
        """Count one step of ``item``; called by the worker that has it.

        Raises:
            Stopped: the driver wants no more of it. A worker whose driver, process ``driver``,
                is gone ends at once: nobody is left to take its result.
        """
        if os.getppid() != driver:
            os._exit(1)
        if self._cells[0]:
            raise Stopped
        self._cells[1 + item] += 1
