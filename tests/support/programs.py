"""The program run in the test's own process."""

from __future__ import annotations

from collections.abc import Callable


class Outcome:
    """How a command ended, and what it printed."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def printed(self) -> str:
        return self.out + self.err


Lmc = Callable[..., Outcome]
