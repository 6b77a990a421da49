"""Names of studies, models, data sets and subsets: letters, digits and ``_ . -``."""

from __future__ import annotations

import hashlib
import re

NAME_PATTERN = r"[A-Za-z0-9_.-]+"
_OUTSIDE = re.compile(r"[^A-Za-z0-9_.-]")
_MAX_LENGTH = 100


def safe_name(text: str) -> str:
    """``text`` with every other character replaced by ``-`` (``a/b c`` becomes ``a-b-c``)."""
    return _OUTSIDE.sub("-", text)


def fitting_name(text: str) -> str:
    """A name for any ``text``: safe, shortened where it is too long, never empty or dots alone.

    Different texts may get the same name; whoever names things by it has to look.
    """
    name = safe_name(text.strip())
    if len(name) > _MAX_LENGTH:
        mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        name = f"{name[: _MAX_LENGTH - 9]}-{mark}"
    return name if is_name(name) else f"_{name}"


def is_name(text: str) -> bool:
    """Whether ``text`` can be used as a name as it stands.

    ``.`` and ``..`` are refused because names also become folder names.
    """
    return 0 < len(text) <= _MAX_LENGTH and _OUTSIDE.search(text) is None and text.strip(".") != ""
