"""When in training the gaps come to be: gaps and parts at every tracked step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from lmc_track.report import wording
from lmc_track.report.dynamics import Dynamics, read_dynamics
from lmc_track.report.facts import Facts
from lmc_track.report.figures import captions
from lmc_track.report.figures.figure import PaperFigure, Subject
from lmc_track.report.figures.layout import legend_above, new_figure
from lmc_track.report.figures.style import TEXT, colour
from lmc_track.report.section import command

_GAPS = {
    "mean_gap_within": ("within clusters", "--within", "o"),
    "mean_gap_between": ("between clusters", "--between", "^"),
    "mean_gap": ("all pairs", "--plain", "s"),
}


def training(subject: Subject) -> Iterator[PaperFigure]:
    """Mean gaps by step, and into how many parts models fall; none without tracked steps."""
    facts = subject.facts
    dynamics = read_dynamics(subject.source, facts, subject.clustering)
    if dynamics is None:
        return
    yield PaperFigure(
        name="training",
        section="dynamics",
        title="Training",
        caption=_caption(facts, dynamics),
        drawing=_drawn(facts, dynamics),
        counts={
            "metric": "loss",
            "measure": "convexity_gap",
            "n_models": facts.models.height,
            "steps": dynamics.steps["step"].to_list(),
        },
        queries=(command(facts, "step_summary", subject.clustering, half=facts.half),),
    )


def _shown(facts: Facts, dynamics: Dynamics) -> list[str]:
    several = facts.found is not None and facts.found.n_clusters > 1
    names = ("mean_gap_between", "mean_gap_within") if several else ("mean_gap",)
    return [name for name in names if dynamics.steps[name].count()]


def _caption(facts: Facts, dynamics: Dynamics) -> str:
    several = facts.found is not None and facts.found.n_clusters > 1
    tau = dynamics.steps["tau"][0]
    n = max(dynamics.steps["n_models"].to_list())
    return captions.joined(
        [
            f"Mean convexity gap of the validation loss between the checkpoints of one training "
            f"step, up to {n} a step ({captions.examples(facts)}; {captions.grid(facts)}).",
            "Clusters are those that the trainings ended in." if several else "",
            "Steps stand at equal distances.",
            f"Right: parts joined by gaps of at most τ = {wording.nats(tau)}, by single and by "
            "complete linkage."
            if tau is not None
            else "",
            captions.missing(int(dynamics.steps["n_missing"].sum())),
        ]
    )


def _drawn(facts: Facts, dynamics: Dynamics) -> Any:
    figure = new_figure(TEXT, 2.3)
    left, right = figure.subplots(1, 2)
    # An end without a step of its own stands one step after the last that has one.
    steps = dynamics.steps.with_columns(place=pl.int_range(pl.len()))
    names = ["end" if step is None else f"{step:,}" for step in steps["step"].to_list()]
    keys = []
    for name in _shown(facts, dynamics):
        label, variable, mark = _GAPS[name]
        known = steps.drop_nulls(name)
        keys += left.plot(
            known["place"], known[name], color=colour(variable), marker=mark, markersize=4,
            label=label,
        )  # fmt: skip
    left.set_ylabel("mean gap, nats")
    left.set_ylim(bottom=-0.03 * left.get_ylim()[1])
    left.set_title("Gaps between models of one step")
    if steps["tau"][0] is None:
        right.set_visible(False)
    else:
        for name, label, variable, dashes in (
            ("n_components", "single linkage", "--accent", "-"),
            ("n_complete_clusters", "complete linkage", "--cluster-1", (0, (3, 1))),
        ):
            keys += right.plot(
                steps["place"], steps[name], color=colour(variable), linestyle=dashes,
                marker=".", markersize=5, label=label,
            )  # fmt: skip
        right.set_ylabel("parts")
        right.set_title("Parts at the study's τ")
        right.set_ylim(bottom=0)
        right.locator_params(axis="y", integer=True, nbins=5)
    most = -(-len(names) // 6)
    for panel in (left, right):
        panel.set_xticks(range(0, len(names), most), names[::most])
        panel.set_xlabel("training step")
        panel.grid(visible=True, axis="y")
        panel.set_axisbelow(True)
    legend_above(figure, keys)
    return figure
