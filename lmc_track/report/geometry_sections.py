"""The sections on geometry: where the models lie in the space of weights."""

from __future__ import annotations

from collections.abc import Iterator

from lmc_track.report.dynamics import dynamics_lede, dynamics_table, read_dynamics
from lmc_track.report.dynamics_plot import dynamics_figure
from lmc_track.report.facts import Facts, Source
from lmc_track.report.findings import examples_of
from lmc_track.report.geometry_plots import (
    distance_figure,
    distance_lede,
    is_sampled,
    merge_figure,
    merge_lede,
    read_distances,
)
from lmc_track.report.module_views import ModuleViews, modules_figure, modules_lede, modules_table
from lmc_track.report.movement import movement_sections
from lmc_track.report.planes import planes_section
from lmc_track.report.section import Section, command
from lmc_track.report.spectral import (
    NO_EVIDENCE,
    embedding_figure,
    embedding_lede,
    read_embedding,
)


def geometry_sections(
    source: Source, facts: Facts, modules: ModuleViews | None, clustering: str | None
) -> Iterator[Section]:
    """How the models lie to each other in the space of weights."""
    yield from _embedding(source, facts, clustering)
    yield from _distances(source, facts, clustering)
    yield from _merging(source, facts)
    yield from _modules(facts, modules, clustering)
    yield from planes_section(source, facts, clustering)
    yield from _dynamics(source, facts, clustering)
    yield from movement_sections(source, facts, clustering)


_PLACES = {
    "verdict": "The two principal coordinates of the gaps, taken as squared distances (classical "
    "scaling); an axis is in the square root of the gaps' unit.",
    "juneja2023": "Eigenvectors of the affinity exp(−gap²/2δ²) between models, δ = 1 nat.",
}


def _embedding(source: Source, facts: Facts, clustering: str | None) -> Iterator[Section]:
    embedding = read_embedding(source, facts, clustering)
    if embedding is None or facts.found is None:
        return
    yield Section(
        "embedding",
        "Places of the models",
        embedding_lede(embedding),
        figure="embedding",
        plot=embedding_figure(embedding),
        caption=(
            f"{_PLACES.get(facts.found.method, _PLACES['verdict'])} From the gaps of "
            f"{facts.found.half} examples that the {facts.found.method} clustering was made of. "
            "Models that lie together are joined by low paths."
            f"{f' {NO_EVIDENCE}' if facts.found.n_clusters > 1 else ''}"
        ),
        queries=(command(facts, "embedding", clustering),),
        part="Geometry",
    )


def _distances(source: Source, facts: Facts, clustering: str | None) -> Iterator[Section]:
    frame = read_distances(source, facts, clustering)
    if frame.height < 2:
        return
    sample = ", of which an even sample is drawn" if is_sampled(frame) else ""
    yield Section(
        "distances",
        "Distances of the weights",
        distance_lede(source, facts, frame),
        figure="distances",
        plot=distance_figure(facts, frame),
        caption=(
            f"One dot per pair{sample}; gaps of the validation loss on {examples_of(facts)}. θ₀ is "
            "the base model: the cosine is of what finetuning changed."
        ),
        queries=(
            command(facts, "distances", clustering, half=facts.half),
            command(facts, "mantel_tests"),
        ),
        part="Geometry",
    )


def _merging(source: Source, facts: Facts) -> Iterator[Section]:
    tree = source.query("merge_tree", study=facts.study).drop_nulls("tau")
    if tree.is_empty():
        return
    yield Section(
        "merging",
        "Components over τ",
        merge_lede(facts, tree),
        figure="merging",
        plot=merge_figure(facts, tree),
        caption=(
            "How many components of models are left when pairs with a gap of at most τ are "
            "joined. A chain of such pairs joins models whose own gap is larger; complete linkage "
            "allows no larger gap inside a component."
        ),
        queries=(
            command(facts, "merge_tree"),
            command(facts, "threshold_components"),
        ),
        part="Geometry",
    )


def _modules(facts: Facts, views: ModuleViews | None, clustering: str | None) -> Iterator[Section]:
    if views is None:
        return
    yield Section(
        "modules",
        "Parts of the network",
        modules_lede(views),
        figure="modules",
        plot=modules_figure(views),
        caption=(
            "One part of the network moves from one model to the other and the rest stays; the "
            "colour is how far the loss on the way, its far end included, rises above the line "
            f"between the two models' own losses, on {examples_of(facts)} of validation. One "
            "column for each pair and direction."
        ),
        tables=(modules_table(views),),
        queries=(
            command(facts, "module_paths", clustering, half=facts.half),
            command(facts, "module_summary", clustering, half=facts.half),
        ),
        part="Geometry",
    )


def _dynamics(source: Source, facts: Facts, clustering: str | None) -> Iterator[Section]:
    dynamics = read_dynamics(source, facts, clustering)
    if dynamics is None:
        return
    figure = dynamics_figure(dynamics, facts)
    yield Section(
        "dynamics",
        "Training",
        dynamics_lede(dynamics, facts),
        figure="dynamics" if figure else "",
        plot=figure,
        caption=(
            f"One line a training, on {examples_of(facts)}, in the colour of the cluster that its "
            "end is in; an open mark where it is nearest to another cluster than at the step "
            "before."
            if figure
            else ""
        ),
        tables=(dynamics_table(dynamics, facts),),
        queries=(
            command(facts, "step_summary", clustering, half=facts.half),
            command(facts, "cluster_dynamics", clustering, half=facts.half),
        ),
        part="Geometry",
    )
