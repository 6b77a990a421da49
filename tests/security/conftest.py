from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from support.programs import Lmc


@pytest.fixture
def lmc(in_process: Lmc) -> Lmc:
    return in_process


class _Opens:
    """What, unpickled, makes a file."""

    def __init__(self, file: Path) -> None:
        self._file = str(file)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, str]]:
        return open, (self._file, "w")


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """A file that is there only when somebody ran what must not be run."""
    return tmp_path / "somebody-ran-me"


@pytest.fixture
def harmful(marker: Path) -> bytes:
    """A pickle that makes the marker."""
    content = pickle.dumps(_Opens(marker))
    pickle.loads(content).close()
    assert marker.exists()
    marker.unlink()
    return content
