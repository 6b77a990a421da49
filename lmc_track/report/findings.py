"""What a study found, in plain sentences made from its numbers.

They say who is with whom, what was measured, how large the gaps are, what the clusters score on
diagnostics and which models are exceptions, and the limits; where a verdict was made, what it
rests on comes last.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from lmc_track.report import wording
from lmc_track.report.cluster_effects import (
    contrast_on,
    evidence,
    is_unsaid,
    limit,
    sides,
    sides_clause,
)
from lmc_track.report.clusters import PUBLISHED, cluster_sentence, evidence_sentences
from lmc_track.report.facts import Facts, Row, Source, gather
from lmc_track.report.intervals import interval
from lmc_track.report.left_out import all_failed_sentence, left_out_sentence

_SMALL_CLUSTER = 3


def findings(results: Source, study: str, *, clustering: str | None = None) -> list[str]:
    """Five sentences about ``study``, of one to two lines each, and the verdict's evidence.

    ``clustering`` is the id or the method of the clustering to describe, by default the study's
    own.

    Raises:
        InputError: the study or the clustering is not there.
    """
    return sentences(gather(results, study, clustering))


def sentences(facts: Facts) -> list[str]:
    """The sentences of facts that are read already; where a verdict was made it comes last.

    Who is left out is said after what was measured; a study of which no model counts says nothing
    else.
    """
    rows = facts.left_out.to_dicts()
    if facts.models.is_empty():
        return [all_failed_sentence(rows)]
    out = " ".join(
        filter(None, (left_out_sentence(rows, facts.models.height), included_sentence(facts)))
    )
    return [
        cluster_sentence(facts),
        _measured(facts),
        *([out] if out else []),
        gap_sentence(facts),
        generalization_sentence(facts),
        _limits(facts),
        *evidence_sentences(facts),
    ]


def included_sentence(facts: Facts) -> str:
    """Which models failed and count all the same; empty where none do."""
    failed = facts.models.filter(pl.col("failed").is_not_null()).select("name", "failed")
    if failed.is_empty():
        return ""
    named = wording.listing([f"{name} ({how})" for name, how in failed.iter_rows()], limit=4)
    return (
        f"{failed.height:,} of {wording.count(facts.models.height, 'model')} failed and "
        f"{'counts' if failed.height == 1 else 'count'} all the same, as the study includes them: "
        f"{named}."
    )


def _measured(facts: Facts) -> str:
    summary = facts.summary
    models = wording.count(facts.models.height, "finetuned model")
    base = f" (base: {wording.base_name(summary['base'])})" if summary["base"] else ""
    task = f"{models} of the task {summary['task']}{base}"
    sets = wording.count(facts.datasets.height, "data set")
    if facts.models.height == 1:
        return f"{task} was evaluated on {sets}; a path needs two models, so there are no paths."
    possible, complete = facts.pairs.height, facts.measured.height
    if not facts.has_paths and facts.summary["grid_points"] < 3:
        return (
            f"{task} are known by imported values on {sets}; no paths between them are on record."
        )
    if complete == 0:
        return f"{task} were evaluated on {sets}; no path between them is complete yet."
    pairs = f"all {possible:,}" if complete == possible else f"{complete:,} of {possible:,}"
    if possible == 1:
        pairs = "the one"
    return (
        f"{task} and {wording.count(summary['n_points'], 'interpolated one')} on the straight "
        f"lines between {pairs} {'pair' if possible == 1 else 'pairs'}, "
        f"{summary['grid_points']} points a path with its ends, were evaluated on {sets}."
    )


def gap_sentence(facts: Facts) -> str:
    """How large the convexity gaps are, within and between where there are clusters."""
    if facts.models.height < 2:
        return "There are no convexity gaps, because a path needs two models."
    if facts.measured.is_empty():
        if not facts.has_paths and facts.summary["grid_points"] < 3:
            return "There are no convexity gaps, because no paths were imported."
        return "There are no convexity gaps yet, because no path is complete."
    within, between, total = (facts.gaps.get(kind) for kind in ("within", "between", "all"))
    where = f"On {examples_of(facts)} of validation"
    if between is None or between["mean"] is None:
        assert total is not None
        if facts.measured.height == 1:
            return f"{where} the convexity gap of the one pair is {wording.nats(total['mean'])}."
        if wording.gap(total["min"]) == wording.gap(total["max"]):
            n = f"{facts.measured.height:,}"
            return (
                f"{where} each of the convexity gaps of {n} pairs is {wording.nats(total['max'])}."
            )
        return (
            f"{where} the convexity gaps of the {facts.measured.height:,} pairs range from "
            f"{wording.gap(total['min'])} to {wording.nats(total['max'])}; their mean is "
            f"{wording.nats(total['mean'])}{_interval(total)}."
        )
    mean = f"{wording.nats(between['mean'])}{_interval(between)} between"
    if within is None or within["mean"] is None:
        return (
            f"{where} the mean convexity gap is {mean} clusters; "
            "no cluster has a measured pair within it."
        )
    return (
        f"{where} the mean convexity gap is {wording.nats(within['mean'])}{_interval(within)} "
        f"within clusters and {mean}{_extremes(within, between)}."
    )


def _extremes(within: Row, between: Row) -> str:
    """The largest gap within and the smallest between; of gaps that are all as the mean, none."""
    said = [
        f"the {what} is {wording.gap(row[end])}"
        for row, end, what in (
            (within, "max", "largest within"),
            (between, "min", "smallest between"),
        )
        if wording.gap(row["min"]) != wording.gap(row["max"])
    ]
    return f"; {wording.listing(said)}" if said else ""


def _interval(summary: Row) -> str:
    """The 95% interval of a mean over models drawn anew; nothing where there is none."""
    ends = interval(summary["mean"], summary["standard_error"], summary["degrees_of_freedom"])
    if ends is None or wording.gap(max(ends[0], 0.0)) == wording.gap(ends[1]):
        return ""
    return f" (95% interval {wording.gap(max(ends[0], 0.0))} to {wording.gap(ends[1])})"


def examples_of(facts: Facts) -> str:
    """Which examples the reported numbers come from, as words."""
    return "held-out examples" if facts.half == "held-out" else "all examples"


def measure_name(facts: Facts) -> str:
    """The primary diagnostic's metric and the examples it is taken on, as words."""
    metric = wording.metric_name(facts.primary.metric)
    return f"held-out {metric}" if facts.half == "held-out" else metric


