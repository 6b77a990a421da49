"""What lies where in a home, and how large it is; no symbolic link is followed."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from lmc_track.tracking.location import Location
from lmc_track.tracking.temporary import is_temporary

CHECKPOINTS, PREDICTIONS, OTHER = "checkpoints", "predictions", "other artifacts"
_BY_FOLDER = {"model": CHECKPOINTS, "predictions": PREDICTIONS}
_RUN = re.compile(r"[0-9a-f]{32}")
_MODEL = re.compile(r"m-[0-9a-f]{32}")
_MODELS = "models"


@dataclass
class Usage:
    """So many files, of so many bytes together."""

    files: int = 0
    bytes: int = 0

    def add(self, other: Usage) -> None:
        self.files += other.files
        self.bytes += other.bytes


@dataclass
class StudyFiles:
    """The artifacts of one study: their size by kind, what no writer finished, and the folders
    of runs and LoggedModels that are not on record."""

    usage: dict[str, Usage] = field(
        default_factory=lambda: {kind: Usage() for kind in (CHECKPOINTS, PREDICTIONS, OTHER)}
    )
    temporary: list[Path] = field(default_factory=list)
    unknown: list[Path] = field(default_factory=list)


def usage_of(path: Path) -> Usage:
    """Of a file, or of all that is in a folder; nothing where there is none."""
    found = Usage()
    pending = [str(path)]
    if not path.is_dir() or path.is_symlink():
        try:
            return Usage(1, path.lstat().st_size)
        except OSError:
            return found
    while pending:
        for entry in _entries(pending.pop()):
            if entry.is_dir(follow_symlinks=False):
                pending.append(entry.path)
            else:
                found.files += 1
                found.bytes += _size(entry)
    return found


def study_files(root: Path, runs: Collection[str], models: Collection[str]) -> StudyFiles:
    """All below ``root``, the folder of a study's artifacts.

    ``runs`` and ``models`` are the ids on record; other folders that are named as theirs are
    unknown.
    """
    found = StudyFiles()
    for entry in _entries(str(root)):
        if entry.name == _MODELS and entry.is_dir(follow_symlinks=False):
            for model in _entries(entry.path):
                if _MODEL.fullmatch(model.name) and model.name not in models:
                    found.unknown.append(Path(model.path))
                else:
                    _walk(model.path, OTHER, found)
        elif is_temporary(entry.name):
            found.temporary.append(Path(entry.path))
        elif not entry.is_dir(follow_symlinks=False):
            continue
        elif entry.name in runs:
            _run_folder(entry.path, found)
        elif _RUN.fullmatch(entry.name):
            found.unknown.append(Path(entry.path))
    return found


def _run_folder(path: str, found: StudyFiles) -> None:
    for entry in _entries(f"{path}/artifacts"):
        if is_temporary(entry.name):
            found.temporary.append(Path(entry.path))
        elif entry.is_dir(follow_symlinks=False):
            _walk(entry.path, _BY_FOLDER.get(entry.name, OTHER), found)
        else:
            found.usage[OTHER].add(Usage(1, _size(entry)))


def _walk(path: str, kind: str, found: StudyFiles) -> None:
    usage = found.usage[kind]
    pending = [path]
    while pending:
        for entry in _entries(pending.pop()):
            if is_temporary(entry.name):
                found.temporary.append(Path(entry.path))
            elif entry.is_dir(follow_symlinks=False):
                pending.append(entry.path)
            else:
                usage.files += 1
                usage.bytes += _size(entry)


def home_usage(location: Location) -> dict[str, Usage]:
    """Everything in the home but artifacts, by what it is."""
    home, cache = location.home, location.cache
    parts = {
        "token caches": [cache / "tokens"],
        "weights caches": [cache / "base", cache / "hub"],
        "other caches": [],
        "MLflow database": [home / f"mlflow.db{end}" for end in ("", "-wal", "-shm")],
        "results.duckdb": sorted(home.glob(f"{location.results_path.name}*")),
        "reports": [home / "reports"],
    }
    named = {path for paths in parts.values() for path in paths}
    parts["other caches"] = [
        Path(e.path) for e in _entries(str(cache)) if Path(e.path) not in named
    ]
    found = {kind: Usage() for kind in parts}
    for kind, paths in parts.items():
        for path in paths:
            found[kind].add(usage_of(path))
    return found


def _entries(path: str) -> list[os.DirEntry[str]]:
    """What is in a folder; nothing where it cannot be read, or was removed meanwhile."""
    try:
        with os.scandir(path) as entries:
            return list(entries)
    except OSError:
        return []


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except OSError:
        return 0
