"""Where reports and figures are written: checked before the work, written after all of it."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from lmc_track.errors import InputError, LmcTrackError, WorkError
from lmc_track.progress import Progress
from lmc_track.report.facts import Facts
from lmc_track.report.figures.figure import FORMATS, PaperFigure
from lmc_track.report.figures.index import NAME, figures_index


def check_out(out: Path | None) -> None:
    """Raise InputError where no file ``out`` can be written, before hours of work go into it."""
    if out is None:
        return
    folder = _nearest(out.parent)
    if out.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise not_written(out, "it is a folder" if out.is_dir() else f"{folder} is not writable")


def check_folder(folder: Path | None) -> None:
    """The same for a folder of figures, which need not exist yet."""
    if folder is None:
        return
    nearest = _nearest(folder)
    if not nearest.is_dir():
        raise _no_figures(folder, f"{nearest} is not a folder")
    if not os.access(nearest, os.W_OK):
        raise _no_figures(folder, f"{nearest} is not writable")


def not_written(path: Path, why: str) -> InputError:
    """That the report could not go where it was meant to."""
    return InputError(
        f"the report {path} cannot be written: {why}", "Name another file with --out."
    )


def given_up(path: Path, error: OSError) -> LmcTrackError:
    """What to tell where writing the report failed: of a full disk, that room helps."""
    why = error.strerror or str(error)
    if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return not_written(path, why)
    return WorkError(
        f"the report {path} cannot be written: {why}",
        "Make room, then run the same command again: finished work is kept.",
    )


def write_pictures(folder: Path, figures: Sequence[PaperFigure], progress: Progress) -> None:
    """Every figure as ``NAME.png`` in ``folder``; other files there stay as they are."""
    _write_all(folder, _rendered(figures, ("png",), progress))


def write_figures(
    folder: Path, facts: Facts, figures: Sequence[PaperFigure], progress: Progress
) -> None:
    """Every figure in all formats, and their index; other files in ``folder`` stay as they are.

    Raises:
        InputError: the folder cannot be written.
    """
    files = _rendered(figures, FORMATS, progress)
    _write_all(folder, {**files, NAME: figures_index(facts, figures).encode()})


def _rendered(
    figures: Sequence[PaperFigure], formats: Sequence[str], progress: Progress
) -> dict[str, bytes]:
    files = {}
    with progress.track("Drawing the figures", len(figures) * len(formats), "files") as work:
        for figure in figures:
            for kind in formats:
                files[f"{figure.name}.{kind}"] = figure.rendered(kind)
                work.advance()
    return files


def _write_all(folder: Path, files: Mapping[str, bytes]) -> None:
    for name in files:
        if (folder / name).is_dir():
            raise _no_figures(folder, f"{name} in it is a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise _no_figures(folder, error.strerror or str(error)) from None


def _no_figures(folder: Path, why: str) -> InputError:
    return InputError(
        f"the figures cannot be written to {folder}: {why}", "Name a folder that can be written."
    )


def _nearest(folder: Path) -> Path:
    """``folder``, or the first above it that is there."""
    while not folder.exists():
        folder = folder.parent
    return folder
