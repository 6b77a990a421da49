"""What the machine refuses the program, wherever that happens: room, permission, memory.

These are no defects: they are told in words, with what to do.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator

_AGAIN = "then run the same command again: finished work is kept."
_ROOM = f"There is no room left for it: make room, {_AGAIN}"
_PERMISSION = f"Let this user write there, or take another folder, {_AGAIN}"
_MEMORY = f"There is not enough memory: end other programs, {_AGAIN}"
_FILES = f"Too many files are open: raise the limit (ulimit -n), {_AGAIN}"

_BY_NUMBER = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: _ROOM,
    errno.EROFS: _PERMISSION,
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.ENOMEM: _MEMORY,
    errno.EMFILE: _FILES,
    errno.ENFILE: _FILES,
    errno.EIO: f"The disk cannot be read or written: look for its faults, {_AGAIN}",
}

# Libraries that are not written in Python often pass on the words alone.
_BY_WORDS = {
    "No space left on device": _ROOM,
    "Disk quota exceeded": _ROOM,
    "File too large": _ROOM,
    "Read-only file system": _PERMISSION,
    "Permission denied": _PERMISSION,
}


def refusal(error: BaseException) -> str | None:
    """What to tell of ``error`` where the machine refused something; None where it did not."""
    for one in _chain(error):
        remedy = _remedy(one)
        if remedy is not None:
            return f"{_words(one)}\n{remedy}"
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """``error`` and what it came of."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _remedy(error: BaseException) -> str | None:
    if isinstance(error, MemoryError):
        return _MEMORY
    if isinstance(error, OSError) and error.errno in _BY_NUMBER:
        return _BY_NUMBER[error.errno]
    return next((remedy for said, remedy in _BY_WORDS.items() if said in str(error)), None)


def _words(error: BaseException) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error).strip().partition("\n")[0] or type(error).__name__
