"""Text of unknown origin, made fit for a terminal, a JSON string or MLflow's Markdown.

Names, labels and examples come from files and stores that others wrote. A terminal acts on control
characters, and marks that turn the direction of writing mislead whoever reads.
"""

from __future__ import annotations

import re

# C0 but tab and line ends, DEL and C1, line and paragraph separators, bidirectional marks and
# overrides, and halves of surrogate pairs, which no stream can write.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
    "\ud800-\udfff]|\r(?!\n)"
)
_MARKUP = re.compile(r"[\\`*\[\]()|~!]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")

# A backslash before these stays to be seen in MLflow.
_ENTITY_OF = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
_ENTITIES = str.maketrans(_ENTITY_OF)


def printable(text: str) -> str:
    """``text`` with control characters and marks of direction written out: ``\\x1b``, ``\\u202e``.

    Tabs and line ends stay.
    """
    return _UNPRINTABLE.sub(_written_out, text)


def json_safe(text: str) -> str:
    """JSON with the same characters written as its own escapes; what it says is the same."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def markdown_escaped(text: str) -> str:
    """``text`` as MLflow's Markdown shows it as it is, in one line: no link, picture or tag."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(printable(text).split()).translate(_ENTITIES))


def markdown_unescaped(text: str) -> str:
    """What ``markdown_escaped`` made ``text`` of; other Markdown stays as it is."""
    for mark, entity in _ENTITY_OF.items():
        text = text.replace(entity, mark)
    return re.sub(r"\\([\\`*\[\]()|~!_])", r"\1", text)


def _written_out(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
