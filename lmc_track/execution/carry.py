"""Carrying out many pieces of work: computed here or in workers, written in one thread."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

from lmc_track.execution.board import Tick
from lmc_track.execution.pool import compute_in_workers

Item = TypeVar("Item")
Result = TypeVar("Result")

# Results waiting to be written; more would only hold memory.
_MOST_WAITING = 2


def _nothing(_: object) -> None:
    pass


def carry_out(
    items: Sequence[Item],
    compute: Callable[[Item, Tick], Result],
    record: Callable[[Item, Result], None],
    advance: Callable[[int], object],
    *,
    workers: int = 1,
    begin: Callable[[Item], None] = _nothing,
    failed: Callable[[Item], None] = _nothing,
) -> None:
    """``record(item, compute(item, tick))`` for every item, recording beside the computing.

    ``compute`` calls ``tick`` after every step of its item. It, the items and the results are
    pickled where more than one worker is asked for.

    ``begin(item)`` comes before an item is computed, ``failed(item)`` after its computing
    raised; these and ``record`` are called in one thread of this process, one at a time.
    With one worker the items are computed in this process and in order. Whatever ends the work
    early, results already computed are still recorded: an interrupt loses at most what is in
    hand. The first exception of an item ends the work and is raised.
    """
    waiting: list[Future[None]] = []
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="record") as writer:

        def begun(item: Item) -> None:
            waiting.append(writer.submit(begin, item))

        if workers == 1:
            results = _compute_here(items, compute, begun, advance)
        else:
            results = compute_in_workers(items, compute, workers, begun, advance)
        try:
            with closing(results):
                for item, result in results:
                    if isinstance(result, Exception):
                        waiting.append(writer.submit(failed, item))
                        raise result
                    waiting.append(writer.submit(record, item, result))
                    while len(waiting) > _MOST_WAITING or (waiting and waiting[0].done()):
                        waiting.pop(0).result()
        finally:
            for future in waiting:
                future.result()


def _compute_here(
    items: Sequence[Item],
    compute: Callable[[Item, Tick], Result],
    begin: Callable[[Item], None],
    advance: Callable[[int], object],
) -> Generator[tuple[Item, Result | Exception]]:
    for item in items:
        begin(item)
        try:
            result: Result | Exception = compute(item, lambda: advance(1))
        except Exception as error:
            result = error
        yield item, result
