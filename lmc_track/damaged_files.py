"""Names under which damaged files are kept beside their place."""

from __future__ import annotations

import itertools
from pathlib import Path


def set_aside(file: Path) -> Path | None:
    """Rename ``file``, or a folder, to NAME.damaged beside it, and return that; None: it is gone.

    Raises:
        OSError: it cannot be renamed.
    """
    names = (file.with_name(f"{file.name}.damaged{n or ''}") for n in itertools.count())
    kept = next(name for name in names if not name.exists())
    try:
        file.rename(kept)
    except FileNotFoundError:
        return None
    return kept
