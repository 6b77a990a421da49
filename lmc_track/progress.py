"""How long work tells whoever watches it how far it is; the library itself never prints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Work(Protocol):
    """One piece of long work under way; ``tell`` says in other words how far it is."""

    def advance(self, steps: int = 1) -> None: ...

    def tell(self, text: str) -> None: ...


class Progress(Protocol):
    """Shows long work. ``track`` opens a bar of ``total`` units; ``note`` says one line."""

    def track(self, title: str, total: int, unit: str) -> AbstractContextManager[Work]: ...

    def note(self, text: str) -> None: ...


class _SilentWork:
    def advance(self, steps: int = 1) -> None:
        pass

    def tell(self, text: str) -> None:
        pass


class Silent:
    """Shows nothing: the default for Python users and tests."""

    @contextmanager
    def track(self, title: str, total: int, unit: str) -> Iterator[Work]:
        yield _SilentWork()

    def note(self, text: str) -> None:
        pass
