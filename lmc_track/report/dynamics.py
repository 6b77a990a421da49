"""Training dynamics in the report: gaps at every tracked step, and who changed sides when."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from lmc_track.report import wording
from lmc_track.report.facts import Facts, Source
from lmc_track.report.tables import Cell, Column, Table, gap_text

_MOST_NAMED = 5


@dataclass(frozen=True)
class Dynamics:
    """``steps`` are the rows of ``step_summary``, ``models`` those of ``cluster_dynamics``."""

    steps: pl.DataFrame
    models: pl.DataFrame

    @property
    def moves(self) -> list[tuple[str, int | None]]:
        """Training and step of every move to another cluster's side."""
        rows = self.models.filter(pl.col("moved"))
        return list(rows.select("training", "step").iter_rows())


def read_dynamics(source: Source, facts: Facts, clustering: str | None) -> Dynamics | None:
    """What is known of the way to the models; None where no step of it was kept."""
    asked = {"study": facts.study, "clustering": clustering, "half": facts.half}
    steps = source.query("step_summary", **asked)
    if steps.height < 2:
        return None
    return Dynamics(steps, source.query("cluster_dynamics", **asked))


def dynamics_lede(dynamics: Dynamics, facts: Facts) -> str:
    """When the gaps came, and which trainings changed sides after which step."""
    first, last = dynamics.steps.row(0, named=True), dynamics.steps.row(-1, named=True)
    if first["mean_gap"] is None or last["mean_gap"] is None:
        said = "Paths between checkpoints of one step are not all measured yet."
    elif wording.nats(first["mean_gap"]) == wording.nats(last["mean_gap"]):
        said = (
            f"The mean convexity gap between models of one step is "
            f"{wording.nats(last['mean_gap'])} after step {first['step']:,} and at the end."
        )
    else:
        said = (
            f"The mean convexity gap between models of one step goes from "
            f"{wording.nats(first['mean_gap'])} after step {first['step']:,} to "
            f"{wording.nats(last['mean_gap'])} at the end."
        )
    if facts.found is None or facts.found.n_clusters < 2:
        return said
    moves = dynamics.moves
    if not moves:
        return f"{said} No model changed sides between the tracked steps."
    named = [f"{name} at {'the end' if s is None else f'step {s:,}'}" for name, s in moves]
    others = len(named) - _MOST_NAMED
    listed = wording.listing(named[:_MOST_NAMED] + ([f"{others} more"] if others > 0 else []))
    return f"{said} Nearest to another final cluster than at the step before: {listed}."


def dynamics_table(dynamics: Dynamics, facts: Facts) -> Table:
    """A row a tracked step, the ends last."""
    several = facts.found is not None and facts.found.n_clusters > 1
    tau = dynamics.steps["tau"][0]
    joined = "" if tau is None else f" at {wording.nats(tau)}"
    columns = [
        Column("step"), Column("models"), Column("mean gap, nats"), Column("largest gap"),
        *([Column("within"), Column("between"), Column("nearer to another")] if several else []),
        Column(f"components{joined}"), Column("complete linkage"),
    ]  # fmt: skip
    rows = []
    for row in dynamics.steps.iter_rows(named=True):
        step = "end" if row["step"] is None else f"{row['step']:,}"
        cells = [
            Cell(step, note="end" if row["is_end"] and row["step"] is not None else ""),
            Cell(f"{row['n_models']:,}"),
            Cell(gap_text(row["mean_gap"])),
            Cell(gap_text(row["max_gap"])),
        ]
        if several:
            cells += [
                Cell(gap_text(row["mean_gap_within"])),
                Cell(gap_text(row["mean_gap_between"])),
                Cell(f"{row['n_away']:,}"),
            ]
        for name in ("n_components", "n_complete_clusters"):
            cells.append(Cell(wording.MISSING if tau is None else f"{row[name]:,}"))
        rows.append(tuple(cells))
    return Table(
        "Convexity gaps of the validation loss between models of one training step; within and "
        "between are the clusters of the models at the end"
        if several
        else "Convexity gaps of the validation loss between models of one training step",
        tuple(columns),
        tuple(rows),
    )
