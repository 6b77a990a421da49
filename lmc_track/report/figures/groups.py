"""Mean curves within and between the best, middle and worst models on the diagnostic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lmc_track.report import wording
from lmc_track.report.figures import captions
from lmc_track.report.figures.figure import PaperFigure, Subject
from lmc_track.report.figures.layout import legend_above, new_figure, shortened
from lmc_track.report.figures.style import TEXT, TITLE, colour
from lmc_track.report.group_curves import (
    COLOURS,
    GroupCurves,
    GroupView,
    diagnostic_name,
    kind_name,
    read_group_curves,
)
from lmc_track.report.section import command

_DASHES = {True: "-", False: (0, (5, 1.2))}


def groups(subject: Subject) -> Iterator[PaperFigure]:
    """A panel for each data set and metric; none where no model scores on the diagnostic."""
    facts = subject.facts
    found = read_group_curves(subject.source, facts, subject.clustering)
    if found is None:
        return
    shown = {view.dataset: None for view in found.views}
    counted = [
        wording.count(max(rows["n_paths"].to_list()), "path") + f" {kind_name(kind)}"
        for kind, rows in found.views[0].kinds()
    ]
    yield PaperFigure(
        name="performance-groups",
        section="groups",
        title="Best and worst models",
        caption=captions.joined(
            [
                f"Means along the paths within and between the {found.n} best, middle and worst "
                f"models on {diagnostic_name(facts)}, {captions.grid(facts)}, on "
                f"{wording.listing([captions.examples(facts, name) for name in shown])}: "
                f"{wording.listing(counted)}.",
                "Bands are middle halves of the paths of the best and the worst.",
                "Between groups α runs from the first to the second; paths within a group enter "
                "in both directions.",
            ]
        ),
        drawing=_drawn(found),
        counts={
            "n_models": found.n,
            "diagnostic": ":".join(
                (facts.primary.dataset, facts.primary.subset, facts.primary.metric)
            ),
            "groups": {
                group: found.members.filter(found.members["performance"] == group)[
                    "model"
                ].to_list()
                for group in ("best", "middle", "worst")
            },
        },
        queries=(
            *(
                command(
                    facts, "group_curves", subject.clustering,
                    half=facts.half, dataset=view.dataset, metric=view.metric,
                )
                for view in found.views
            ),
            command(facts, "performance_groups", subject.clustering, half=facts.half),
        ),
    )  # fmt: skip


def _drawn(found: GroupCurves) -> Any:
    n = len(found.views)
    columns = min(n, 2)
    rows = -(-n // columns)
    figure = new_figure(TEXT, 0.6 + 1.6 * rows)
    grid = figure.subplots(rows, max(columns, 2), sharex=True, squeeze=False)
    keys: dict[tuple[str, str], Any] = {}
    for panel, view in zip(grid[:, :columns].flat, found.views, strict=False):
        _panel(panel, view, keys)
        panel.set_title(shortened(f"{view.dataset} {view.metric}", TEXT / 2 - 0.5, TITLE))
        panel.set_ylabel(view.y_title)
    for unused in [*grid[:, columns:].flat, *list(grid[:, :columns].flat)[n:]]:
        unused.set_visible(False)
    for panel in grid[-1, :columns]:
        panel.set_xlabel("α")
    legend_above(figure, [keys[kind] for kind in COLOURS if kind in keys])
    return figure


def _panel(panel: Any, view: GroupView, keys: dict[tuple[str, str], Any]) -> None:
    for kind, rows in view.kinds():
        shade = colour(COLOURS[kind])
        alphas = rows["alpha"].to_list()
        # Six bands would hide each other.
        if "middle" not in kind:
            panel.fill_between(
                alphas, rows["low"].to_list(), rows["high"].to_list(), color=shade, alpha=0.15,
                linewidth=0,
            )  # fmt: skip
        (line,) = panel.plot(
            alphas, rows["mean"].to_list(), color=shade, linestyle=_DASHES[kind[0] == kind[1]],
            marker="o", markersize=2.5, label=kind_name(kind),
        )  # fmt: skip
        keys.setdefault(kind, line)
    panel.set_xlim(0, 1)
    panel.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    panel.grid(visible=True, axis="y")
    panel.set_axisbelow(True)
    panel.locator_params(axis="y", nbins=4)
