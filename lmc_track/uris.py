"""Addresses of tracking stores as they may be shown: without the passwords in them."""

from __future__ import annotations

import re

# A password may hold what should have been quoted: it goes up to the last @, of those before the
# options if there are any.
_PASSWORDS = (
    re.compile(r"^([\w+.-]+://[^:/@?]*):[^?]*@"),
    re.compile(r"^([\w+.-]+://[^:/@?]*):.*@"),
)
_OPTION = re.compile(r"(?<=[?&])(?:ssl)?password=[^&]*&?", re.IGNORECASE)
_DRIVER = re.compile(r"^(\w+)\+\w+:")


def without_password(uri: str) -> str:
    """``uri`` without its password, whether that is before the host or among the options."""
    for password in _PASSWORDS:
        uri, found = password.subn(r"\1@", uri)
        if found:
            break
    return _OPTION.sub("", uri).rstrip("?&")


def store_name(uri: str) -> str:
    """What ``uri`` leads to, whoever asks: neither a password nor the driver of a database."""
    return _DRIVER.sub(r"\1:", without_password(uri))
