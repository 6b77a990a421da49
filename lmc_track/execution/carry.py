"""Carrying out many pieces of work: computed by a pool, written in one thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from typing import Generic, TypeVar

from lmc_track.execution.board import Tick
from lmc_track.execution.pools import ATTEMPTS, Here, Pool

Item = TypeVar("Item")
Result = TypeVar("Result")

# Results waiting to be written; more would only hold memory.
_MOST_WAITING = 2
# The same where they are written together, and so many at once.
MOST_TOGETHER = 8


@dataclass(frozen=True)
class Failure(Generic[Item]):
    """An item that was given up, and what it raised in the end."""

    item: Item
    error: Exception


def _nothing(_: object) -> None:
    pass


def carry_out(
    items: Sequence[Item],
    compute: Callable[[Item, Tick], Result],
    record: Callable[[Item, Result], None],
    advance: Callable[[int], object],
    *,
    pool: Pool | None = None,
    begin: Callable[[Item], None] = _nothing,
    failed: Callable[[Item], None] = _nothing,
    together: Callable[[], AbstractContextManager[object]] | None = None,
    go_on: bool = False,
) -> list[Failure[Item]]:
    """``record(item, compute(item, tick))`` for every item, recording beside the computing.

    ``compute`` calls ``tick`` after every step of its item. It, the items and the results are
    pickled where ``pool`` (None: this process) is in other processes.

    ``begin(item)`` comes before an item is computed, ``failed(item)`` after its computing
    raised; these and ``record`` are called in one thread of this process, one at a time.
    Results that are ready while others are written are recorded in one block ``together()``
    where that is given; it goes without ``begin``, which would come too late for some.
    Whatever ends the work early, results already computed are still recorded: an interrupt
    loses at most what is in hand. The first exception of an item ends the work and is raised;
    with ``go_on`` the others are still carried out and the failures are returned, unless the
    first few fail without one success: then whatever is wrong is wrong for all.
    """
    waiting: list[Future[None]] = []
    failures: list[Failure[Item]] = []
    ready: deque[tuple[Item, Result]] = deque()
    most = _MOST_WAITING if together is None else MOST_TOGETHER
    done = 0

    def keep() -> None:
        if together is None:
            record(*ready.popleft())
        elif ready:
            with together():
                for _ in range(min(len(ready), MOST_TOGETHER)):
                    record(*ready.popleft())

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="record") as writer:

        def begun(item: Item) -> None:
            waiting.append(writer.submit(begin, item))

        results = (pool or Here()).compute(items, compute, begun, advance)
        try:
            with closing(results):
                for item, result in results:
                    if isinstance(result, Exception):
                        waiting.append(writer.submit(failed, item))
                        failures.append(Failure(item, result))
                        if not go_on or (not done and len(failures) >= ATTEMPTS):
                            raise result
                        continue
                    done += 1
                    ready.append((item, result))
                    waiting.append(writer.submit(keep))
                    while len(waiting) > most or (waiting and waiting[0].done()):
                        waiting.pop(0).result()
        except BaseException:
            for future in waiting:
                future.exception()  # recorded all the same; what came first is what is told
            raise
        for future in waiting:
            future.result()
    return failures
