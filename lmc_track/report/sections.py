"""The sections of the page: a sentence each about what it shows for this study, and the exhibits.

A section that has nothing to show is left out.
"""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from lmc_track.report import tables, wording
from lmc_track.report.curve_views import CurveView
from lmc_track.report.facts import Facts, Source
from lmc_track.report.figures import diagnostic_rows
from lmc_track.report.findings import examples_of
from lmc_track.report.tables import Table


@dataclass(frozen=True)
class Section:
    """``figure`` is the key of the figure that the page's script draws into it, or empty."""

    key: str
    title: str
    lede: str
    figure: str = ""
    caption: str = ""
    tables: tuple[Table, ...] = ()
    folded: tuple[Table, ...] = ()
    queries: tuple[str, ...] = ()


def sections(
    source: Source, facts: Facts, views: list[CurveView], clustering: str | None
) -> list[Section]:
    """All sections of the study that have something to show, in the page's order."""
    return [
        *_matrix(facts, clustering),
        *_paths(facts, views, clustering),
        *_clusters(facts, clustering),
        *_diagnostics(facts, clustering),
        *_models(facts, clustering),
        *_clusterings(source, facts),
        *_datasets(facts),
        *_holes(facts),
    ]


def shown_query(facts: Facts, name: str, clustering: str | None = None, **params: str) -> str:
    """The command that prints the rows behind an exhibit."""
    values = {"study": facts.study, **params}
    if clustering is not None:
        values["clustering"] = clustering
    options = [part for key, value in values.items() for part in ("-p", f"{key}={value}")]
    return shlex.join(["lmc-track", "query", name, *options])


def _matrix(facts: Facts, clustering: str | None) -> Iterator[Section]:
    if facts.measured.is_empty():
        return
    yield Section(
        "matrix",
        "Barrier matrix",
        _matrix_lede(facts),
        figure="matrix",
        caption=(
            f"Convexity gap of the validation loss on {examples_of(facts)}, in nats: the greatest "
            "barrier over all parts of the straight line between two models. Models are in "
            f"{'cluster' if facts.found else 'study'} order; grey cells with a cross were not "
            "measured. A click on a cell marks the pair's curve below."
            if facts.n_unmeasured
            else f"Convexity gap of the validation loss on {examples_of(facts)}, in nats: the "
            "greatest barrier over all parts of the straight line between two models. Models are "
            f"in {'cluster' if facts.found else 'study'} order. A click on a cell marks the "
            "pair's curve below."
        ),
        queries=(
            shown_query(facts, "barrier_matrix", clustering, half=facts.half),
            shown_query(facts, "barrier_pairs", clustering, half=facts.half),
        ),
    )


def _matrix_lede(facts: Facts) -> str:
    known = facts.measured
    within = known.filter(pl.col("same_cluster"))["convexity_gap"]
    between = known.filter(~pl.col("same_cluster"))["convexity_gap"]
    if within.len() and between.len():
        top, least = float(np.max(within.to_numpy())), float(np.min(between.to_numpy()))
        if top < least:
            return (
                f"Every pair between clusters has a larger gap ({wording.nats(least)} or more) "
                f"than any pair within one ({wording.nats(top)} or less)."
            )
        low = int((between <= top).sum())
        return (
            f"The gaps within and between clusters overlap: {low:,} of "
            f"{wording.count(between.len(), 'pair')} between clusters "
            f"{'has' if low == 1 else 'have'} no larger gap than the largest within, "
            f"{wording.nats(top)}."
        )
    a, b, largest = (
        known.sort("convexity_gap", descending=True)
        .select("model_a", "model_b", "convexity_gap")
        .row(0)
    )
    if known.height == 1:
        return f"The gap between {a} and {b} is {wording.nats(largest)}."
    return (
        f"The largest of the {known.height:,} gaps, {wording.nats(largest)}, lies between "
        f"{a} and {b}; the median is {wording.nats(_median(known['convexity_gap']))}."
    )


def _median(values: pl.Series) -> float:
    return float(np.median(values.to_numpy()))


