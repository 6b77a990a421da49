"""Addresses as they may be shown: scheme, host, port and path, and nothing else.

What else an address holds may be a secret: users and tokens before the host, options, fragments.
So nothing is looked for and left out; what is known to be harmless is kept.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

_WHOLE = re.compile(r"(?P<scheme>[A-Za-z][\w+.-]*)://(?P<rest>.*)", re.S)
_TAIL = re.compile(r"[?#;]")
_PLACE = re.compile(r"(?P<authority>[\w.-]*|[\w.-]*:\d*|\[[0-9A-Fa-f:.]+\](?::\d*)?)(?P<path>/.*)?")
_OPTIONS = re.compile(r"\?[\w.-]+=[^&]*(?:&[\w.-]+=[^&]*)*")
# Fragments by which the MLflow UI names its pages.
_PAGE = re.compile(
    r"#/(?:experiments|models)(?:/[\w{}.-]+)*"
    r"(?:\?workflowType=\w+(?:&viewStateShareKey=\w+)?)?"
)
# A database may be named by the folder of its socket, which is among the options.
_SOCKETS = ("postgresql", "mysql")
_PLACE_OPTIONS = {"host": re.compile(r"[\w./-]+"), "port": re.compile(r"\d+")}
_FILES = ("sqlite", "file")
_DRIVER = re.compile(r"^(\w+)\+\w+:")


def address(uri: str, mark: str = "") -> str:
    """Scheme, host, port and path of ``uri``; ``mark`` stands where something else was.

    A page of the MLflow UI and the socket of a database are part of the place. What cannot be
    told apart is not shown, and of a text that is no address nothing is.
    """
    match = _WHOLE.fullmatch(uri)
    if match is None:
        return mark
    scheme, rest = match["scheme"], match["rest"]
    kind = scheme.partition("+")[0].lower()
    if kind in _FILES and rest.startswith("/"):
        return f"{scheme}://{_file(kind, rest, mark)}"
    place, tail = _cut(rest)
    _, at, place = place.rpartition("@")
    if not at and "@" in tail and not _is_options(place, tail):
        # A password that holds what should have been quoted goes up to the last @.
        _, at, place = rest.rpartition("@")
        place, tail = _cut(place)
    found = _PLACE.fullmatch(place)
    if found is None:
        return f"{scheme}://{mark}"
    shown = f"{scheme}://{mark + '@' if at and mark else ''}{place}"
    if _PAGE.fullmatch(tail):
        return shown + tail
    kept = _socket(tail) if kind in _SOCKETS and not found["authority"] else ""
    hidden = f"{tail[0]}{mark}" if mark and tail[1:] and kept != tail else ""
    return shown + (kept or hidden)


def _file(kind: str, rest: str, mark: str) -> str:
    # A folder may have # in its name; an address of a file quotes it, one of a database does not.
    path, sign, tail = rest.partition("?")
    if kind == "file" and not sign:
        path, sign, tail = rest.partition("#")
    return path + (f"{sign}{mark}" if mark and tail else "")


def _cut(rest: str) -> tuple[str, str]:
    cut = _TAIL.search(rest)
    return (rest, "") if cut is None else (rest[: cut.start()], rest[cut.start() :])


def _is_options(place: str, tail: str) -> bool:
    return "/" in place and bool(_PLACE.fullmatch(place) and _OPTIONS.fullmatch(tail))


def _socket(tail: str) -> str:
    """The options in ``tail`` that say where a database listens."""
    if not tail.startswith("?"):
        return ""
    kept = [
        f"{name}={value}"
        for name, value in parse_qsl(tail[1:])
        if name in _PLACE_OPTIONS and _PLACE_OPTIONS[name].fullmatch(value)
    ]
    return "?" + "&".join(kept) if kept else ""


def store_name(uri: str) -> str:
    """What ``uri`` leads to, whoever asks: neither a user nor the driver of a database."""
    return _DRIVER.sub(r"\1:", address(uri))
