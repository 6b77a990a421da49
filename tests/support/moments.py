"""Waiting, in a test, for a program that has come to a moment, and letting it go on."""

from __future__ import annotations

import os
import select
from pathlib import Path

_PATIENCE = 240


class Pause:
    """A program that stops at moments (see ``faulty``) until the test has done something."""

    def __init__(self, folder: Path) -> None:
        self._said, self._answered = folder / "said", folder / "answered"
        os.mkfifo(self._said)
        os.mkfifo(self._answered)

    def at(self, step: str, *counts: int) -> tuple[object, ...]:
        """The fault: to stop at these moments of ``step``."""
        return ("paused", step, counts, str(self._said), str(self._answered))

    def come(self) -> None:
        """Wait until it is there."""
        # Open at once, whether anybody writes yet or not.
        pipe = os.open(self._said, os.O_RDONLY | os.O_NONBLOCK)
        try:
            ready, _, _ = select.select([pipe], [], [], _PATIENCE)
            assert ready, f"the program did not come to its moment in {_PATIENCE} s"
            assert os.read(pipe, 100) == b"here\n"
        finally:
            os.close(pipe)

    def go_on(self) -> None:
        self._answered.write_text("go on\n")
