"""How models move among each other in training: every tracked step clustered and embedded anew.

The published procedure is run on the gaps of each step (the query ``step_embedding``), and an arrow
leads from a training's place at one step to its place at the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from lmc_track.report import wording
from lmc_track.report.facts import Facts, Source
from lmc_track.report.findings import measure_name
from lmc_track.report.palette import cluster_colour, cluster_symbol, plot_text, rounded
from lmc_track.report.section import Section, command
from lmc_track.report.switched import scatter_layout

Figure = dict[str, Any]

AXIS = "distance to cluster 0 − distance to cluster 1"


@dataclass(frozen=True)
class Movement:
    """``places`` are the rows of ``step_embedding`` whose axis and value are known."""

    places: pl.DataFrame

    @property
    def stages(self) -> list[int | None]:
        """The steps, in the order of training; None is an end without a step of its own."""
        rows = self.places.select("step", "is_end").unique()
        return rows.sort("is_end", "step")["step"].to_list()

    @property
    def arrows(self) -> pl.DataFrame:
        """The rows that have a place at the step before."""
        return self.places.drop_nulls(["axis_before", "value_before"])

    @property
    def switches(self) -> pl.DataFrame:
        """The arrows that lead to the other cluster."""
        return self.arrows.filter(pl.col("switched"))


def read_movement(source: Source, facts: Facts, clustering: str | None) -> Movement | None:
    """None where fewer than two steps have places and scores."""
    rows = source.query(
        "step_embedding", study=facts.study, clustering=clustering, half=facts.half
    ).drop_nulls(["axis", "value"])
    movement = Movement(rows)
    return movement if movement.arrows.height else None


def score_name(facts: Facts) -> str:
    """What the checkpoints are compared on: ``held-out accuracy on hans``."""
    primary = facts.primary
    return f"{measure_name(facts)} on {wording.subset_name(primary.dataset, primary.subset)}"


def stage_name(step: int | None) -> str:
    """``step 200``, or ``end``."""
    return "end" if step is None else f"step {step:,}"


def movement_sections(source: Source, facts: Facts, clustering: str | None) -> Iterator[Section]:
    """The section; none where no step was tracked."""
    movement = read_movement(source, facts, clustering)
    if movement is None:
        return
    yield Section(
        "movement",
        "Movement in training",
        movement_lede(movement),
        figure="movement",
        plot=movement_figure(movement, facts),
        caption=(
            f"The published procedure (juneja2023), on the gaps of every tracked step anew: one "
            f"mark a checkpoint, {score_name(facts)} against its place "
            "between the two centroids; the darker, the later. Arrows lead from a step to the "
            "next, in colour where a training changes clusters. Clusters are numbered so that most "
            "trainings keep theirs; embeddings of two steps are two spaces, so lengths of arrows "
            "mean little."
        ),
        queries=(command(facts, "step_embedding", clustering, half=facts.half),),
        part="Geometry",
    )


def movement_lede(movement: Movement) -> str:
    """How many trainings change clusters between the steps, and which."""
    switches = movement.switches
    n = movement.places["training"].n_unique()
    steps = wording.listing([stage_name(step) for step in movement.stages])
    if switches.is_empty():
        return (
            f"Clustered anew at {steps}, none of {wording.count(n, 'training')} changes clusters "
            "between one of these and the next."
        )
    named = [
        f"{row['training']} ({stage_name(row['step'])})" for row in switches.iter_rows(named=True)
    ]
    changing = switches["training"].n_unique()
    return (
        f"Clustered anew at {steps}, {changing:,} of {wording.count(n, 'training')} "
        f"{'changes' if changing == 1 else 'change'} clusters on the way: "
        f"{wording.listing(named, 5)}."
    )


def movement_figure(movement: Movement, facts: Facts) -> Figure:
    """Marks of every step, and arrows from each to the next."""
    layout = scatter_layout(AXIS, plot_text(score_name(facts)))
    layout["annotations"] = [_arrow(row) for row in movement.arrows.iter_rows(named=True)]
    stages = movement.stages
    data = []
    for k, step in enumerate(stages):
        rows = movement.places.filter(
            pl.col("step").is_null() if step is None else pl.col("step") == step
        )
        for (cluster,), members in rows.group_by("step_cluster", maintain_order=True):
            data.append(
                _marks(members, int(str(cluster)), step, 0.35 + 0.65 * k / (len(stages) - 1))
            )
    return {"data": data, "layout": layout}


def _marks(rows: pl.DataFrame, cluster: int, step: int | None, strength: float) -> Figure:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"cluster {cluster}, {stage_name(step)}",
        "x": [rounded(v, 4) for v in rows["axis"].to_list()],
        "y": [rounded(v, 4) for v in rows["value"].to_list()],
        "text": [plot_text(name) for name in rows["training"].to_list()],
        "marker": {
            "color": cluster_colour(cluster),
            "symbol": cluster_symbol(cluster),
            "size": 9,
            "opacity": rounded(strength, 2),
        },
        "hovertemplate": f"%{{text}}, {stage_name(step)}<br>%{{y:.3g}}<extra></extra>",
    }


def _arrow(row: dict[str, Any]) -> Figure:
    switched = bool(row["switched"])
    return {
        "x": rounded(row["axis"], 4),
        "y": rounded(row["value"], 4),
        "ax": rounded(row["axis_before"], 4),
        "ay": rounded(row["value_before"], 4),
        "xref": "x",
        "yref": "y",
        "axref": "x",
        "ayref": "y",
        "text": "",
        "showarrow": True,
        "arrowhead": 2,
        "arrowsize": 1,
        "arrowwidth": 2 if switched else 1,
        "arrowcolor": "--between" if switched else "--muted",
        "opacity": 0.9 if switched else 0.45,
        "standoff": 5,
    }