def generalization_sentence(facts: Facts) -> str:
    """What the clusters, or the models, score on the primary diagnostic and on the other sets.

    Where it was not evaluated, the diagnostic with the largest difference takes its place.
    """
    measure = measure_name(facts)
    if facts.cluster_diagnostics.is_empty():
        return f"{wording.capital(measure)} is not known yet for any data set."
    if facts.models.height == 1:
        return _of_one_model(facts, measure)
    several = facts.found is not None and facts.found.n_clusters > 1
    return _of_clusters(facts, measure) if several else _of_models(facts, measure)


def _of_one_model(facts: Facts, measure: str) -> str:
    rows = facts.diagnostics.filter((pl.col("subset") == "all") & pl.col("value").is_not_null())
    values = [
        f"{wording.share(value)} on {name}"
        for name, value in rows.select("dataset", "value").iter_rows()
    ]
    return f"Its {measure} is {wording.listing(values, limit=5)}."


def _of_clusters(facts: Facts, measure: str) -> str:
    known = facts.cluster_diagnostics.filter(pl.col("cluster").is_not_null())
    wholes = known.filter((pl.col("role") == "diagnostic") & (pl.col("subset") == "all"))
    ranked = wholes.unique("dataset", maintain_order=True).sort(
        "spread", descending=True, maintain_order=True
    )
    led = _leading(facts, known, _sets(ranked, "spread"))
    validation = _means(known, "validation")
    if led is None:
        shared = f"on validation {validation}" if validation else "not known on validation"
        return f"No diagnostic set was evaluated; mean {measure} is {shared}."
    first, opening = led
    rows = known.filter((pl.col("dataset") == first[0]) & (pl.col("subset") == first[1]))
    pieces = [
        f"{wording.share(mean)} in cluster {cluster}"
        for cluster, mean in rows.select("cluster", "mean").iter_rows()
    ]
    notes = "; ".join(filter(None, (evidence(facts, *first), sides_clause(facts, *first))))
    beside = f" ({notes})" if notes else ""
    others = _others(first[0], ranked, lambda name: _means_and_sides(facts, known, name))
    return f"{opening}, mean {measure} is {wording.listing(pieces, limit=4)}{beside}{others}."


