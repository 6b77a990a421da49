"""Computing on a Dask cluster: one started here, or one that the user runs.

Workers compute and return results; only the driver writes to the record. Dask is an optional
package and is imported only here. Its processes talk to each other by pickles, as they do for all
users of Dask: a scheduler must be reachable only by those who may run code on its workers.
"""

from __future__ import annotations

import os
import queue
import signal
import threading
import time
import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from lmc_track.errors import InputError, WorkError
from lmc_track.execution.board import Tick
from lmc_track.execution.placement import Placement, cores
from lmc_track.execution.pools import ATTEMPTS, attempt

# Seconds between two looks at how far the workers are, and until a scheduler must have answered.
_GLANCE = 0.2
_PATIENCE = 30

# Seconds without any worker of this machine until they are started anew; starting takes many.
_LONELY = 60

# The resource that workers with a GPU announce; a path then takes one.
_GPU = "GPU"


class Cluster:
    """A Dask cluster by its client; ``threads`` are those of each worker (None: its cores).

    ``start_anew`` starts all workers once more, where they are this program's to start.
    """

    def __init__(
        self,
        client: Any,
        threads: int | None,
        devices: bool,
        start_anew: Callable[[], None] | None = None,
    ) -> None:
        self._client = client
        self._threads = threads
        self._devices = devices
        self._start_anew = start_anew
        self._alone_since: float | None = None

    def compute(
        self,
        items: Sequence[Any],
        compute: Callable[[Any, Tick], Any],
        begin: Callable[[Any], None],
        advance: Callable[[int], object],
    ) -> Generator[tuple[Any, Any | Exception]]:
        """As ``Pool.compute``; the work of a dead worker is computed by another one.

        An item is given up when the cluster's ``allowed-failures`` workers died of it.
        """
        client, topic = self._client, f"lmc-track-{uuid.uuid4().hex}"
        ticks: queue.SimpleQueue[int] = queue.SimpleQueue()
        client.subscribe_topic(topic, lambda _event: ticks.put(1))
        waiting = list(items)[::-1]
        under_way: dict[Any, Any] = {}
        try:
            while waiting or under_way:
                while waiting and len(under_way) < self._slots():
                    item = waiting.pop()
                    begin(item)
                    future = client.submit(
                        _work,
                        compute,
                        item,
                        topic,
                        self._threads,
                        self._devices,
                        pure=False,
                        resources=self._resources(),
                    )
                    under_way[future] = item
                self._wait(list(under_way))
                self._revive()
                while not ticks.empty():
                    advance(ticks.get())
                for future in [one for one in under_way if one.done()]:
                    item = under_way.pop(future)
                    yield item, _outcome(future)
        finally:
            client.cancel(list(under_way))
            client.unsubscribe_topic(topic)

    def _wait(self, futures: list[Any]) -> None:
        from dask.distributed import TimeoutError as NotYet
        from dask.distributed import wait

        try:
            wait(futures, timeout=_GLANCE, return_when="FIRST_COMPLETED")
        except NotYet:
            return

    def _revive(self) -> None:
        """Start the workers of this machine anew where none has been there for some time.

        Dask starts a dead worker again, once: where that fails, as it does on a machine that is too
        busy, the work would wait for ever.
        """
        if self._start_anew is None or self._workers():
            self._alone_since = None
        elif self._alone_since is None:
            self._alone_since = time.monotonic()
        elif time.monotonic() - self._alone_since > _LONELY:
            self._start_anew()
            self._alone_since = None

    def _slots(self) -> int:
        """How many items are handed out: one for each worker, and at least one that waits."""
        return max(1, len(self._workers()))

    def _resources(self) -> dict[str, int] | None:
        announced = any(_GPU in worker.get("resources", {}) for worker in self._workers())
        return {_GPU: 1} if announced else None

    def _workers(self) -> list[dict[str, Any]]:
        return list(self._client.scheduler_info(n_workers=-1)["workers"].values())


