"""Progress as plain lines, for logs: one at every twentieth of the work, and for every model.

Every line stands by itself and says what it is about; a scheduler's log has no other context.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from time import monotonic

_LINES = 20
"""How many lines the whole of some work has: one every 5 %."""


class Lines:
    """Lines about one piece of work of ``total`` units, of which ``done`` were there before.

    ``say`` prints one line. Work is told of from several threads.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        title: str,
        total: int,
        unit: str,
        done: int = 0,
        verbose: bool = False,
    ) -> None:
        self._say, self._title, self._total, self._unit = say, title, total, unit
        self._before = self._done = done
        self._verbose = verbose
        self._told = ""
        self._lock = Lock()
        self._begun = monotonic()
        of = f": {total:,} {unit}" if total > 1 else ""
        say(f"{title}{of}{f', {done:,} done before' if done else ''}")

    def advance(self, steps: int = 1) -> None:
        with self._lock:
            before, self._done = self._done, self._done + steps
            # The last line says how long all took.
            if self._done < self._total and self._twentieths(before) < self._twentieths(self._done):
                self._say(f"{self._title}: {self._how_far()}")

    def tell(self, text: str) -> None:
        with self._lock:
            self._told = text
            if self._verbose:
                self._say(f"{self._title}: {text}")

    def finished(self, text: str) -> None:
        with self._lock:
            self._say(f"{self._title}: {text}{self._left()}")

    def end(self) -> None:
        """Say that all is done."""
        self._say(f"{self._title}: done in {duration(monotonic() - self._begun)}")

    def _twentieths(self, done: int) -> int:
        return _LINES * done // max(1, self._total)

    def _how_far(self) -> str:
        share = 100 * self._done // self._total
        told = f", {self._told}" if self._told else ""
        count = f"{self._done:,} of {self._total:,} {self._unit}"
        return f"{share} % ({count}{told}){self._left()}"

    def _left(self) -> str:
        """How long the rest takes at the rate so far; empty where there is none."""
        here = self._done - self._before
        if here <= 0 or self._done >= self._total:
            return ""
        passed = monotonic() - self._begun
        left = passed / here * (self._total - self._done)
        return f"; {duration(passed)} elapsed, about {duration(left)} left"


def duration(seconds: float) -> str:
    """``seconds`` in the two units that matter, such as 3 h 20 min."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"
