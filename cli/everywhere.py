"""Options that may stand anywhere on the line: before the command, after it, or within a group.

How much is printed (``--quiet``, ``--verbose``, ``--debug``) every command takes. Where its data
are and how rows look (``--home``, ``--tracking-uri``, ``--format``) only some commands take: given
before one, they are its defaults.
"""

from __future__ import annotations

from typing import Any

import click

from .terminal import Talk, talk_of

_PASSED_ON = {"home": "--home", "tracking_uri": "--tracking-uri", "output_format": "--format"}


def with_common(command: click.Command) -> click.Command:
    """``command``, which takes the options that all commands have."""
    if not any(parameter.name == "quiet" for parameter in command.params):
        command.params += [
            click.Option(
                [f"--{name}"], is_flag=True, expose_value=False, callback=_note, help=help_text
            )
            for name, help_text in (
                ("quiet", "Print no progress: only results, notices and errors."),
                ("verbose", "Print a line for every model and path, on a terminal too."),
                ("debug", "Show the traceback of an error."),
            )
        ]
    return command


def _note(ctx: click.Context, parameter: click.Parameter, given: bool) -> None:
    if not given or parameter.name == "debug":  # main sees to that one, whatever goes wrong
        return
    talk = Talk.QUIET if parameter.name == "quiet" else Talk.VERBOSE
    if talk_of(ctx) not in (Talk.USUAL, talk):
        raise click.UsageError("give either --quiet or --verbose", ctx)
    ctx.meta[Talk.__name__] = talk


class OpenGroup(click.Group):
    """A group that takes the options of its commands before them."""

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.params += [
            click.Option([option, name], metavar=metavar, help=f"{what} of commands that take it.")
            for (name, option), metavar, what in zip(
                _PASSED_ON.items(),
                ("DIR", "URI", "FORMAT"),
                ("Home", "Tracking store", "Format"),
                strict=True,
            )
        ]
        with_common(self)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, args)
        given = {name: ctx.params.pop(name, None) for name in _PASSED_ON}
        passed_on = {name: value for name, value in given.items() if value is not None}
        ctx.default_map = dict.fromkeys(self.list_commands(ctx), passed_on)
        return rest

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command = super().get_command(ctx, cmd_name)
        return None if command is None else with_common(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        if name is not None and command is not None and ctx.default_map:
            taken = {parameter.name for parameter in command.params}
            for passed_on in ctx.default_map[name]:
                if passed_on not in taken:
                    raise click.UsageError(f"{name} takes no {_PASSED_ON[passed_on]}", ctx)
        return name, command, rest
