"""What is written to the terminal: text, and progress where the output is one.

Text goes through here so that nothing in it can act on the terminal or show a password.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from lmc_track.plain_text import printable
from lmc_track.progress import Work
from lmc_track.redaction import redacted


def echo(text: str, *, err: bool = False) -> None:
    """A line on standard output, which is data, or on standard error, which is for people.

    Control characters are written out; on standard error passwords are left out as well.
    """
    click.echo(printable(redacted(text) if err else text), err=err)


def passing(text: str) -> None:
    """A line on standard error that the next one replaces; for a terminal alone."""
    click.echo(f"\r\033[K{printable(redacted(text))}", nl=False, err=True)


class _Bar:
    def __init__(self, bar: Any) -> None:
        self._bar = bar

    def advance(self, steps: int = 1) -> None:
        self._bar.update(steps)

    def tell(self, text: str) -> None:
        self._bar.set_postfix_str(printable(text), refresh=False)


class TerminalProgress:
    """Bars with rate and time left on standard error, when that is a terminal."""

    @contextmanager
    def track(self, title: str, total: int, unit: str) -> Iterator[Work]:
        from tqdm import tqdm

        with tqdm(
            total=total,
            desc=printable(title),
            unit=f" {unit}",
            file=sys.stderr,
            disable=not sys.stderr.isatty(),
            dynamic_ncols=True,
            bar_format="{desc:<28} {percentage:3.0f}% |{bar}| {n_fmt}/{total_fmt}{unit}{postfix}"
            "  {rate_noinv_fmt}  {elapsed} elapsed, {remaining} left",
        ) as bar:
            yield _Bar(bar)

    def note(self, text: str) -> None:
        echo(text, err=True)
