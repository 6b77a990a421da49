"""How long work tells whoever watches it how far it is; the library itself never prints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Work(Protocol):
    """One piece of long work under way.

    ``tell`` says in other words how far it is; ``finished`` says which of few things, such as
    models, has just been done.
    """

    def advance(self, steps: int = 1) -> None: ...

    def tell(self, text: str) -> None: ...

    def finished(self, text: str) -> None: ...


class Progress(Protocol):
    """Shows long work.

    ``track`` opens a bar of ``total`` units, of which ``done`` were there before; ``begin`` says
    which step begins where it has no bar; ``note`` says one line that people should read.
    """

    def track(
        self, title: str, total: int, unit: str, done: int = 0
    ) -> AbstractContextManager[Work]: ...

    def begin(self, text: str) -> None: ...

    def note(self, text: str) -> None: ...


class _SilentWork:
    def advance(self, steps: int = 1) -> None:
        pass

    def tell(self, text: str) -> None:
        pass

    def finished(self, text: str) -> None:
        pass


class Silent:
    """Shows nothing: the default for Python users and tests."""

    @contextmanager
    def track(self, title: str, total: int, unit: str, done: int = 0) -> Iterator[Work]:
        yield _SilentWork()

    def begin(self, text: str) -> None:
        pass

    def note(self, text: str) -> None:
        pass
