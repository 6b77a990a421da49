"""Small pieces of work that worker processes can import."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

from lmc_track.errors import WorkError


def square(item: int, tick: Callable[[], object]) -> tuple[int, int]:
    """The square of ``item`` in as many steps, and the process that computed it."""
    for _ in range(item):
        tick()
    return item * item, os.getpid()


def fail_at_three(item: int, tick: Callable[[], object]) -> int:
    if item == 3:
        raise WorkError("three cannot be done", "Leave three out.")
    return item


def interrupt_at_two(item: int, tick: Callable[[], object]) -> int:
    if item == 2:
        raise KeyboardInterrupt
    return item


def die(item: int, tick: Callable[[], object]) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return item


def die_at_two(item: int, tick: Callable[[], object]) -> int:
    if item == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def tick_for_ever(item: str, tick: Callable[[], object]) -> None:
    """Names this process in a file below the folder ``item`` and never comes to an end."""
    Path(item, str(os.getpid())).touch()
    while True:
        tick()


def die_once(mark: str, tick: Callable[[], object]) -> str:
    """Ends its process the first time it is called with ``mark``, a file to be made."""
    if not Path(mark).exists():
        Path(mark).touch()
        os._exit(1)
    return "done"


def flaky(mark: str, tick: Callable[[], object]) -> str:
    """Fails the first time it is called with ``mark``, a file to be made."""
    if not Path(mark).exists():
        Path(mark).touch()
        raise RuntimeError("not yet")
    return "done"
