"""Checkpoints that stay where they are: what is kept of one, and how it is found again.

A reference holds a digest of every file, so a checkpoint that changed after it was registered
is noticed wherever its weights are opened again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lmc_track.errors import InputError, WorkError
from lmc_track.models.hub import fetch
from lmc_track.models.label_rows import checkpoint_files
from lmc_track.models.sources import FoundCheckpoint

REFERENCE_FILE = "model_reference.json"
_FORMAT = 1

# SHA-256 by path, size and times of change: a file is read once in a process unless it changed.
_known: dict[tuple[Path, int, int, int], str] = {}


def reference(found: FoundCheckpoint) -> dict[str, Any]:
    """What ``model_reference.json`` holds: the folder or hub id and commit, SHA-256 by file."""
    return {
        "format": _FORMAT,
        "folder": str(found.folder) if found.repo is None else None,
        "repo": found.repo,
        "revision": found.commit,
        "files": {file.name: _digest(file) for file in checkpoint_files(found.folder)},
    }


def open_reference(
    content: Mapping[str, Any], name: str, cache_dir: Path, environ: Mapping[str, str]
) -> Path:
    """The folder of the checkpoint of model ``name``, every file as it was when registered.

    One of the hub is looked for among what was downloaded before it is downloaded again.

    Raises:
        WorkError: it is gone, or a file changed.
    """
    if content["repo"] is None:
        folder = Path(content["folder"])
    else:
        folder = _from_hub(content["repo"], content["revision"], name, cache_dir, environ)
    for file, digest in content["files"].items():
        path = folder / file
        if not path.is_file():
            raise WorkError(
                f"the registered model {name} is gone: there is no {path}",
                "Put its folder back where it was: a registered model stays where it is unless "
                "register --copy keeps one.",
            )
        if _digest(path) != digest:
            raise WorkError(
                f"the registered model {name} changed after it was registered: {path} has SHA-256 "
                f"{_digest(path)[:12]}, was {digest[:12]}",
                "Put the old file back; register the new weights as another model.",
            )
    return folder


def _from_hub(
    repo: str, commit: str, name: str, cache_dir: Path, environ: Mapping[str, str]
) -> Path:
    remedy = f"The registered model {name} needs it: go online, or put it into the hub's cache."
    try:
        return fetch(repo, commit, cache_dir, environ, key=name, remedy=remedy, local_only=True)
    except InputError:
        return fetch(repo, commit, cache_dir, environ, key=name, remedy=remedy)


def _digest(file: Path) -> str:
    stat = file.stat()
    key = (file, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
    if key not in _known:
        with file.open("rb") as stream:
            _known[key] = hashlib.file_digest(stream, "sha256").hexdigest()
    return _known[key]
