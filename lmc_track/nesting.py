"""How deep tables and lists lie in each other; found level by level, as Python recurses not far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def is_deep(content: Any, deepest: int) -> bool:
    """Whether more than ``deepest`` tables and lists in ``content`` are nested in each other."""
    level = [content]
    for _ in range(deepest):
        level = [
            part
            for one in level
            if isinstance(one, Mapping | list)
            for part in (one.values() if isinstance(one, Mapping) else one)
        ]
        if not level:
            return False
    return any(isinstance(one, Mapping | list) for one in level)
