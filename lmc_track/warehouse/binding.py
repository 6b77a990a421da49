"""Which tracking store a results file is of.

A file in a home with a store of its own says no more than that it belongs to the store beside it,
so the two can be moved, copied and sent together.
"""

from __future__ import annotations

from pathlib import Path

from lmc_track.uris import store_name

BESIDE = "sqlite:///mlflow.db"
"""The store in the folder of the results file."""

_SQLITE = "sqlite:///"


def binding(tracking_uri: str, path: Path) -> str:
    """What the results file ``path`` says of its store: no user, no driver, no options."""
    name = store_name(tracking_uri)
    return BESIDE if name == _beside(path) else name


def is_bound(recorded: str, tracking_uri: str, path: Path) -> bool:
    """Whether ``recorded``, as ``path`` says it, is the store ``tracking_uri``."""
    expected, said = binding(tracking_uri, path), binding(recorded, path)
    if said == expected:
        return True
    # Earlier versions wrote the whole address, which a move has left behind.
    former = Path(said.removeprefix(_SQLITE))
    return (
        expected == BESIDE
        and said.startswith(_SQLITE)
        and former.name == "mlflow.db"
        and not former.exists()
    )


def shown_store(recorded: str, path: Path) -> str:
    """The store that ``path`` says it is of, as an address."""
    name = store_name(recorded)
    return _beside(path) if name == BESIDE else name


def _beside(path: Path) -> str:
    return f"{_SQLITE}{path.parent / 'mlflow.db'}"
