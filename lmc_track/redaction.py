"""Leaving passwords out of what is shown.

Credentials reach MLflow by its own environment variables, or in the URI of a database. This knows
how they look in a text; it does not know where texts go.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from lmc_track.errors import InputError
from lmc_track.plain_text import printable

HIDDEN = "***"
# Up to the last @: a password that should have been percent-encoded may hold anything.
_IN_ADDRESS = re.compile(r"([A-Za-z][\w+.-]*://[^\s:/@'\"]*):[^\s'\"]*@")
_IN_OPTIONS = re.compile(r"([?&;](?:password|passwd|pwd|sslpassword|token)=)[^&;\s'\"]*", re.I)
_SECRETS = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")
# Shorter ones would be found in every other word.
_SHORTEST = 4


def redacted(text: str, environ: Mapping[str, str] | None = None) -> str:
    """``text`` with passwords in URIs, and those of MLflow's environment variables, as ``***``."""
    environ = os.environ if environ is None else environ
    text = _IN_ADDRESS.sub(rf"\1:{HIDDEN}@", text)
    text = _IN_OPTIONS.sub(rf"\1{HIDDEN}", text)
    for name in _SECRETS:
        secret = environ.get(name, "")
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, HIDDEN)
    return text


def holds_password(uri: str) -> bool:
    """Whether ``uri`` has a password in it."""
    return redacted(uri, {}) != uri


def check_address(uri: str) -> None:
    """Refuse a tracking URI that cannot be written down as it is.

    Raises:
        InputError: it holds control characters, is no address, or tells a server a password.
    """
    if printable(uri) != uri or "\n" in uri:
        raise InputError(f"the tracking URI {redacted(uri)!r} holds control characters")
    try:
        urlsplit(uri)
    except ValueError as error:
        raise InputError(f"the tracking URI {redacted(uri)!r} is no address: {error}") from None
    if uri.lower().startswith(("http://", "https://")) and holds_password(uri):
        raise InputError(
            f"the tracking URI {redacted(uri)} holds a password",
            "Leave it out, and name user and password by the environment variables "
            "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.",
        )