def _means_and_sides(facts: Facts, known: pl.DataFrame, dataset: str) -> str:
    """Means by cluster; of two, on validation also how many models are nearer their own."""
    means = _means(known, dataset)
    two = facts.found is not None and facts.found.n_clusters == 2
    found = sides(facts, dataset, "all") if two and dataset == "validation" else None
    if not means or found is None:
        return means
    return f"{means} ({found.n_own:,} of {found.n_models:,} nearer)"


def _of_models(facts: Facts, measure: str) -> str:
    known = facts.diagnostics.filter(pl.col("value").is_not_null())
    ranges = known.group_by("dataset", "subset", "role", maintain_order=True).agg(
        pl.col("value").min().alias("min"),
        pl.col("value").max().alias("max"),
        pl.col("value").mean().alias("mean"),
    )
    ranked = (
        ranges.filter((pl.col("role") == "diagnostic") & (pl.col("subset") == "all"))
        .with_columns((pl.col("max") - pl.col("min")).alias("range"))
        .sort("range", descending=True, maintain_order=True)
    )
    led = _leading(facts, ranges, _sets(ranked, "range"))
    validation = _range(ranges, "validation", "all")
    if led is None:
        return f"No diagnostic set was evaluated; {measure} on validation is {validation}."
    first, opening = led
    row = ranges.filter((pl.col("dataset") == first[0]) & (pl.col("subset") == first[1])).row(
        0, named=True
    )
    alike = wording.share(row["min"]) == wording.share(row["max"])
    mean = "" if alike else f" (mean {wording.share(row['mean'])})"
    others = _others(first[0], ranked, lambda name: _range(ranges, name, "all"))
    return f"{opening}, {measure} is {_range(ranges, *first)}{mean}{others}."


def _sets(ranked: pl.DataFrame, difference: str) -> list[tuple[str, str]]:
    """(data set, its difference as it is written), in the order of ``ranked``."""
    rows = ranked.select("dataset", difference).iter_rows()
    return [(name, wording.share(value)) for name, value in rows]


def _leading(
    facts: Facts, known: pl.DataFrame, ranked: list[tuple[str, str]]
) -> tuple[tuple[str, str], str] | None:
    """The (data set, subset) to describe first, with the words that open a sentence on it.

    ``ranked`` are the diagnostic sets and their differences, the largest first; one that is as
    large elsewhere, or the only one, is not called the largest.
    """
    primary = (facts.primary.dataset, facts.primary.subset)
    if primary in set(known.select("dataset", "subset").iter_rows()):
        return primary, f"On the primary diagnostic, {wording.subset_name(*primary)}"
    if ranked:
        (first, largest), *rest = ranked
        most = rest and rest[0][1] != largest
        return (first, "all"), (
            f"On {first}, the diagnostic with the largest difference" if most else f"On {first}"
        )
    return None


