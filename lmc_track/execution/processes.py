"""Computing in processes of this machine, which compute and never write to the record."""

from __future__ import annotations

import os
import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lmc_track.errors import WorkError
from lmc_track.execution.board import Board, Tick
from lmc_track.execution.pools import ATTEMPTS, attempt

# Seconds between two looks at how far the workers are.
_GLANCE = 0.1

# Seconds that a worker without work waits for more.
_PATIENCE = 20

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class Processes:
    """``workers`` processes, each computing with one thread."""

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def compute(
        self,
        items: Sequence[Any],
        compute: Callable[[Any, Tick], Any],
        begin: Callable[[Any], None],
        advance: Callable[[int], object],
    ) -> Generator[tuple[Any, Any | Exception]]:
        """As ``Pool.compute``; when a process dies, what was under way is computed again.

        Which process had which item is not known, so an item that has seen ``ATTEMPTS`` deaths
        is given up.
        """
        waiting = list(enumerate(items))[::-1]
        under_way: dict[Future[Any], tuple[int, Any]] = {}
        deaths: Counter[int] = Counter()
        begun: set[int] = set()
        shown = 0
        with _board(len(items)) as (board, path):
            pool = _pool(self._workers)
            try:
                while waiting or under_way:
                    while waiting and len(under_way) < self._workers:
                        number, item = waiting.pop()
                        if number not in begun:
                            begun.add(number)
                            begin(item)
                        board.restart(number)
                        arguments = (compute, item, str(path), number, os.getpid())
                        task = _submitted(pool, arguments)
                        if task is None:
                            waiting.append((number, item))
                            pool = pool if under_way else _pool(self._workers)
                            break
                        under_way[task] = number, item
                    done, _ = wait(under_way, timeout=_GLANCE, return_when=FIRST_COMPLETED)
                    if (now := board.done()) > shown:  # less after a death, until caught up
                        advance(now - shown)
                        shown = now
                    for task in done:
                        if task not in under_way:
                            continue
                        error = task.exception()
                        if _is_death(error):
                            lost = [under_way.pop(one) for one in list(under_way)]
                            pool = _pool(self._workers)
                            for number, item in lost[::-1]:
                                deaths[number] += 1
                                if deaths[number] < ATTEMPTS:
                                    waiting.append((number, item))
                                else:
                                    yield item, _died()
                            break
                        if error is not None and not isinstance(error, Exception):
                            raise error
                        _, item = under_way.pop(task)
                        yield item, task.result() if error is None else error
            finally:
                board.stop()
                for task in under_way:
                    task.cancel()


def _submitted(pool: Any, arguments: tuple[Any, ...]) -> Future[Any] | None:
    """None where a process died since the last look: what is under way then says so as well."""
    try:
        task: Future[Any] = pool.submit(_work, *arguments)
    except Exception as error:
        if _is_death(error):
            return None
        raise
    return task


def _is_death(error: BaseException | None) -> bool:
    from loky.process_executor import BrokenProcessPool

    return isinstance(error, BrokenProcessPool)


def _died() -> WorkError:
    return WorkError(
        f"{ATTEMPTS} worker processes died of it, perhaps for want of memory",
        "Run the same command again, with fewer workers: finished work is kept.",
    )


def _work(
    compute: Callable[[Any, Tick], Any], item: Any, board_path: str, number: int, driver: int
) -> Any:
    board = Board(Path(board_path))
    return attempt(compute, item, lambda: board.advance(number, driver))


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
