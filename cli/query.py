"""``lmc-track query``: the query library over the results."""

from __future__ import annotations

from shlex import quote

import click

from lmc_track.errors import InputError
from lmc_track.spelling import nearest

from .completion import complete_query
from .options import find_location, format_option, location_options
from .output import show
from .terminal import echo


@click.command("query", context_settings={"ignore_unknown_options": True})
@click.argument(
    "words",
    nargs=-1,
    metavar="[NAME] [KEY=VALUE]...",
    type=click.UNPROCESSED,
    shell_complete=complete_query,
)
@click.option(
    "--param",
    "-p",
    "params",
    multiple=True,
    metavar="KEY=VALUE",
    help="A parameter of the query; KEY=VALUE alone and --KEY VALUE say the same. Repeatable.",
)
@click.option("--list", "list_all", is_flag=True, help="List the queries and their parameters.")
@click.option(
    "--show",
    "show_text",
    is_flag=True,
    help="Print the query's file: what its parameters mean, and its SQL.",
)
@format_option
@location_options
def command(
    words: tuple[str, ...],
    params: tuple[str, ...],
    list_all: bool,
    show_text: bool,
    output_format: str,
    home: str | None,
    tracking_uri: str | None,
) -> None:
    """Run a query by name: one of the library, or your own.

    Your own are the files queries/NAME.sql in the home, with a header like that of the library's
    (--show prints one). They run like `lmc-track sql`: no files, no network, limited time and
    memory.

    \b
    Examples:
      lmc-track query --list
      lmc-track query barrier_matrix --study demo --half held-out
      lmc-track query barrier_matrix study=demo half=held-out
      lmc-track query cluster_diagnostics --format markdown
      lmc-track query curves --show
    """
    import polars as pl

    from lmc_track.warehouse.library import queries
    from lmc_track.warehouse.moment import find_query
    from lmc_track.warehouse.own_queries import own_queries
    from lmc_track.warehouse.results import Results

    name, given = read_words(words)
    given |= _parse(params)
    listing = list_all or show_text or (name is None and not given)
    location = find_location(home, tracking_uri, new=listing)
    own = own_queries(location.home)
    if list_all or (name is None and not given):
        rows = [
            {
                "query": query.name,
                "from": "library" if query.path is None else str(query.path),
                "description": query.description,
                "parameters": ", ".join(parameter.name for parameter in query.parameters),
            }
            for query in (queries() | own.queries).values()
        ]
        show(pl.DataFrame(rows), output_format, widest=None)
        for problem in own.problems.values():
            echo(f"Not usable: {problem}", err=True)
        return
    if name is None:
        raise click.UsageError("name a query; lmc-track query --list shows them")
    if " " in name and name not in own.problems:
        raise InputError(
            f"{name!r} is not the name of a query", f"SQL is run by: lmc-track sql {quote(name)}"
        )
    if name in own.problems and name in queries():
        echo(f"Note: {own.problems[name].message}; this is the library's.", err=True)
    if show_text:
        echo(find_query(name, {}, own).sql)
        return
    results = Results(location.results_path, location.tracking_uri)
    show(results.query(name, **given), output_format)


def read_words(words: tuple[str, ...]) -> tuple[str | None, dict[str, str]]:
    """The name of the query among ``words``, and its parameters: KEY=VALUE or --KEY VALUE."""
    name, given, rest = None, {}, list(words)
    while rest:
        word = rest.pop(0)
        option = word.startswith("-") and word.strip("-") != ""
        key, equals, value = word.lstrip("-").partition("=")
        if option and not equals:
            if not rest or rest[0].startswith("--"):
                raise click.NoSuchOption(word, possibilities=_own_options(word))
            value = rest.pop(0)
        if option or (equals and key.isidentifier()):
            given[key.replace("-", "_")] = value
        elif name is None:
            name = word
        else:
            raise click.UsageError(f"{word!r} is not KEY=VALUE")
    return name, given


def _own_options(word: str) -> list[str]:
    options = [option for parameter in command.params for option in parameter.opts]
    near = nearest(word, options)
    return [] if near is None else [near]


def _parse(params: tuple[str, ...]) -> dict[str, str]:
    parsed = {}
    for param in params:
        key, equals, value = param.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{param!r} is not KEY=VALUE", param_hint="--param")
        parsed[key] = value
    return parsed
