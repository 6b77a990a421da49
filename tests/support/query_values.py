"""What tests give the queries that cannot be asked without a value."""

from __future__ import annotations

from lmc_track.warehouse.library import queries

VALUES: dict[str, object] = {"tau": 0.1}
"""An example of every required parameter but ``study``: one for all queries that have it."""


def required(name: str) -> dict[str, object]:
    """Values of the parameters that the query ``name`` must be given."""
    return {
        p.name: VALUES[p.name]
        for p in queries()[name].parameters
        if p.default is None and p.name != "study"
    }
