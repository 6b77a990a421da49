"""What one section of the page consists of."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any

from lmc_track.report.facts import Facts
from lmc_track.report.tables import Table

Figure = dict[str, Any]


@dataclass(frozen=True)
class Section:
    """``figure`` is the key of the figure that the page's script draws into it, or empty; ``plot``
    is the figure itself where the script has nothing of its own to do about it.

    ``folded`` tables are shown on demand; ``queries`` are commands that print the rows behind
    what is shown; ``part`` is the heading that the page's list of sections has them under.
    """

    key: str
    title: str
    lede: str
    figure: str = ""
    plot: Figure | None = None
    caption: str = ""
    tables: tuple[Table, ...] = ()
    folded: tuple[Table, ...] = ()
    queries: tuple[str, ...] = ()
    part: str = "Results"


def command(facts: Facts, name: str, clustering: str | None = None, **params: str) -> str:
    """The command that prints the rows of the query ``name`` as this page read them."""
    values = {"study": facts.study, **params}
    if clustering is not None:
        values["clustering"] = clustering
    options = [part for key, value in values.items() for part in ("-p", f"{key}={value}")]
    return shlex.join(["lmc-track", "query", name, *options])
