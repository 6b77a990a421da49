"""Who holds the locks of a home, found out without taking part."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

from lmc_track.tracking.location import Location

_BEGIN, _END = "study-", ".lock"


def studies_with_locks(location: Location) -> list[str]:
    """The studies that were ever worked on from this home, by the files of their locks."""
    names = (path.name for path in location.locks.glob(f"{_BEGIN}*{_END}"))
    return sorted(name.removeprefix(_BEGIN).removesuffix(_END) for name in names)


def is_worked_on(location: Location, study: str) -> bool:
    """Whether some process holds the lock of ``study``; nothing is created to find out."""
    return is_held(location.locks / f"{_BEGIN}{study}{_END}")


def is_held(path: Path) -> bool:
    """Whether some process holds the lock ``path``."""
    if not path.exists():
        return False
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return True
    except OSError:  # what cannot be opened for writing nobody can hold
        return False
    lock.release()
    return False


def holder(path: Path) -> int | None:
    """The process that holds the lock ``path``, where the system tells (Linux does)."""
    try:
        inode = str(path.stat().st_ino)
        lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    for line in lines:
        words = line.split()
        if len(words) > 5 and words[1] == "FLOCK" and words[5].rpartition(":")[2] == inode:
            return int(words[4]) if int(words[4]) > 0 else None
    return None
