"""The sentence at the head of each section: what its exhibit shows for this study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from lmc_track.report import wording
from lmc_track.report.cluster_effects import limit
from lmc_track.report.curve_views import CurveView, grid
from lmc_track.report.facts import Facts, Row

_PLACES = {
    "all": "",
    "within": " within clusters",
    "between": " between clusters",
    "other": " where a model has no cluster",
}
_HOLES = {
    "pair": ("pair without a path", "pairs without a path"),
    "points": ("unfinished path", "unfinished paths"),
    "evaluation": ("missing evaluation", "missing evaluations"),
    "loss": ("loss that is not finite", "losses that are not finite"),
}


def matrix_lede(facts: Facts) -> str:
    """Whether the gaps within and between clusters lie apart, or where the largest is."""
    known = facts.measured
    within = known.filter(pl.col("same_cluster"))["convexity_gap"].to_numpy()
    between = known.filter(~pl.col("same_cluster"))["convexity_gap"].to_numpy()
    if not within.size or not between.size:
        return _largest_gap(known)
    top = float(within.max())
    low = int((between <= top).sum())
    if low == 0:
        return (
            f"Every pair between clusters has a larger gap ({wording.nats(float(between.min()))} "
            f"or more) than any pair within one ({wording.nats(top)} or less)."
        )
    return (
        f"The gaps within and between clusters overlap: {low:,} of "
        f"{wording.count(between.size, 'pair')} between clusters {'has' if low == 1 else 'have'} "
        f"no larger gap than the largest within, {wording.nats(top)}."
    )


def grid_error_lede(errors: pl.DataFrame, facts: Facts) -> list[str]:
    """What points beyond the common grid say that it misses: a sentence, or none."""
    if errors.is_empty():
        return []
    missed = errors["missed"].to_numpy()
    points = int(errors["n_refined"].sum())
    median, most = float(np.median(missed)), float(missed.max())
    how = (
        f"by {wording.nats(most)}"
        if wording.gap(median) == wording.gap(most)
        else f"by {wording.gap(median)} in the median and {wording.nats(most)} at most"
    )
    return [
        f"The common grid has {facts.summary['grid_points']} points; on "
        f"{wording.count(errors.height, 'path')} {wording.count(points, 'further point')} "
        f"{'raises' if points == 1 else 'raise'} the gap {how}."
    ]


def precision_lede(checks: pl.DataFrame, facts: Facts) -> list[str]:
    """How far another precision of evaluation would move the numbers: a sentence, or none."""
    if checks.is_empty():
        return []
    return [
        f"Losses were computed in {facts.summary['precision']}; bf16 and fp32 differ by at most "
        f"{wording.gap(float(checks['loss'].to_numpy().max()))} in a point's mean loss and by "
        f"{wording.nats(float(checks['gap'].to_numpy().max()))} in a gap, on "
        f"{wording.count(int(checks['n_paths'][0]), 'path')} evaluated in both."
    ]


def _largest_gap(known: pl.DataFrame) -> str:
    columns = ("model_a", "model_b", "convexity_gap")
    a, b, largest = known.sort("convexity_gap", descending=True).select(columns).row(0)
    if known.height == 1:
        return f"The gap between {a} and {b} is {wording.nats(largest)}."
    least = float(known["convexity_gap"].to_numpy().min())
    if wording.nats(least) == wording.nats(largest):
        return f"Each of the {known.height:,} gaps is {wording.nats(largest)}."
    median = float(np.median(known["convexity_gap"].to_numpy()))
    return (
        f"The largest of the {known.height:,} gaps, {wording.nats(largest)}, lies between "
        f"{a} and {b}; the median is {wording.nats(median)}."
    )


def paths_lede(facts: Facts, view: CurveView) -> str:
    """Where along the path the median is highest, and how high."""
    alphas = grid(facts)
    parts = []
    for kind, median in view.median_curves():
        top = int(np.nanargmax(median))
        ends = float((median[0] + median[-1]) / 2)
        if top in (0, len(alphas) - 1):
            parts.append(f"nowhere rises above its ends ({wording.nats(ends)}){_PLACES[kind]}")
        else:
            parts.append(
                f"rises from {wording.gap(ends)} at the ends to "
                f"{wording.nats(float(median[top]))} at α = {alphas[top]:.2g}{_PLACES[kind]}"
            )
    return f"The median {view.dataset} {view.metric} {wording.listing(parts)}."


def clusters_lede(sizes: Mapping[int, int]) -> str:
    """How even the clusters are in size."""
    total, largest, smallest = sum(sizes.values()), max(sizes.values()), min(sizes.values())
    if largest == smallest:
        n = wording.word(len(sizes))
        return f"Each of the {n} clusters holds {largest:,} of {total:,} models."
    return (
        f"The largest cluster holds {largest:,} of {total:,} models "
        f"({wording.percent(largest / total)}), the smallest {smallest:,}."
    )


def diagnostics_lede(facts: Facts) -> str:
    """How much clusters, or else models, differ on each data set."""
    metric = wording.metric_name(facts.primary.metric)
    wholes = facts.diagnostics.filter((pl.col("subset") == "all") & pl.col("value").is_not_null())
    if facts.models.height == 1:
        return _of_one_model(wholes, metric)
    if facts.found is not None and facts.found.n_clusters > 1:
        frame = facts.cluster_diagnostics.filter(pl.col("subset") == "all")
        spreads = frame.select("dataset", "spread").unique(maintain_order=True)
        what = f"Between the clusters mean {metric} differs by"
    else:
        spreads = wholes.group_by("dataset", maintain_order=True).agg(
            spread=pl.col("value").max() - pl.col("value").min()
        )
        what = f"Between the lowest and the highest model {metric} differs by"
    ranked = spreads.sort("spread", descending=True, maintain_order=True)
    sets = list(ranked.iter_rows())
    parts = [f"{wording.share(value)} on {name}" for name, value in sets]
    if len(sets) > 1 and len({wording.share(value) for _, value in sets}) == 1:
        parts = [f"{wording.share(sets[0][1])} on each of {wording.word(len(sets))} data sets"]
    attainable = limit(facts, ranked["dataset"][0], "all") if ranked.height else ""
    beyond = f"; {attainable}" if attainable else ""
    return f"{what} {wording.listing(parts, limit=5)}{beyond}."


def _of_one_model(wholes: pl.DataFrame, metric: str) -> str:
    """On which set a single model scores lowest, and what; of equal scores none is the lowest."""
    scores = list(wholes.sort("value", maintain_order=True).select("dataset", "value").iter_rows())
    (lowest, low), (highest, high) = scores[0], scores[-1]
    if len(scores) == 1:
        return f"The model's {metric} on {lowest} is {wording.share(low)}."
    if wording.share(low) == wording.share(high):
        n = wording.word(len(scores))
        return f"On each of {n} data sets the model's {metric} is {wording.share(low)}."
    return (
        f"Over {wording.word(len(scores))} data sets the model's {metric} goes from "
        f"{wording.share(low)} ({lowest}) to {wording.share(high)} ({highest})."
    )


def models_lede(facts: Facts) -> str:
    """The range of validation accuracy."""
    known = facts.models["validation_accuracy"].drop_nulls().to_numpy()
    if not known.size:
        return "No model has been evaluated on validation yet."
    low, high = float(known.min()), float(known.max())
    if known.size == 1:
        return f"The model's accuracy on all of validation is {wording.fine_share(low)}."
    if wording.fine_share(low) == wording.fine_share(high):
        return f"On all of validation every model's accuracy is {wording.fine_share(low)}."
    return (
        f"On all of validation the accuracy of the {known.size:,} models lies between "
        f"{wording.fine_share(low)} and {wording.fine_share(high)}."
    )


def bases_lede(bases: Sequence[Row]) -> str:
    """Whether the metrics that are judged beside the declared one say the same."""
    declared, *others = bases
    own = f"gaps of the {wording.metric_name(declared['metric'])}"
    opening = f"The verdict is about {own}, as declared beforehand"
    if not others:
        return f"{opening}; no other metric was measured on every path."
    differ = [row for row in others if row["n_clusters"] != declared["n_clusters"]]
    if not differ:
        return f"{opening}; the other metrics give as many clusters."
    parts = [
        f"the {wording.metric_name(row['metric'])} gives "
        f"{wording.count(row['n_clusters'], 'cluster')}"
        for row in differ
    ]
    return f"{opening}; {wording.listing(parts)}."


def clusterings_lede(facts: Facts, alike: Mapping[str, tuple[int, int]]) -> str:
    """How many clusterings there are, and which agrees least with the reported one."""
    rows = list(facts.clusterings.select("clustering_id", "method", "n_clusters").iter_rows())
    if len(rows) == 1:
        return f"One clustering is on record; it has {wording.count(rows[0][2], 'cluster')}."
    counts = sorted({n for _, _, n in rows})
    text = (
        f"The {wording.word(len(rows))} clusterings on record have "
        f"{wording.listing([str(n) for n in counts])} "
        f"{'cluster' if counts == [1] else 'clusters'}"
    )
    others = [(method, *alike[key]) for key, method, _ in rows if alike.get(key, (0, 0))[1]]
    if not others:
        return f"{text}."
    method, same, of = min(others, key=lambda other: other[1] / other[2])
    if len(others) == 1:
        return (
            f"{text}; {method} groups {same:,} of {of:,} pairs of models as the one reported above "
            "does."
        )
    if same == of:
        return f"{text}; all of them group every pair of models as the one reported above does."
    if all(other[1] * of == same * other[2] for other in others):
        return (
            f"{text}; each of the others groups {wording.percent(same / of)} of the pairs of "
            "models as the one reported above does."
        )
    return (
        f"{text}; {method} agrees least with the one reported above: {same:,} of {of:,} pairs of "
        "models are grouped alike."
    )


def data_lede(facts: Facts) -> str:
    """How many examples there are, and how many of them are held out."""
    n_sets = facts.datasets.height
    if not facts.datasets["n_examples"].count():
        sets = "evaluation set is" if n_sets == 1 else f"{wording.word(n_sets)} evaluation sets are"
        return f"The {sets} known by imported values alone, without examples."
    total = int(facts.datasets["n_examples"].fill_null(0).sum())
    held_out = int(facts.datasets["n_held_out"].fill_null(0).sum())
    sets = "evaluation set holds" if n_sets == 1 else f"{wording.word(n_sets)} evaluation sets hold"
    text = f"The {sets} {wording.count(total, 'example')}"
    if not held_out:
        return f"{text}; none are held out."
    return (
        f"{text}, of which {held_out:,} are held out: clusters are found on the others and judged "
        "on these."
    )


def holes_lede(facts: Facts) -> str:
    """What is missing, by kind."""
    kinds = facts.holes["kind"].to_list()
    parts = [
        wording.count(kinds.count(kind), noun, plural)
        for kind, (noun, plural) in _HOLES.items()
        if kind in kinds
    ]
    verb = "is" if len(kinds) == 1 else "are"
    note = "; an unfinished path counts once for each data set" if "points" in kinds else ""
    return f"{wording.capital(wording.listing(parts))} {verb} left out of the figures above{note}."
