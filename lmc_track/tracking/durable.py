"""Files that appear under their names only when they are whole and on the disk."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lmc_track.tracking.temporary import temporary

# What a file system says that cannot sync a folder, and need not be asked to.
_NO_SYNC = (errno.EINVAL, errno.ENOTSUP)


@dataclass(frozen=True)
class Part:
    """A file or folder written under another name than its own, ``target``.

    ``changed`` are the folders that gain an entry by it.
    """

    path: Path
    target: Path
    changed: tuple[Path, ...]

    def discard(self) -> None:
        """Remove what was written."""
        if self.path.is_dir():
            shutil.rmtree(self.path, ignore_errors=True)
        else:
            with suppress(OSError):
                self.path.unlink(missing_ok=True)


def write_part(target: Path, write: Callable[[Path], object]) -> Part:
    """What ``write`` makes of a path, in the folder of ``target``, which is made when missing.

    Raises:
        OSError: it could not be written; nothing is left of it but new folders.
    """
    changed = (*_make(target.parent), target.parent)
    part = Part(temporary(target), target, changed)
    try:
        write(part.path)
    except BaseException:
        part.discard()
        raise
    return part


def publish(parts: Iterable[Part]) -> None:
    """Give ``parts`` their names, each after its content is on the disk; then the names are.

    A file that has such a name already is replaced at once, a folder is removed before.

    Raises:
        OSError: some may have their names, and all may still be lost with the power.
    """
    parts = list(parts)
    files = [file for part in parts for file in _files(part.path)]
    for file in files:
        _begin_writing(file)  # all at once, so that waiting for one is waiting for many
    for file in files:
        _sync(file)
    for part in parts:
        for folder in _folders(part.path):
            _sync(folder)
    for part in parts:
        if part.target.is_dir():
            shutil.rmtree(part.target)
        part.path.replace(part.target)
    for folder in dict.fromkeys(folder for part in parts for folder in part.changed):
        _sync(folder)


def _make(folder: Path) -> list[Path]:
    """Make ``folder``; the folders that gained one by it, outermost first."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for one in reversed(missing):
        one.mkdir(exist_ok=True)
    return [one.parent for one in reversed(missing)]


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, _, names in os.walk(path):
        yield from (Path(folder, name) for name in names)


def _folders(path: Path) -> Iterator[Path]:
    """The folder ``path`` and all in it, innermost first."""
    if path.is_dir():
        yield from (Path(folder) for folder, _, _ in os.walk(path, topdown=False))


def _begin_writing(file: Path) -> None:
    """Have the system write ``file`` to the disk without waiting for it, where it can."""
    if not hasattr(os, "posix_fadvise"):
        return
    opened = os.open(file, os.O_RDONLY)
    try:
        os.posix_fadvise(opened, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(opened)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(opened)
