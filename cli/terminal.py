"""What is written to the terminal: text, and progress as a bar, or as lines where there is none.

Text goes through here so that nothing in it can act on the terminal or show a password.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

import click

from lmc_track.plain_text import printable
from lmc_track.progress import Work
from lmc_track.redaction import redacted

from .lines import Lines


def echo(text: str, *, err: bool = False) -> None:
    """A line on standard output, which is data, or on standard error, which is for people.

    Control characters are written out; on standard error passwords are left out as well.
    """
    click.echo(printable(redacted(text) if err else text), err=err)


def passing(text: str) -> None:
    """A line on standard error that the next one replaces; for a terminal alone."""
    click.echo(f"\r\033[K{printable(redacted(text))}", nl=False, err=True)


class Talk(Enum):
    """How much is said of work under way."""

    QUIET = "quiet"
    USUAL = "usual"
    VERBOSE = "verbose"


def talk_of(ctx: click.Context | None) -> Talk:
    """What ``--quiet`` and ``--verbose`` ask for."""
    asked = None if ctx is None else ctx.meta.get(Talk.__name__)
    return asked if isinstance(asked, Talk) else Talk.USUAL


class _Bar:
    def __init__(self, bar: Any) -> None:
        self._bar = bar

    def advance(self, steps: int = 1) -> None:
        self._bar.update(steps)

    def tell(self, text: str) -> None:
        self._bar.set_postfix_str(printable(text), refresh=False)

    finished = tell


class TerminalProgress:
    """Progress on standard error: bars with rate and time left on a terminal, else lines.

    With ``--verbose`` lines on a terminal too, with ``--quiet`` nothing but notices.
    """

    def __init__(self) -> None:
        self._talk = talk_of(click.get_current_context(silent=True))

    @property
    def _lines(self) -> bool:
        return self._talk is Talk.VERBOSE or not (self._talk is Talk.QUIET or sys.stderr.isatty())

    @contextmanager
    def track(self, title: str, total: int, unit: str, done: int = 0) -> Iterator[Work]:
        if self._lines:
            lines = Lines(self.note, title, total, unit, done, self._talk is Talk.VERBOSE)
            yield lines
            lines.end()
            return
        from tqdm import tqdm

        with tqdm(
            total=total,
            initial=done,
            desc=printable(title),
            unit=f" {unit}",
            file=sys.stderr,
            disable=self._talk is Talk.QUIET,
            dynamic_ncols=True,
            bar_format="{desc:<28} {percentage:3.0f}% |{bar}| {n_fmt}/{total_fmt}{unit}{postfix}"
            "  {rate_noinv_fmt}  {elapsed} elapsed, {remaining} left",
        ) as bar:
            yield _Bar(bar)

    def begin(self, text: str) -> None:
        if self._lines:
            self.note(f"{text} …")

    def note(self, text: str) -> None:
        echo(text, err=True)