def _others(first: str, ranked: pl.DataFrame, describe: Callable[[str], str]) -> str:
    """Clauses on the diagnostic that differs most among the others, and on validation."""
    names = [name for name in ranked["dataset"].to_list() if name != first][:1]
    names += ["validation"] if first != "validation" else []
    return "".join(f"; on {name} {text}" for name in names if (text := describe(name)))


def _range(ranges: pl.DataFrame, dataset: str, subset: str) -> str:
    rows = ranges.filter((pl.col("dataset") == dataset) & (pl.col("subset") == subset))
    if rows.is_empty():
        return ""
    row = rows.row(0, named=True)
    low, high = wording.share(row["min"]), wording.share(row["max"])
    return f"from {low} to {high}" if low != high else f"{low} of every model"


def _means(rows: pl.DataFrame, dataset: str) -> str:
    means = rows.filter((pl.col("dataset") == dataset) & (pl.col("subset") == "all"))["mean"]
    return wording.listing([wording.share(mean) for mean in means.to_list()], limit=4)


def _limits(facts: Facts) -> str:
    if facts.models.height == 1:
        return "One model says nothing about linear connectivity: at least two are needed."
    clauses = [_of_the_method(facts), *_of_the_data(facts)]
    return f"{'; '.join(clauses[:3])}."


def _of_the_method(facts: Facts) -> str:
    if facts.found is not None and facts.found.method == PUBLISHED:
        return "The clusters are the published ones; they were imported, not found from gaps here"
    if facts.measured.is_empty():
        return "Nothing can be said of linear connectivity before paths are complete"
    if facts.found is None:
        return "Which models belong together cannot be said before a clustering is made"
    if facts.found.n_clusters > 1:
        return (
            "Only straight lines between models were tried, so the clusters are not shown to be "
            "separate basins"
        )
    return (
        f"One cluster means that no division was found on {facts.summary['grid_points']} points a "
        "path, not that the models generalize alike"
    )


def _of_the_data(facts: Facts) -> list[str]:
    clauses = []
    lacking = facts.measured.height and facts.n_unmeasured
    if lacking:
        pairs = facts.pairs.filter(pl.col("convexity_gap").is_null())
        named = [f"{a} with {b}" for a, b in pairs.select("model_a", "model_b").iter_rows()]
        verb = "is" if lacking == 1 else "are"
        which = f" ({named[0]})" if lacking == 1 else ""
        clauses.append(f"{wording.count(lacking, 'pair')}{which} {verb} not measured and left out")
    if facts.found is not None:
        outside = facts.models["cluster"].null_count()
        if outside:
            verb = "is" if outside == 1 else "are"
            clauses.append(f"{wording.count(outside, 'model')} {verb} not in the clustering")
        small = [n for n, size in facts.found.sizes.items() if size < _SMALL_CLUSTER]
        if unsaid := _unsaid(facts):
            clauses.append(unsaid)
        elif small and facts.found.n_clusters > 1:
            names = wording.listing([str(n) for n in small], limit=3)
            clauses.append(
                f"{'cluster' if len(small) == 1 else 'clusters'} {names} "
                f"{'is' if len(small) == 1 else 'are'} too small for a spread to be judged"
            )
        if facts.found.half == "all" and facts.half == "held-out":
            clauses.append("the clustering saw the held-out examples too")
    unevaluated = facts.holes.filter(pl.col("kind") == "evaluation")["model_a"].n_unique()
    if unevaluated:
        verb = "lacks" if unevaluated == 1 else "lack"
        clauses.append(f"{wording.count(unevaluated, 'model')} {verb} data sets")
    if facts.half == "all":
        clauses.append("the results have no held-out half, so nothing here is checked on one")
    return clauses


def _unsaid(facts: Facts) -> str:
    """That so few models cannot show a difference on the primary diagnostic; else nothing."""
    first = (facts.primary.dataset, facts.primary.subset)
    row = contrast_on(facts, *first)
    return limit(facts, *first) if row is not None and is_unsaid(row) else ""
