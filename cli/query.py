"""``lmc-track query``: the query library over the results."""

from __future__ import annotations

import click

from .completion import complete_query
from .options import find_location, format_option, location_options
from .output import show
from .terminal import echo


@click.command("query")
@click.argument("name", required=False, shell_complete=complete_query)
@click.option(
    "--param",
    "-p",
    "params",
    multiple=True,
    metavar="KEY=VALUE",
    help="A parameter of the query. Repeatable.",
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
    name: str | None,
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
      lmc-track query barrier_matrix -p study=demo -p half=held-out
      lmc-track query cluster_diagnostics --format markdown
      lmc-track query curves --show
    """
    import polars as pl

    from lmc_track.warehouse.library import queries
    from lmc_track.warehouse.moment import find_query
    from lmc_track.warehouse.own_queries import own_queries
    from lmc_track.warehouse.results import Results

    location = find_location(home, tracking_uri)
    own = own_queries(location.home)
    if list_all or name is None:
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
    if name in own.problems and name in queries():
        echo(f"Note: {own.problems[name].message}; this is the library's.", err=True)
    if show_text:
        echo(find_query(name, {}, own).sql)
        return
    results = Results(location.results_path, location.tracking_uri)
    show(results.query(name, **_parse(params)), output_format)


def _parse(params: tuple[str, ...]) -> dict[str, str]:
    parsed = {}
    for param in params:
        key, equals, value = param.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{param!r} is not KEY=VALUE", param_hint="--param")
        parsed[key] = value
    return parsed
