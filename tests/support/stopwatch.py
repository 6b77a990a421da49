"""Seconds spent in functions, wherever they are called from."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Stopwatch:
    """Seconds spent in the functions it was put around, those within each other once."""

    seconds: float = 0.0
    _depth: int = field(default=0, repr=False)

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function``, which counts."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            self._depth += 1
            begun = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self._depth -= 1
                if not self._depth:
                    self.seconds += time.perf_counter() - begun

        return timed
