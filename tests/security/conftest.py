from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from lmc_track.cli import main as program
from support.programs import Lmc, Outcome


@pytest.fixture
def lmc(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Lmc:
    """The program's own entry, in this process."""

    def run(*arguments: str) -> Outcome:
        monkeypatch.setattr("sys.argv", ["lmc-track", *arguments])
        with pytest.raises(SystemExit) as left:
            program.main()
        printed = capsys.readouterr()
        return Outcome(int(left.value.code or 0), printed.out, printed.err)

    return run


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
