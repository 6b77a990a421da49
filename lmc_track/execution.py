"""Where work runs: computing in one thread while finished results are written in another."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# Results waiting to be written; more would only hold memory.
_MOST_WAITING = 2


def compute_and_record(
    items: Iterable[Item],
    compute: Callable[[Item], Result],
    record: Callable[[Result], None],
) -> None:
    """``record(compute(item))`` for every item, in order, one recording beside one computing.

    ``record`` is never called twice at once. Whatever ends the loop early, results already
    computed are still recorded, so that an interrupt loses at most the item in hand.
    """
    waiting: list[Future[None]] = []
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="record") as pool:
        try:
            for item in items:
                result = compute(item)
                waiting.append(pool.submit(record, result))
                while len(waiting) > _MOST_WAITING or (waiting and waiting[0].done()):
                    waiting.pop(0).result()
        finally:
            for future in waiting:
                future.result()
