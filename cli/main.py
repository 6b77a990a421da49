"""The ``lmc-track`` program: its commands, its errors, its exit codes."""

from __future__ import annotations

import importlib
import io
import keyword
import os
import select
import sys
import traceback
import warnings
from contextlib import suppress
from enum import IntEnum
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from lmc_track.errors import LmcTrackError, WorkError

from .everywhere import OpenGroup, with_common
from .refusals import refusal

COMMANDS = (
    "demo", "init", "check", "plan", "run", "finetune", "register", "evaluate", "interpolate",
    "plane", "ingest", "cluster", "list", "query", "sql", "schema", "report", "export", "import",
    "materialize", "status", "drop", "rename", "describe", "ui", "move", "upgrade", "gc", "doctor",
)  # fmt: skip


class Exit(IntEnum):
    """What the program's exit code says."""

    DONE = 0
    FAILED = 1
    WRONG_USE = 2
    INTERRUPTED = 130


class ReaderGone(Exception):  # noqa: N818
    """Whoever read our output, such as ``head``, has had enough."""


def _reader_is_gone() -> bool:
    """Whether standard output is a pipe that nobody reads any more."""
    try:
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
        return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))
    except (OSError, ValueError, AttributeError):
        return True


class LazyGroup(OpenGroup):
    """Imports a command's module when that command is asked for; ``--help`` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module_name = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name
        module = importlib.import_module(f"lmc_track.cli.{module_name}")
        command = module.command
        assert isinstance(command, click.Command)
        return with_common(command)

    def invoke(self, ctx: click.Context) -> Any:
        """As click does it; but where nobody reads our output any more, that is told apart.

        click ends the program at any broken pipe, which may also be that of another process.
        """
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            if _reader_is_gone():
                raise ReaderGone from error
            raise WorkError(
                "Another process ended while it was written to",
                "Run the same command again: finished work is kept.",
            ) from error

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            known = f"Commands are: {', '.join(COMMANDS)}."
            raise click.UsageError(f"{error.message}\n{known}", ctx) from None


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(version("lmc-track"), prog_name="lmc-track")
def cli() -> None:
    """Which finetuned models are connected by a straight line of low loss?

    Finetunes one pretrained text classifier many times, measures the loss along the line
    between every two of them, records every model and point in MLflow, and finds the clusters
    of linearly connected models with SQL.

    The options below may also stand after a command. Without a terminal progress is printed as
    plain lines.

    \b
    Examples:
      lmc-track demo                       a whole small study, in minutes
      lmc-track init study.toml            a study file to fill in
      lmc-track run study.toml             every step; run again to resume
      lmc-track query barrier_matrix -p study=demo
    """


def main() -> None:
    """Run the program and exit with a code of ``Exit``."""
    debug = "--debug" in sys.argv[1:]
    _warnings_are_not_errors()
    _open_closed_streams()
    try:
        code = cli.main(prog_name="lmc-track", standalone_mode=False)
        sys.stdout.flush()
        status = code if isinstance(code, int) else Exit.DONE
    except click.ClickException as error:
        _say(_shown(error))
        status = Exit.WRONG_USE
    except (click.Abort, KeyboardInterrupt):
        _say("Interrupted; what was finished is kept. Run the same command again to go on.")
        status = Exit.INTERRUPTED
    except (ReaderGone, BrokenPipeError):
        _discard_output()
        status = Exit.DONE
    except LmcTrackError as error:
        _say(_traceback(error) if debug else f"Error: {error}")
        status = Exit(error.exit_code)
    except Exception as error:
        told = _traceback(error) if debug else f"Error: {refusal(error) or _defect(error)}"
        _say(told)
        try:
            sys.stdout.flush()
        except (OSError, ValueError):  # such as on a full disk: it would fail again at exit
            _discard_output()
        status = Exit.FAILED
    sys.exit(int(status))


def _warnings_are_not_errors() -> None:
    """Let no warning of a library end the program, whatever PYTHONWARNINGS or -W say.

    Processes that are started later take over both.
    """
    os.environ.pop("PYTHONWARNINGS", None)
    sys.warnoptions[:] = []
    warnings.resetwarnings()
    for category in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
        warnings.simplefilter("ignore", category)


def _open_closed_streams() -> None:
    """Give what is printed somewhere to go where the program was started without (``>&-``)."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115


def _discard_output() -> None:
    """Keep Python from complaining at exit of what it could not write."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _shown(error: click.ClickException) -> str:
    """What click would print of ``error`` by itself."""
    text = io.StringIO()
    error.show(text)
    return text.getvalue().rstrip("\n")


def _traceback(error: Exception) -> str:
    # Python's own would show passwords that are in the messages of other libraries.
    return "".join(traceback.format_exception(error)).rstrip("\n")


def _defect(error: Exception) -> str:
    return (
        f"{type(error).__name__}: {error}\n"
        "This is a defect of the program: lmc-track --debug shows where it happened."
    )


def _say(text: str) -> None:
    from .terminal import echo

    echo(text, err=True)
