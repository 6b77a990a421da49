"""How models move among each other in training: every step clustered and embedded anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from lmc_track.report import wording
from lmc_track.report.facts import Facts
from lmc_track.report.figures import captions
from lmc_track.report.figures.figure import PaperFigure, Subject
from lmc_track.report.figures.layout import legend_above, new_figure
from lmc_track.report.figures.style import TEXT, colour, marker, of_cluster
from lmc_track.report.movement import AXIS, Movement, read_movement, score_name, stage_name
from lmc_track.report.section import command


def movement(subject: Subject) -> Iterator[PaperFigure]:
    """Places and arrows; none without tracked steps."""
    facts = subject.facts
    found = read_movement(subject.source, facts, subject.clustering)
    if found is None:
        return
    switches = found.switches
    changing = switches["training"].n_unique()
    yield PaperFigure(
        name="movement",
        section="movement",
        title="Movement in training",
        caption=captions.joined(
            [
                f"{wording.capital(score_name(facts))} "
                f"({captions.examples(facts, facts.primary.dataset)}) against the place between "
                "the two centroids of the spectral embedding, both found anew at every tracked "
                "step by the procedure of Juneja et al. (2023) "
                f"({captions.grid(facts)}).",
                "The darker a mark, the later its step; arrows lead from each step to the next, in "
                "colour where a training changes clusters "
                f"({wording.count(changing, 'training')}).",
                "Clusters are numbered so that most trainings keep theirs.",
            ]
        ),
        drawing=_drawn(found, facts),
        counts={
            "steps": found.stages,
            "n_trainings": found.places["training"].n_unique(),
            "n_switching": changing,
        },
        queries=(command(facts, "step_embedding", subject.clustering, half=facts.half),),
    )


def _drawn(found: Movement, facts: Facts) -> Any:
    figure = new_figure(TEXT, 3.0)
    axes = figure.subplots()
    keys: dict[str, Any] = {}
    stages = found.stages
    for k, step in enumerate(stages):
        at = pl.col("step").is_null() if step is None else pl.col("step") == step
        rows = found.places.filter(at)
        strength = 0.3 + 0.7 * k / (len(stages) - 1)
        for cluster in sorted(set(rows["step_cluster"].to_list())):
            members = rows.filter(pl.col("step_cluster") == cluster)
            label = f"cluster {cluster}, {stage_name(step)}"
            keys[label] = axes.scatter(
                members["axis"].to_list(), members["value"].to_list(), s=16, linewidths=0,
                marker=marker(cluster), color=of_cluster(cluster), alpha=strength, label=label,
                zorder=3,
            )  # fmt: skip
    for switched, shade, width in ((False, "--plain", 0.6), (True, "--between", 1.1)):
        arrows = found.arrows.filter(pl.col("switched").fill_null(value=False) == switched)
        for x, y, x0, y0 in arrows.select(
            "axis", "value", "axis_before", "value_before"
        ).iter_rows():
            axes.annotate(
                "", (x, y), (x0, y0),
                arrowprops={
                    "arrowstyle": "->", "color": colour(shade), "linewidth": width,
                    "alpha": 0.9 if switched else 0.4, "shrinkA": 2, "shrinkB": 2,
                    "mutation_scale": 7,
                },
                zorder=2,
            )  # fmt: skip
    axes.set_xlabel(AXIS)
    axes.set_ylabel(score_name(facts))
    axes.grid(visible=True)
    axes.set_axisbelow(True)
    axes.margins(0.06)
    legend_above(figure, list(keys.values()))
    return figure
