"""What a shell completes: names of queries and studies; silent where nothing is known."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

from lmc_track.plain_text import printable

if TYPE_CHECKING:
    import click


def complete_query(
    ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Queries of the library and of the home, with their descriptions."""
    from lmc_track.warehouse.library import queries
    from lmc_track.warehouse.own_queries import own_queries

    from .options import find_location

    found = dict(queries())
    with suppress(Exception):
        location = find_location(ctx.params.get("home"), ctx.params.get("tracking_uri"), new=True)
        found |= own_queries(location.home).queries
    return [
        CompletionItem(name, help=query.description)
        for name, query in found.items()
        if name.startswith(incomplete)
    ]


def complete_study(
    ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Studies that were ingested, then study files in reach."""
    names: list[str] = []
    # A shell has nowhere to show an error: what cannot be read completes nothing.
    with suppress(Exception):
        names = _ingested(ctx.params.get("home"))
    files = sorted(str(path) for path in Path().glob(f"{incomplete}*.toml"))
    found = [name for name in [*names, *files] if printable(name) == name]
    return [CompletionItem(name) for name in found if name.startswith(incomplete)]


def _ingested(home: str | None) -> list[str]:
    from lmc_track.warehouse.results import open_results

    from .options import find_location

    return open_results(find_location(home, None).results_path).studies()
