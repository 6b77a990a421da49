"""Which tracking stores a home has been used with: they may share its folder of artifacts."""

from __future__ import annotations

import hashlib

from lmc_track.tracking.location import Location
from lmc_track.uris import address

_BEGIN, _END = "store-", ".uri"


def note_store(location: Location) -> None:
    """Keep, by its address alone, that the home has artifacts of a store that is not in it."""
    own_artifacts = location.artifact_root == (location.home / "artifacts").as_uri()
    if not own_artifacts or location.shown_uri == _own(location):
        return
    name = hashlib.sha256(location.shown_uri.encode()).hexdigest()[:16]
    file = location.locks / f"{_BEGIN}{name}{_END}"
    if not file.exists():
        file.write_text(location.shown_uri + "\n", encoding="utf-8")


def other_stores(location: Location) -> list[str]:
    """The stores that the home has been used with, but for this one."""
    found = set()
    for file in location.locks.glob(f"{_BEGIN}*{_END}"):
        # Earlier versions kept the user as well.
        found.add(address(file.read_text(encoding="utf-8").strip()))
    if (location.home / "mlflow.db").exists():
        found.add(_own(location))
    return sorted(found - {location.shown_uri})


def _own(location: Location) -> str:
    return f"sqlite:///{location.home}/mlflow.db"
