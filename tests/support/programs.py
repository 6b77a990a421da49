"""The program run in the test's own process."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lmc_track.cli import main as program


class Outcome:
    """How a command ended, and what it printed."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def printed(self) -> str:
        return self.out + self.err


Lmc = Callable[..., Outcome]


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Lmc:
    """The program's own entry, given its arguments."""

    def run(*arguments: str) -> Outcome:
        monkeypatch.setattr("sys.argv", ["lmc-track", *arguments])
        with pytest.raises(SystemExit) as left:
            program.main()
        printed = capsys.readouterr()
        return Outcome(int(left.value.code or 0), printed.out, printed.err)

    return run
