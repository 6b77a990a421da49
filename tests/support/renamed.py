"""Results in which names are replaced by others, wherever they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from lmc_track.report.facts import Source


@dataclass(frozen=True)
class Renamed:
    """Asks ``results`` by their own names and answers with the new ones."""

    results: Source
    names: Mapping[str, str]

    def query(self, name: str, **params: Any) -> pl.DataFrame:
        known = {new: old for old, new in self.names.items()}
        # An order names data set, subset and metric at once.
        if isinstance(order := params.get("order"), str):
            params["order"] = ":".join(known.get(part, part) for part in order.split(":"))
        frame = self.results.query(name, **{k: known.get(v, v) for k, v in params.items()})
        return frame.with_columns(
            pl.col(pl.String).replace(dict(self.names)),
            pl.col(pl.List(pl.String)).list.eval(pl.element().replace(dict(self.names))),
        )
