"""Names of what a writer has not finished: ``.NAME.XXXXXXXX.part``, eight hexadecimal digits."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

_PART = re.compile(r"\.(.+\.)?[0-9a-f]{8}\.part")


def is_temporary(name: str) -> bool:
    """Whether a file or folder of this name is one that a writer had not finished."""
    return _PART.fullmatch(name) is not None


def temporary(path: Path) -> Path:
    """A name beside ``path`` that does not count."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