def _outcome(future: Any) -> Any:
    """The result of ``future``, or why there is none."""
    from dask.distributed import CancelledError, KilledWorker

    try:
        return future.result()
    except KilledWorker:
        return WorkError(
            "worker processes died of it again and again, perhaps for want of memory",
            "Run the same command again, with fewer workers: finished work is kept.",
        )
    except CancelledError:
        return WorkError(
            "the Dask scheduler is gone, or has forgotten the work",
            "Run the same command again when it is back: finished work is kept.",
        )
    except Exception as error:  # what a worker could not even begin, such as an old version there
        return error


def _work(
    compute: Callable[[Any, Tick], Any],
    item: Any,
    topic: str,
    threads: int | None,
    devices: bool,
) -> Any:
    """One item, on a worker."""
    import torch
    from dask.distributed import get_worker

    worker = get_worker()
    if devices:
        _take_a_device(worker.name)
    slots = worker.state.nthreads
    torch.set_num_threads(threads if threads is not None else max(1, cores() // slots))
    return attempt(compute, item, lambda: worker.log_event(topic, 1))


def _take_a_device(name: Any) -> None:
    """Of several GPUs of this machine, leave worker number ``name`` its own."""
    import torch

    cuda: Any = torch.cuda
    if not isinstance(name, int) or cuda.is_initialized():
        return
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    there = given.split(",") if given else [str(k) for k in range(cuda.device_count())]
    if len(there) > 1:
        os.environ["CUDA_VISIBLE_DEVICES"] = there[name % len(there)]


@contextmanager
def opened_cluster(placement: Placement) -> Iterator[Cluster]:
    """The cluster that ``placement`` asks for, for as long as the caller needs it.

    Raises:
        InputError: Dask is not installed, or the scheduler cannot be reached.
    """
    try:
        from dask import config
        from dask.distributed import Client
    except ImportError:
        raise InputError(
            "--workers and --scheduler need Dask, which is not installed",
            "Install it with: pip install 'lmc-track[dask]'",
        ) from None
    threads = placement.threads_each
    if placement.scheduler is not None:
        client = _connected(Client, placement.scheduler)
        try:
            yield Cluster(client, threads, devices=False)
        finally:
            client.close()
        return
    with (
        config.set(
            {
                "distributed.scheduler.allowed-failures": ATTEMPTS - 1,
                "distributed.nanny.pre-spawn-environ": _environment(config),
            }
        ),
        _local(placement.workers or 1) as cluster,
        Client(cluster) as client,
    ):
        yield Cluster(
            client,
            threads,
            devices=placement.device in ("auto", "cuda"),
            start_anew=lambda: _start_anew(cluster, placement.workers or 1),
        )


def _environment(config: Any) -> dict[str, Any]:
    """What Dask sets in a worker's environment, but for one thing.

    It has the C library give memory back after every release of 64 KiB. A training step then asks
    the system for all its memory anew: with the encoder of docs/performance.md it took 1.4 times
    as long.
    """
    set_by_dask = dict(config.get("distributed.nanny.pre-spawn-environ"))
    set_by_dask.pop("MALLOC_TRIM_THRESHOLD_", None)
    return set_by_dask


def _connected(client: Any, address: str) -> Any:
    try:
        return client(address, timeout=_PATIENCE)
    except (OSError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise InputError(
            f"--scheduler: no Dask scheduler answers at {address}: {reason}",
            "Start one with `dask scheduler`, and give the address that it prints, such as "
            "tcp://10.0.0.1:8786.",
        ) from None


@contextmanager
def _local(workers: int) -> Iterator[Any]:
    """A cluster of this machine, reachable from it alone, that leaves Ctrl-C to the driver."""
    from dask.distributed import LocalCluster

    with _interrupts_ignored():  # as its processes will, from now on
        cluster = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            silence_logs="CRITICAL",
            memory_limit=0,
        )
    try:
        yield cluster
    finally:
        cluster.close()


def _start_anew(cluster: Any, workers: int) -> None:
    cluster.scale(0)
    cluster.scale(workers)


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