def _paths(facts: Facts, views: list[CurveView], clustering: str | None) -> Iterator[Section]:
    if not views:
        return
    yield Section(
        "paths",
        "Along the paths",
        _paths_lede(facts, views[0]),
        figure="paths",
        caption=(
            f"Thin lines are single pairs, thick lines medians over the pairs, bands their middle "
            f"halves, all on {examples_of(facts)}; α runs from the pair's first model to its "
            "second in study order."
        ),
        queries=(shown_query(facts, "curves", clustering, half=facts.half),),
    )


def _paths_lede(facts: Facts, view: CurveView) -> str:
    alphas = [float(alpha) for alpha in facts.summary["alphas"]]
    parts = []
    for group in view.groups:
        median = group.quantile(0.5)
        top = int(np.argmax(median))
        ends = wording.gap(float((median[0] + median[-1]) / 2))
        where = "" if group.key == "all" else f" {group.label}"
        if top in (0, len(alphas) - 1):
            parts.append(f"nowhere rises above its ends ({ends} nats){where}")
        else:
            parts.append(
                f"rises from {ends} at the ends to {wording.nats(float(median[top]))} at "
                f"α = {alphas[top]:.2g}{where}"
            )
    return f"The median {view.dataset} {view.metric} {wording.listing(parts)}."


def _clusters(facts: Facts, clustering: str | None) -> Iterator[Section]:
    if facts.found is None or facts.found.n_clusters < 2:
        return
    table = tables.cluster_table(facts)
    sizes = facts.found.sizes
    largest, smallest = max(sizes.values()), min(sizes.values())
    share = wording.percent(largest / sum(sizes.values()))
    yield Section(
        "clusters",
        "Clusters",
        f"The largest cluster holds {largest:,} of {sum(sizes.values()):,} models ({share}), the "
        f"smallest {smallest:,}.",
        tables=(table,),
        queries=(shown_query(facts, "cluster_table", clustering, half=facts.half),),
    )


def _diagnostics(facts: Facts, clustering: str | None) -> Iterator[Section]:
    if facts.diagnostics["value"].count() == 0:
        return
    subsets = tables.subset_table(facts)
    left_out = diagnostic_rows(facts)[1]
    several = facts.found is not None and facts.found.n_clusters > 1
    yield Section(
        "diagnostics",
        "Diagnostics by cluster" if several else "Diagnostics",
        _diagnostics_lede(facts, several),
        figure="strips",
        caption=(
            f"Accuracy of every model on {examples_of(facts)} of each data set"
            + (f"; {wording.count(left_out, 'subset')} in the folded table." if left_out else ".")
        ),
        tables=(tables.diagnostic_table(facts),),
        folded=(subsets,) if subsets else (),
        queries=(
            shown_query(facts, "diagnostics", clustering, half=facts.half),
            shown_query(facts, "cluster_diagnostics", clustering, half=facts.half),
        ),
    )


def _diagnostics_lede(facts: Facts, several: bool) -> str:
    wholes = facts.diagnostics.filter((pl.col("subset") == "all") & pl.col("value").is_not_null())
    if several:
        frame = facts.cluster_diagnostics.filter(pl.col("subset") == "all")
        spreads = frame.select("dataset", spread="spread").unique(maintain_order=True)
        what = "The means of the clusters differ by"
    else:
        spreads = wholes.group_by("dataset", maintain_order=True).agg(
            spread=pl.col("value").max() - pl.col("value").min()
        )
        what = "Between the lowest and the highest model accuracy differs by"
    if facts.models.height == 1:
        return (
            f"One model on {wording.count(spreads.height, 'data set')}: its accuracy is lowest "
            f"on {wholes.sort('value')['dataset'][0]}."
        )
    ranked = spreads.sort("spread", descending=True, maintain_order=True)
    parts = [f"{wording.share(value)} on {name}" for name, value in ranked.iter_rows()]
    return f"{what} {wording.listing(parts, limit=5)}."


