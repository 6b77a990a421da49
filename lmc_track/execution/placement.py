"""Where the user wants work to run."""

from __future__ import annotations

import os
from dataclasses import dataclass

from lmc_track.errors import InputError


@dataclass(frozen=True)
class Placement:
    """In this process, unless ``workers`` (a cluster of that many on this machine) or the address
    of a ``scheduler`` are given.

    ``device`` is that of every process, ``threads`` are those of each.
    """

    device: str = "auto"
    threads: int | None = None
    workers: int | None = None
    scheduler: str | None = None

    def __post_init__(self) -> None:
        """Raises InputError where both kinds of cluster are asked for."""
        if self.workers is not None and self.scheduler is not None:
            raise InputError(
                "--workers and --scheduler are two ways to run",
                "Give --scheduler for workers that run already, --workers to start some here.",
            )

    @property
    def threads_each(self) -> int | None:
        """Threads of each process; None: as many as it would take by itself."""
        if self.threads is not None or self.workers is None:
            return self.threads
        return max(1, cores() // self.workers)


def cores() -> int:
    """The cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
