"""Work is done once each, counted, and recorded whatever ends it."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest
from loky.process_executor import TerminatedWorkerError

from lmc_track.errors import WorkError
from lmc_track.execution import Here, Processes, carry_out, processes
from support.pieces import die, fail_at_three, interrupt_at_two, square


class Log:
    """What the driver was told, in order, and by which thread."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []
        self.steps = 0
        self.threads: set[int] = set()

    def begin(self, item: int) -> None:
        self.threads.add(threading.get_ident())
        self.told.append(("begin", item))

    def record(self, item: int, result: Any) -> None:
        self.threads.add(threading.get_ident())
        self.told.append(("record", (item, result)))

    def failed(self, item: int) -> None:
        self.told.append(("failed", item))

    def advance(self, steps: int) -> None:
        self.steps += steps

    def of(self, what: str) -> list[Any]:
        return [value for kind, value in self.told if kind == what]


def carry(log: Log, items: list[int], compute: Any, workers: int) -> None:
    carry_out(
        items,
        compute,
        log.record,
        log.advance,
        pool=Here() if workers == 1 else Processes(workers),
        begin=log.begin,
        failed=log.failed,
    )


@pytest.mark.parametrize("workers", [1, 2])
def test_every_item_is_computed_and_recorded_once(workers: int) -> None:
    log = Log()
    carry(log, [4, 1, 3, 0, 5], square, workers)
    recorded = log.of("record")
    assert sorted((item, result[0]) for item, result in recorded) == [
        (0, 0), (1, 1), (3, 9), (4, 16), (5, 25),
    ]  # fmt: skip
    assert log.of("begin") == [4, 1, 3, 0, 5]
    assert log.steps == 13
    assert len(log.threads) == 1
    assert threading.get_ident() not in log.threads
    here = {result[1] == os.getpid() for _, result in recorded}
    assert here == {workers == 1}


def test_one_worker_keeps_the_order() -> None:
    log = Log()
    carry(log, [2, 0, 1], square, 1)
    assert [item for item, _ in log.of("record")] == [2, 0, 1]
    assert [kind for kind, _ in log.told] == ["begin", "record"] * 3


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failure_is_told_and_ends_the_work(workers: int) -> None:
    log = Log()
    with pytest.raises(WorkError, match="three cannot be done\nLeave three out") as caught:
        carry(log, [1, 2, 3, 4, 5, 6, 7, 8], fail_at_three, workers)
    assert caught.value.remedy == "Leave three out."
    assert log.of("failed") == [3]
    recorded = {item for item, _ in log.of("record")}
    # How far the other worker has come when one fails is chance; that nothing more begins is not.
    assert recorded == {1, 2} if workers == 1 else 3 not in recorded
    told = [kind for kind, _ in log.told]
    assert "begin" not in told[told.index("failed") :]


def test_an_interrupt_keeps_what_was_computed() -> None:
    log = Log()
    with pytest.raises(KeyboardInterrupt):
        carry(log, [0, 1, 2, 3], interrupt_at_two, 1)
    assert [item for item, _ in log.of("record")] == [0, 1]


def test_a_dead_worker_is_said() -> None:
    with pytest.raises(WorkError, match="worker processes died of it"):
        carry(Log(), [1, 2], die, 2)


def test_work_goes_on_after_a_worker_died() -> None:
    log = Log()
    with pytest.raises(WorkError):
        carry(Log(), [1, 2], die, 2)
    carry(log, [2, 3], square, 2)
    assert sorted(item for item, _ in log.of("record")) == [2, 3]


def test_a_failure_to_record_is_raised() -> None:
    def record(item: int, result: object) -> None:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        carry_out([1, 2, 3], square, record, lambda steps: None)


def test_processes_that_died_between_two_pieces_are_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[object] = []

    class Broken:
        def submit(self, *_: object) -> None:
            raise TerminatedWorkerError("a worker process died")

    def pool(workers: int) -> object:
        made.append(Broken() if not made else started(workers))
        return made[-1]

    started = processes._pool
    monkeypatch.setattr(processes, "_pool", pool)
    log = Log()
    carry(log, [2, 3], square, 2)
    assert sorted(item for item, _ in log.of("record")) == [2, 3]
    assert len(made) == 2
