"""Leaving secrets out of what is shown.

Credentials reach MLflow by its own environment variables, or in the URI of a database. This knows
how they look in a text; it does not know where texts go.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, unquote, urlsplit

from lmc_track.errors import InputError
from lmc_track.plain_text import printable
from lmc_track.uris import address

HIDDEN = "***"
# Up to the last @ before a space: a password that should have been percent-encoded may hold quotes.
_ADDRESS = re.compile(r"[A-Za-z][\w+.-]*://(?:[^\s<>]*@)?[^\s'\"<>]*")
_PUNCTUATION = re.compile(r"[.,:!)}]+$")
_SECRET_NAMES = (
    r"(?:ssl|db_?|user_?|client_?|aws_?)?(?:password|passwd|pwd|passphrase|secret(?:_?(?:access_?)?key)?)"
    r"|(?:access_?|auth_?|bearer_?|id_?|refresh_?|session_?|security_?)?token"
    r"|(?:x[-_])?api[-_]?key|access_?key|sas|sig|signature|odbc_connect"
)
_VALUE = r"\{[^}]*\}|[^&;,\s'\")\]}]*"
_OPTION = re.compile(rf"(?<![\w-])((?:{_SECRET_NAMES})['\"]?\s?=\s?['\"]?)(?:{_VALUE})", re.I)
_ENTRY = re.compile(rf"((['\"])(?:{_SECRET_NAMES})\2\s*[:,]\s*(['\"])).*?(?=\3)", re.I)
_QUOTED_OPTION = re.compile(rf"(?<![\w-])((?:{_SECRET_NAMES})%3D)[^&;\s'\"]*", re.I)
_HEADER = re.compile(
    r"(\bauthorization['\"]?\s*[:=]\s*['\"]?)(?:(basic|bearer|token)\s+)?[^\s'\",]+"
    r"|\b((?:basic|bearer)\s+)[A-Za-z0-9._~+/=-]{8,}"
    r"|\b(x-[\w-]*(?:key|token)['\"]?\s*:\s*['\"]?)[^\s'\",]+",
    re.I,
)
_SECRETS = (
    "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "PGPASSWORD", "HF_TOKEN",
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
)  # fmt: skip
_URIS = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "MLFLOW_BACKEND_STORE_URI")
# Shorter ones would be found in every other word.
_SHORTEST = 4


def redacted(text: str, environ: Mapping[str, str] | None = None) -> str:
    """``text`` with ``***`` for secrets.

    Of every address only scheme, host, port and path stay. Values of options that are called like
    a secret, of HTTP's header of authorization, and the secrets of MLflow's environment variables
    are hidden wherever they stand.
    """
    environ = os.environ if environ is None else environ
    text = _ADDRESS.sub(_shown_address, text)
    text = _HEADER.sub(lambda found: f"{found[1] or found[3] or found[4]}{HIDDEN}", text)
    for pattern in (_QUOTED_OPTION, _ENTRY, _OPTION):
        text = pattern.sub(rf"\1{HIDDEN}", text)
    for secret in sorted(set(_secrets(environ)), key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, HIDDEN)
    return text


def _shown_address(found: re.Match[str]) -> str:
    uri = found[0]
    end = _PUNCTUATION.search(uri)
    after = end[0] if end else ""
    return address(uri.removesuffix(after), HIDDEN) + after


def _secrets(environ: Mapping[str, str]) -> Iterator[str]:
    """What the environment holds that no text may."""
    for name in _SECRETS:
        yield environ.get(name, "")
    for name in _URIS:
        yield from _secrets_of(environ.get(name, ""))


def _secrets_of(uri: str) -> Iterator[str]:
    """The password of ``uri`` and the values of options that are called like one, as written and
    as meant: libraries print either."""
    rest = uri.partition("://")[2]
    if not rest.startswith("/"):
        password = rest.rpartition("@")[0].partition(":")[2]
        yield from filter(None, (password, unquote(password)))
    for name, value in parse_qsl(rest.partition("?")[2]):
        if re.fullmatch(_SECRET_NAMES, name, re.I):
            yield value
            for part in value.split(";"):
                key, _, inner = part.partition("=")
                if re.fullmatch(_SECRET_NAMES, key.strip(), re.I):
                    yield inner.strip("{} ")


def holds_password(uri: str) -> bool:
    """Whether ``uri`` has a secret in it: a password or token before the host, or an option."""
    scheme = uri.partition(":")[0].lower()
    if is_server(scheme):
        return address(uri) != uri
    return any(_secrets_of(uri)) or bool(_OPTION.search(uri) or _QUOTED_OPTION.search(uri))


def is_server(scheme: str) -> bool:
    """Whether addresses of ``scheme`` are those of an HTTP server."""
    return scheme in ("http", "https")


def check_address(uri: str) -> None:
    """Refuse a tracking URI that cannot be written down as it is.

    Raises:
        InputError: it holds control characters, is no address, or tells a server more than where
            it is.
    """
    if printable(uri) != uri or "\n" in uri:
        raise InputError(f"the tracking URI {address(uri, HIDDEN)!r} holds control characters")
    try:
        urlsplit(uri)
    except ValueError:  # whose words may have a part of the password
        raise InputError(f"the tracking URI {address(uri, HIDDEN)} is not an address") from None
    if is_server(uri.partition(":")[0].lower()) and address(uri) != uri:
        raise InputError(
            f"the tracking URI {address(uri, HIDDEN)} holds more than scheme, host, port and path",
            "Leave the rest out, which may be private and would be shown with runs; name user and "
            "password by the environment variables MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD, a token by MLFLOW_TRACKING_TOKEN.",
        )