def _models(facts: Facts, clustering: str | None) -> Iterator[Section]:
    known = facts.models["validation_accuracy"].drop_nulls()
    if facts.models.is_empty():
        return
    if known.is_empty():
        lede = "No model has been evaluated on validation yet."
    elif facts.models.height == 1:
        lede = f"The model's accuracy on all of validation is {wording.fine_share(known[0])}."
    else:
        low, high = np.min(known.to_numpy()), np.max(known.to_numpy())
        lede = (
            f"On all of validation the accuracy of the {facts.models.height:,} models lies between "
            f"{wording.fine_share(float(low))} and {wording.fine_share(float(high))}."
        )
    yield Section(
        "models",
        "Models",
        lede,
        tables=(tables.model_table(facts),),
        queries=(shown_query(facts, "models", clustering),),
    )


def _clusterings(source: Source, facts: Facts) -> Iterator[Section]:
    if facts.clusterings.is_empty() or facts.models.height < 2:
        return
    alike = _grouped_alike(source, facts)
    counts = facts.clusterings["n_clusters"].to_list()
    if len(counts) == 1:
        lede = f"One clustering is on record; it has {wording.count(counts[0], 'cluster')}."
    else:
        lede = (
            f"The {wording.word(len(counts))} clusterings on record have "
            f"{wording.listing(sorted({str(k) for k in counts}))} clusters."
        )
        if alike:
            method, (same, of) = min(
                ((facts.clusterings.filter(pl.col("clustering_id") == k)["method"][0], v)
                 for k, v in alike.items()),
                key=lambda item: item[1][0] / max(item[1][1], 1),
            )  # fmt: skip
            lede += (
                f" Of the others {method} agrees least with the one reported above: {same:,} of "
                f"{of:,} pairs of models are grouped alike."
            )
    yield Section(
        "clusterings",
        "Clusterings compared",
        lede,
        tables=(tables.clustering_table(facts, alike),),
        queries=(shown_query(facts, "clusterings"),),
    )


def _grouped_alike(source: Source, facts: Facts) -> dict[str, tuple[int, int]]:
    """(pairs of models grouped as in the reported clustering, pairs in both), by clustering."""
    if facts.found is None:
        return {}
    own = facts.cluster_of
    alike = {}
    for other in facts.clusterings["clustering_id"].to_list():
        if other == facts.found.clustering_id:
            continue
        frame = source.query("models", study=facts.study, clustering=other)
        both = [
            (own[name], cluster)
            for name, cluster in frame.select("name", "cluster").iter_rows()
            if cluster is not None and own.get(name) is not None
        ]
        pairs = list(itertools.combinations(both, 2))
        alike[other] = (
            sum((a[0] == b[0]) == (a[1] == b[1]) for a, b in pairs),
            len(pairs),
        )
    return alike


def _datasets(facts: Facts) -> Iterator[Section]:
    if facts.datasets.is_empty():
        return
    total = int(facts.datasets["n_examples"].sum())
    held_out = int(facts.datasets["n_held_out"].sum())
    lede = (
        f"The {wording.count(facts.datasets.height, 'evaluation set')} hold "
        f"{wording.count(total, 'example')}, of which {held_out:,} are held out: clusters are "
        "found on the others and judged on these."
        if held_out
        else f"The {wording.count(facts.datasets.height, 'evaluation set')} hold "
        f"{wording.count(total, 'example')}; none are held out."
    )
    yield Section(
        "data",
        "Data",
        lede,
        tables=(tables.dataset_table(facts),),
        queries=(shown_query(facts, "datasets"),),
    )


def _holes(facts: Facts) -> Iterator[Section]:
    if facts.holes.is_empty():
        return
    kinds = facts.holes["kind"].to_list()
    named = {"pair": "pair without a path", "points": "unfinished path",
             "evaluation": "missing evaluation"}  # fmt: skip
    plurals = {"pair": "pairs without a path"}
    parts = [
        wording.count(kinds.count(kind), noun, plurals.get(kind))
        for kind, noun in named.items()
        if kind in kinds
    ]
    yield Section(
        "missing",
        "What is missing",
        f"{wording.capital(wording.listing(parts))} {'is' if len(kinds) == 1 else 'are'} left out "
        "of the figures above; an unfinished path counts once for each data set.",
        tables=(tables.hole_table(facts),),
        queries=(shown_query(facts, "holes"),),
    )
