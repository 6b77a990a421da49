"""How far apart the weights of two models are, against the gap between them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from lmc_track.report import wording
from lmc_track.report.facts import Facts
from lmc_track.report.figures import captions
from lmc_track.report.figures.figure import PaperFigure, Subject
from lmc_track.report.figures.layout import legend_above, new_figure
from lmc_track.report.figures.style import COLUMN, TEXT, colour
from lmc_track.report.section import command

_VECTOR_DOTS = 1000
_MEASURES = {
    "l2_distance": "L2 distance of the weights",
    "cosine": "cosine of what finetuning changed",
}
_KINDS = {
    True: ("within clusters", "--within", "o"),
    False: ("between clusters", "--between", "^"),
    None: ("all pairs", "--plain", "o"),
}


def distances(subject: Subject) -> Iterator[PaperFigure]:
    """A panel for the distance and one for the cosine; none where neither is known."""
    facts = subject.facts
    frame = subject.query("distances", half=facts.half)
    pairs = frame.drop_nulls("gap").filter(~pl.all_horizontal(pl.col(_MEASURES).is_null()))
    shown = [name for name in _MEASURES if pairs[name].count() > 1]
    if not shown:
        return
    undecided = set(subject.decisions.undecided) if subject.decisions else set()
    found = subject.query("distance_correlations", half=facts.half)
    given = subject.clustering
    yield PaperFigure(
        name="distances",
        section="distances",
        title="Weight distance and gap",
        caption=_caption(facts, pairs, shown, found, n_undecided=len(undecided)),
        drawing=_drawn(facts, pairs, shown, undecided),
        counts={
            "metric": "loss",
            "measure": "convexity_gap",
            "n_models": facts.models.height,
            "n_pairs": pairs.height,
            "n_missing": frame.height - pairs.height,
            "n_undecided": len(undecided) if subject.decisions else None,
        },
        queries=(
            command(facts, "distances", given, half=facts.half),
            command(facts, "distance_correlations", given, half=facts.half),
        ),
    )


def _several(facts: Facts) -> bool:
    return facts.found is not None and facts.found.n_clusters > 1


def _caption(
    facts: Facts, pairs: pl.DataFrame, shown: list[str], found: pl.DataFrame, *, n_undecided: int
) -> str:
    kinds = ("within", "between") if _several(facts) else ("all",)
    said = []
    for name in shown:
        rows = found.filter((pl.col("distance") == name) & pl.col("pairs").is_in(kinds))
        values = [
            f"{r:.2f}".replace("-", "−") + ("" if kind == "all" else f" {kind} clusters")
            for kind, r in rows.select("pairs", "spearman").drop_nulls().iter_rows()
        ]
        if values:
            what = "the L2 distance" if name == "l2_distance" else "the cosine"
            said.append(f"with {what} {wording.listing(values)}")
    return captions.joined(
        [
            f"Convexity gap of the validation loss against how far apart two models' weights are, "
            f"{wording.count(pairs.height, 'pair')} ({captions.examples(facts)}; "
            f"{captions.grid(facts)}).",
            "The cosine is of θ_a − θ₀ and θ_b − θ₀, θ₀ being the base model's weights."
            if "cosine" in shown
            else "",
            f"Spearman's correlation {wording.listing(said)}; pairs share models, so no p is given."
            if said
            else "",
            f"Open: {wording.count(n_undecided, 'undecided pair')}." if n_undecided else "",
        ]
    )


def _drawn(
    facts: Facts, pairs: pl.DataFrame, shown: list[str], undecided: set[tuple[str, str]]
) -> Any:
    figure = new_figure(TEXT if len(shown) > 1 else COLUMN, 2.4)
    panels = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    kinds = (False, True, None) if _several(facts) else (None,)
    keys = []
    size = 9 if pairs.height <= _VECTOR_DOTS else 4
    opened = pairs.select(
        pl.struct("model_a", "model_b")
        .map_elements(lambda p: (p["model_a"], p["model_b"]) in undecided, pl.Boolean)
        .alias("open")
    )["open"]
    for kind in kinds:
        label, variable, mark = _KINDS[kind]
        of_kind = (
            pairs["same_cluster"].eq_missing(pl.Series([kind], dtype=pl.Boolean))
            if _several(facts)
            else pl.Series([True] * pairs.height)
        )
        if not of_kind.any():
            continue
        if _several(facts) and kind is None:
            label = "a model without a cluster"
        shade = colour(variable)
        for panel, name in zip(panels, shown, strict=True):
            for is_open in (True, False):
                rows = pairs.filter(of_kind & (opened == is_open))
                panel.scatter(
                    rows[name], rows["gap"], s=size, marker=mark, linewidths=0.6 if is_open else 0,
                    facecolors="none" if is_open else shade,
                    edgecolors=shade if is_open else "none", alpha=0.75,
                    rasterized=pairs.height > _VECTOR_DOTS,
                )  # fmt: skip
        keys.append(_key(f"{label} ({int(of_kind.sum()):,})", shade, mark))
    if undecided:
        keys.append(_key("undecided", colour("--plain"), "o", filled=False))
    for panel, name in zip(panels, shown, strict=True):
        panel.set_xlabel(_MEASURES[name])
        panel.locator_params(axis="x", nbins=5)
        panel.grid(visible=True)
        panel.set_axisbelow(True)
        panel.margins(0.05)
    panels[0].set_ylim(bottom=-0.03 * panels[0].get_ylim()[1])
    panels[0].set_ylabel("convexity gap, nats")
    panels[0].set_title("Weight distance and gap")
    if len(keys) > 1:
        legend_above(figure, keys)
    return figure


def _key(label: str, shade: str, mark: str, *, filled: bool = True) -> Any:
    from matplotlib.lines import Line2D

    return Line2D(
        [], [], linestyle="", marker=mark, markersize=4, label=label,
        markerfacecolor=shade if filled else "none", markeredgecolor=shade,
        markeredgewidth=0 if filled else 0.6,
    )  # fmt: skip
