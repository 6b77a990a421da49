"""Computing in worker processes, which compute and never write to the record."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from lmc_track.errors import WorkError
from lmc_track.execution.board import Board, Tick

Item = TypeVar("Item")
Result = TypeVar("Result")

# Seconds between two looks at how far the workers are.
_GLANCE = 0.1

# Seconds that a worker without work waits for more.
_PATIENCE = 20

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def compute_in_workers(
    items: Sequence[Item],
    compute: Callable[[Item, Tick], Result],
    workers: int,
    begin: Callable[[Item], None],
    advance: Callable[[int], object],
) -> Generator[tuple[Item, Result | Exception]]:
    """Every item with its result, or with what it raised, as they are done.

    ``begin(item)`` is called here before a worker gets it. Whoever stops iterating stops the
    workers, at their next step.

    Raises:
        WorkError: a worker process died.
    """
    from loky.process_executor import BrokenProcessPool

    waiting = list(enumerate(items))[::-1]
    under_way: dict[Future[Any], Item] = {}
    shown = 0
    with _board(len(items)) as (board, path):
        pool = _pool(workers)
        try:
            while waiting or under_way:
                while waiting and len(under_way) < workers:
                    number, item = waiting.pop()
                    begin(item)
                    task = pool.submit(_work, compute, item, str(path), number, os.getpid())
                    under_way[task] = item
                done, _ = wait(under_way, timeout=_GLANCE, return_when=FIRST_COMPLETED)
                advance((now := board.done()) - shown)
                shown = now
                for task in done:
                    error = task.exception()
                    if isinstance(error, BrokenProcessPool):
                        raise WorkError(
                            "a worker process died, perhaps for want of memory",
                            "Run the same command again: finished work is kept.",
                        ) from error
                    if error is not None and not isinstance(error, Exception):
                        raise error
                    yield under_way.pop(task), task.result() if error is None else error
        finally:
            board.stop()
            for task in under_way:
                task.cancel()


def _work(
    compute: Callable[[Item, Tick], Result],
    item: Item,
    board_path: str,
    number: int,
    driver: int,
) -> Result:
    board = Board(Path(board_path))
    return compute(item, lambda: board.advance(number, driver))


@contextmanager
def _board(items: int) -> Iterator[tuple[Board, Path]]:
    with tempfile.TemporaryDirectory(prefix="lmc-board-") as folder:
        path = Path(folder) / "board"
        yield Board.make(path, items), path


def _pool(workers: int) -> Any:
    """Processes that are kept for the next step as long as one comes soon."""
    from loky import get_reusable_executor

    return get_reusable_executor(
        max_workers=workers,
        timeout=_PATIENCE,
        initializer=_leave_interrupts_to_the_driver,
        env=_ONE_THREAD,
    )


def _leave_interrupts_to_the_driver() -> None:
    # Ctrl-C reaches every process of a terminal; the driver tells its workers when to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
