"""What can compute: this process, processes of this machine, a cluster."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, Protocol

from lmc_track.execution.board import Tick

# How often an item is tried where it fails for no reason that its user can act on, or where the
# process that had it died.
ATTEMPTS = 3


class Pool(Protocol):
    """Computes items in any order.

    Yields every item with its result, or with what it raised in the end. ``begin(item)`` is
    called here before an item is computed, ``advance(steps)`` as steps of items are done.
    Whoever stops iterating stops the computing, at its next step.
    """

    def compute(
        self,
        items: Sequence[Any],
        compute: Callable[[Any, Tick], Any],
        begin: Callable[[Any], None],
        advance: Callable[[int], object],
    ) -> Generator[tuple[Any, Any | Exception]]: ...


class Here:
    """This process, one item after the other and in order."""

    def compute(
        self,
        items: Sequence[Any],
        compute: Callable[[Any, Tick], Any],
        begin: Callable[[Any], None],
        advance: Callable[[int], object],
    ) -> Generator[tuple[Any, Any | Exception]]:
        for item in items:
            begin(item)
            yield item, attempt(compute, item, lambda: advance(1))


def attempt(compute: Callable[[Any, Tick], Any], item: Any, tick: Tick) -> Any | Exception:
    """``compute(item, tick)``, or what it raised the last time it was tried.

    What tells the user what to do would be raised again, and is not tried twice.
    """
    from lmc_track.errors import LmcTrackError

    for left in reversed(range(ATTEMPTS)):
        try:
            return compute(item, tick)
        except LmcTrackError as error:
            return error
        except Exception as error:
            if not left:
                return error
    raise AssertionError
